// SPDX-License-Identifier: MIT
#include "common/check_result.h"

#include <strings.h>

namespace ha {

std::string_view state_name(State state) {
  switch (state) {
    case State::kOk:
      return "OK";
    case State::kWarning:
      return "WARNING";
    case State::kCritical:
      return "CRITICAL";
    case State::kUnknown:
      break;
  }
  return "UNKNOWN";
}

Result<State> parse_state(std::string_view text) {
  const std::string word(text);
  for (State state : {State::kOk, State::kWarning, State::kCritical, State::kUnknown}) {
    const bool named = strcasecmp(word.c_str(), std::string(state_name(state)).c_str()) == 0;
    if (named || word == std::to_string(static_cast<int>(state))) return state;
  }
  return Error{Errc::kUsage,
               "'" + word + "' is not a state (accepted: ok, warning, critical, unknown, 0 to 3)"};
}

State worst(State a, State b) {
  const auto severity = [](State state) {
    switch (state) {
      case State::kOk:
        return 0;
      case State::kUnknown:
        return 1;
      case State::kWarning:
        return 2;
      case State::kCritical:
        break;
    }
    return 3;
  };
  return severity(a) >= severity(b) ? a : b;
}

std::string summarize(const std::vector<Item>& items, std::string_view ok_text) {
  constexpr int kMost = 3;
  std::string text;
  int bad = 0;
  for (State state : {State::kCritical, State::kWarning, State::kUnknown})
    for (const Item& item : items)
      if (item.state == state && ++bad <= kMost) text += (text.empty() ? "" : "; ") + item.text;
  if (bad == 0) return std::string(ok_text);
  if (bad > kMost) text += "; and " + std::to_string(bad - kMost) + " more";
  return text;
}

CheckResult from_error(const Error& error) {
  const bool down = error.code == Errc::kUnreachable || error.code == Errc::kTimedOut ||
                    error.code == Errc::kRefused;
  return {down ? State::kCritical : State::kUnknown, error.text};
}

}  // namespace ha
