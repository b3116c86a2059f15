// SPDX-License-Identifier: MIT
#include "common/engine/status_writers.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

// Returns when a living process was started; empty when it is none. (Field 22 of proc(5).)
std::string start_of(const std::string& id) {
  constexpr std::size_t kStart = 19;
  const std::vector<std::string> fields = process_stat(id);
  if (fields.size() <= kStart || fields[0] == "Z" || fields[0] == "X") return "";
  return fields[kStart];
}

bool descends_from(std::string id, const std::string& ancestor) {
  while (!id.empty() && id != "0" && id != ancestor) {
    const std::vector<std::string> fields = process_stat(id);
    id = fields.size() > 1 ? fields[1] : "";
  }
  return id == ancestor;
}

// How many process namespaces it is in: the processes of containers are in more than ours.
std::size_t namespaces_of(const std::string& id) {
  const std::string status = process_file(id, "status");
  const std::size_t begin = status.find("NSpid:");
  if (begin == status.npos) return 0;
  return split_words(status.substr(begin, status.find('\n', begin) - begin)).size();
}

// Only an absolute path among the arguments, that of the configuration, makes equal command lines
// the same daemon. An engine's helpers have its command line too and are its descendants.
std::string find_twin(const std::string& id) {
  const std::string line = process_file(id, "cmdline");
  if (line.find(std::string_view("\0/", 2)) == line.npos) return "";
  for (const std::string& other : process_ids()) {
    if (other == id || process_file(other, "cmdline") != line || start_of(other).empty()) continue;
    if (descends_from(other, id) || descends_from(id, other)) continue;
    if (namespaces_of(other) == namespaces_of(id)) return other;
  }
  return "";
}

}  // namespace

void StatusWriters::load(std::string_view text) {
  for (const std::string& line : split(text, '\n'))
    if (const auto words = split_words(line); words.size() == 2 && parse_integer(words[0]))
      started_[words[0]] = words[1];
}

void StatusWriters::add(std::int64_t pid) {
  last_ = std::to_string(pid);
  if (const std::string start = start_of(last_); !start.empty()) started_[last_] = start;
}

std::string StatusWriters::conflict() const {
  if (last_.empty() || start_of(last_).empty()) return "";
  for (const auto& [id, start] : started_)
    if (id != last_ && start_of(id) == start)
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
    if (start_of(id) == start) text += id + " " + start + "\n";
  return text;
}

}  // namespace ha
