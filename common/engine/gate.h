// SPDX-License-Identifier: MIT
// What an engine's event means for the standby: every event handler starts with this question.
// Pure.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

namespace ha {

class Cli;

// The macros of the event as the engine passed them, unjudged; unset: the option was not given.
struct EventMacros {
  std::optional<std::string> state = {};
  std::optional<std::string> state_type = {};
  std::optional<std::string> attempt = {};
  unsigned soft_attempt = 0;  // act on SOFT problems from this attempt on; 0: never
};

enum class EventMeaning { kActivate, kDeactivate, kNothing };

struct Gate {
  EventMeaning meaning = EventMeaning::kNothing;
  std::string event;  // "CRITICAL HARD", for people
};

// Judges the event: a hard problem (CRITICAL, DOWN, UNREACHABLE), or a soft one from
// `soft_attempt` on, means activation; OK and UP, hard or soft, mean deactivation; all else means
// nothing. Fails with kUsage on a word that no engine says, such as a macro that was not expanded.
Result<Gate> judge_event(const EventMacros& macros);

// Adds --state, --state-type, --attempt and --soft-attempt.
void add_event_options(Cli& cli, EventMacros& macros);

// Returns an error when an argument holds a line end or another control byte: what engines pass on
// comes from outside, and such an argument is an attack or a mistake.
Result<Done> refuse_control_bytes(const std::vector<std::string>& args);

}  // namespace ha
