// SPDX-License-Identifier: MIT
#include "common/failover/old_steps.h"

#include <utility>

namespace ha {

namespace {

// Returns the statement without what stands in quotes: names and hosts are other people's.
std::string unquoted(std::string_view sql) {
  std::string text;
  char quote = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (quote == 0 && (sql[i] == '\'' || sql[i] == '`'))
      quote = sql[i];
    else if (quote == 0)
      text += sql[i];
    else if (sql[i] == '\\' && quote == '\'')
      ++i;
    else if (sql[i] == quote)
      quote = 0;
  }
  return text;
}

std::optional<Part> infer_part(Action action, std::string_view words) {
  const std::pair<std::string_view, Part> beginnings[] = {
      {"STOP ", Part::kStop},
      {"START ", Part::kStart},
      {"RESET ", Part::kForget},
      // Only a change of the delay names no source.
      {"CHANGE ", action == Action::kSetDelay ? Part::kDelay : Part::kPoint},
      {"SET GLOBAL gtid_slave_pos", Part::kBegin},
      {"SET GLOBAL read_only=0", Part::kOpen},
      {"SET GLOBAL super_read_only=0", Part::kOpen},
      {"SET GLOBAL read_only=1", Part::kClose},
      {"SET GLOBAL rpl_semi_sync", words.ends_with("=ON") ? Part::kSemiSyncOn : Part::kSemiSyncOff},
      {"FLUSH TABLES", Part::kLock},
      {"UNLOCK TABLES", Part::kUnlock},
      {"ALTER ", words.ends_with(" ENABLE") ? Part::kEnableEvent : Part::kDisableEvent}};
  for (const auto& [beginning, part] : beginnings)
    if (words.starts_with(beginning)) return part;
  return std::nullopt;
}

std::vector<Placeholder> infer_placeholders(std::string_view words) {
  std::vector<Placeholder> found;
  for (const Placeholder one :
       {Placeholder::kBinlogEnd, Placeholder::kApplied, Placeholder::kRelay})
    if (words.find(position_for(one).file) != words.npos) found.push_back(one);
  if (words.find(kReplPassword) != words.npos) found.push_back(Placeholder::kReplPassword);
  return found;
}

}  // namespace

std::optional<Statements> infer_statements(Action action, const std::vector<std::string>& sql) {
  Statements statements;
  for (const std::string& one : sql) {
    const std::string words = unquoted(one);
    const auto part = infer_part(action, words);
    if (!part) return std::nullopt;
    statements.push_back({*part, one, infer_placeholders(words)});
  }
  return statements;
}

void infer_file(Step& step) {
  if (step.action != Action::kWriteFile) return;
  step.path = std::exchange(step.other, "");
  step.content = step.text;
}

std::string current_word(std::string word) {
  const std::pair<std::string_view, std::string_view> changed[] = {{"reservations", "warnings"},
                                                                   {"taking-back", "rolling-back"}};
  for (const auto& [before, now] : changed)
    if (word == before) return std::string(now);
  return word;
}

std::vector<std::string> infer_need_resync(const std::vector<std::string>& warnings) {
  std::vector<std::string> nodes;
  for (const std::string& line : warnings)
    if (const std::size_t end = line.find(" needs a resync:"); end != line.npos)
      nodes.push_back(line.substr(0, end));
  return nodes;
}

}  // namespace ha
