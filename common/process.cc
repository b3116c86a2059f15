// SPDX-License-Identifier: MIT
#include "common/process.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

Result<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      in_word = true;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size() &&
               (quote == 0 || std::string_view("\"\\$`").find(text[i + 1]) != std::string::npos)) {
      word += text[++i];
      in_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return Error{Errc::kUsage, fmt::format("a {} is not closed", quote)};
  if (in_word) words.push_back(std::move(word));
  if (words.empty()) return Error{Errc::kUsage, "the command is empty"};
  return words;
}

std::string describe(const ProcessOutcome& outcome) {
  switch (outcome.end) {
    case ProcessOutcome::End::kExited:
      return fmt::format("exited with {}", outcome.code);
    case ProcessOutcome::End::kSignalled:
      return fmt::format("was killed by signal {}", outcome.code);
    case ProcessOutcome::End::kTimedOut:
      break;
  }
  return fmt::format("did not end within {}", format_duration(outcome.seconds));
}

}  // namespace ha
