// SPDX-License-Identifier: MIT
#include "common/process_table.h"

#include <dirent.h>

#include "common/files.h"
#include "common/text.h"

namespace ha {

std::vector<std::string> process_ids() {
  std::vector<std::string> ids;
  DIR* const proc = opendir("/proc");
  if (proc == nullptr) return ids;
  while (const dirent* const entry = readdir(proc))
    if (parse_integer(entry->d_name)) ids.emplace_back(entry->d_name);
  closedir(proc);
  return ids;
}

bool all_processes_are_seen() {
  // The first process is never ours, is always there, and everybody may read its status.
  const auto first = read_file("/proc/1/status");
  return first && !first->empty();
}

std::string process_file(const std::string& id, const char* name) {
  const auto content = read_file("/proc/" + id + "/" + name);
  return content ? *content : "";
}

std::vector<std::string> process_stat(const std::string& id) {
  // "pid (name) state ppid": the name may hold anything, parentheses too.
  const std::string stat = process_file(id, "stat");
  const std::size_t end = stat.rfind(") ");
  if (end == stat.npos) return {};
  return split(std::string_view(stat).substr(end + 2), ' ');
}

std::optional<std::uint64_t> started_at(const std::string& id) {
  constexpr std::size_t kStartTime = 19;  // field 22 of proc(5)
  const std::vector<std::string> fields = process_stat(id);
  if (fields.size() <= kStartTime || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  const auto ticks = parse_integer(fields[kStartTime]);
  if (!ticks || *ticks < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*ticks);
}

bool is_running(const std::string& id) { return started_at(id).has_value(); }

}  // namespace ha
