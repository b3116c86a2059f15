// SPDX-License-Identifier: MIT
#include "common/engine/gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

// Takes one of `words` in any case; `option` and the words stand in the error.
Result<std::string> parse_word(const char* option, const std::optional<std::string>& given,
                               const std::vector<std::string>& words) {
  if (!given)
    return Error{Errc::kUsage,
                 fmt::format("{} is missing (one of: {})", option, join(words, ", "))};
  const std::string word = to_upper(*given);
  if (std::ranges::find(words, word) != words.end()) return word;
  const bool macro = word.size() > 2 && word.starts_with('$') && word.ends_with('$');
  return Error{Errc::kUsage, fmt::format("{}: '{}' is {} (accepted: {})", option, sanitize(*given),
                                         macro ? "a macro that the engine did not expand"
                                               : "not one of its words",
                                         join(words, ", "))};
}

Result<long long> parse_attempt(const std::optional<std::string>& given) {
  if (!given) return Error{Errc::kUsage, "--attempt is missing: --soft-attempt needs it"};
  const auto attempt = parse_integer(*given);
  if (!attempt || *attempt < 1)
    return Error{Errc::kUsage,
                 fmt::format("--attempt: '{}' is not an attempt (accepted: 1, 2, 3, ...)",
                             sanitize(*given))};
  return *attempt;
}

}  // namespace

Result<Gate> judge_event(const EventMacros& macros) {
  const auto state =
      parse_word("--state", macros.state,
                 {"OK", "WARNING", "CRITICAL", "UNKNOWN", "UP", "DOWN", "UNREACHABLE"});
  if (!state) return state.error();
  const auto type = parse_word("--state-type", macros.state_type, {"SOFT", "HARD"});
  if (!type) return type.error();
  if (macros.attempt || macros.soft_attempt > 0) {
    if (const auto attempt = parse_attempt(macros.attempt); !attempt) return attempt.error();
  }

  Gate gate{EventMeaning::kNothing, *state + " " + *type};
  if (*state == "OK" || *state == "UP") gate.meaning = EventMeaning::kDeactivate;
  if (*state == "CRITICAL" || *state == "DOWN" || *state == "UNREACHABLE") {
    const bool early = *type == "SOFT" && macros.soft_attempt > 0 &&
                       *parse_attempt(macros.attempt) >= macros.soft_attempt;
    if (*type == "HARD" || early) gate.meaning = EventMeaning::kActivate;
  }
  return gate;
}

Result<Done> refuse_control_bytes(const std::vector<std::string>& args) {
  for (const std::string& arg : args) {
    const bool clean = std::ranges::none_of(
        arg, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (!clean) return Error{Errc::kUsage, "an argument holds a line end or another control byte"};
  }
  return Done{};
}

}  // namespace ha
