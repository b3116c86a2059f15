// SPDX-License-Identifier: MIT
#include "common/heartbeat/local_process.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "common/process_table.h"
#include "common/text.h"

namespace ha {

void ProcessPattern::Free::operator()(regex_t* regex) const {
  regfree(regex);
  delete regex;
}

Result<ProcessPattern> ProcessPattern::compile(const std::string& text) {
  auto* const regex = new regex_t;
  if (const int error = regcomp(regex, text.c_str(), REG_EXTENDED | REG_NOSUB); error != 0) {
    char why[200];
    regerror(error, regex, why, sizeof why);
    delete regex;
    return Error{Errc::kUsage,
                 "'" + sanitize(text) + "' is not a POSIX extended regular expression: " + why};
  }
  return ProcessPattern(text, std::unique_ptr<regex_t, Free>(regex));
}

bool ProcessPattern::matches(const std::string& command_line) const {
  return regexec(regex_.get(), command_line.c_str(), 0, nullptr, 0) == 0;
}

namespace {

std::string parent_of(const std::string& id) {
  const std::vector<std::string> fields = process_stat(id);
  return fields.size() > 1 ? fields[1] : "0";
}

std::set<std::string> ourselves_and_ancestors() {
  std::set<std::string> ids;
  for (std::string id = std::to_string(getpid()); id != "0" && ids.insert(id).second;)
    id = parent_of(id);
  return ids;
}

}  // namespace

std::optional<int> find_process(const ProcessPattern& pattern) {
  const std::set<std::string> ours = ourselves_and_ancestors();
  const std::string our_name = process_file("self", "comm");
  for (const std::string& id : process_ids()) {
    if (ours.contains(id)) continue;
    std::string command_line = process_file(id, "cmdline");
    if (command_line.empty() || process_file(id, "comm") == our_name) continue;
    if (command_line.back() == '\0') command_line.pop_back();
    std::ranges::replace(command_line, '\0', ' ');
    if (pattern.matches(command_line)) return std::stoi(id);
  }
  return std::nullopt;
}

}  // namespace ha
