// SPDX-License-Identifier: MIT
#include "common/engine/status_writers.h"

#include <fmt/format.h>

#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

bool descends_from(std::string id, const std::string& ancestor) {
  while (!id.empty() && id != "0" && id != ancestor) {
    const std::vector<std::string> fields = process_stat(id);
    id = fields.size() > 1 ? fields[1] : "";
  }
  return id == ancestor;
}

// What a process is run as, in words of its `status`.
struct Identity {
  std::string name;
  std::string user;  // the effective one: /proc shows a daemon that gave up root as root's
  std::size_t namespaces = 0;  // the processes of containers are in more than ours

  bool operator==(const Identity&) const = default;
};

Identity identity_of(const std::string& id) {
  constexpr std::size_t kEffective = 2;
  Identity identity;
  for (const std::string& line : split(process_file(id, "status"), '\n')) {
    if (line.starts_with("Name:")) identity.name = line;
    const std::vector<std::string> words = split_words(line);
    if (line.starts_with("Uid:") && words.size() > kEffective) identity.user = words[kEffective];
    if (line.starts_with("NSpid:")) identity.namespaces = words.size();
  }
  return identity;
}

// True when both may be daemons that write one file: one program of one user, and neither is a
// helper of the other. (A thread of the kernel has no command line.)
bool may_be_two_daemons(const std::string& one, const std::string& other) {
  if (process_file(one, "cmdline").empty() || process_file(other, "cmdline").empty()) return false;
  return identity_of(one) == identity_of(other) && !descends_from(other, one) &&
         !descends_from(one, other);
}

std::string session_of(const std::string& id) {
  constexpr std::size_t kSession = 3;  // field 6 of proc(5)
  const std::vector<std::string> fields = process_stat(id);
  return fields.size() > kSession ? fields[kSession] : "";
}

// Only an absolute path among the arguments, that of the configuration, makes equal command lines
// the same daemon. Nagios 2 and 3 and Icinga 1 leave helpers with their command line to init
// (child_processes_fork_twice), but in their own session. The oldest is the daemon itself.
std::string find_twin(const std::string& id) {
  const std::string line = process_file(id, "cmdline");
  if (line.find(std::string_view("\0/", 2)) == line.npos) return "";
  const std::string session = session_of(id);
  std::map<std::uint64_t, std::string> twins;  // by their start
  for (const std::string& other : process_ids()) {
    if (other == id || process_file(other, "cmdline") != line || session_of(other) == session)
      continue;
    const auto start = started_at(other);
    if (start && may_be_two_daemons(id, other)) twins.emplace(*start, other);
  }
  return twins.empty() ? "" : twins.begin()->second;
}

}  // namespace

void StatusWriters::load(std::string_view text) {
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> words = split_words(line);
    if (words.size() != 2 || !parse_integer(words[0])) continue;
    if (const auto start = parse_integer(words[1]); start && *start >= 0)
      started_[words[0]] = static_cast<std::uint64_t>(*start);
  }
}

void StatusWriters::add(std::int64_t pid) {
  last_ = std::to_string(pid);
  if (const auto start = started_at(last_)) started_[last_] = *start;
}

std::string StatusWriters::conflict() const {
  if (last_.empty() || !is_running(last_)) return "";
  for (const auto& [id, start] : started_)
    if (id != last_ && started_at(id) == start && may_be_two_daemons(id, last_))
      return fmt::format("processes {} and {} write the status file in turns: stop one of them", id,
                         last_);
  const std::string twin = find_twin(last_);
  if (twin.empty()) return "";
  return fmt::format(
      "processes {} and {} run on the same configuration and write one status file: stop one of "
      "them",
      last_, twin);
}

std::string StatusWriters::text() const {
  std::string text;
  for (const auto& [id, start] : started_)
    if (started_at(id) == start) text += fmt::format("{} {}\n", id, start);
  return text;
}

}  // namespace ha
