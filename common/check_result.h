// SPDX-License-Identifier: MIT
// What a check found, before it is decided how to print it. Plain values, filled by `evaluate`
// functions and read by common/report.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/result.h"

namespace ha {

// The values are the exit codes of a check.
enum class State { kOk = 0, kWarning = 1, kCritical = 2, kUnknown = 3 };

// Returns "OK", "WARNING", "CRITICAL" or "UNKNOWN".
std::string_view state_name(State state);

// Reads a state by name (any case) or number 0 to 3; fails with what is accepted.
Result<State> parse_state(std::string_view text);

// Returns the state that wins: CRITICAL > WARNING > UNKNOWN > OK.
State worst(State a, State b);

// One threshold; see common/thresholds.h. The default alerts on nothing.
struct Range {
  double start = -std::numeric_limits<double>::infinity();
  double end = std::numeric_limits<double>::infinity();
  bool inside = false;  // alert inside start..end instead of outside

  bool operator==(const Range&) const = default;
};

struct Thresholds {
  std::optional<Range> warning = {};
  std::optional<Range> critical = {};
};

// One number of the perfdata.
struct Metric {
  std::string label;            // snake_case, without the instance
  std::optional<double> value;  // nullopt is printed as U
  std::string unit = {};        // "", "s", "B", "%" or "c"
  Thresholds limits = {};
  std::optional<double> min = {};
  std::optional<double> max = {};
};

using FactValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

// One channel, node or mount.
struct Item {
  std::string name;  // prefixes its metrics; empty: they stand bare (the default channel)
  State state = State::kOk;
  std::string text = {};                                           // its line in the long output
  std::vector<std::pair<std::string, std::string>> identity = {};  // what it is; for discovery
  std::vector<std::pair<std::string, FactValue>> facts = {};       // what was seen
  std::vector<Metric> metrics = {};
};

struct CheckResult {
  State state = State::kUnknown;
  std::string text;                     // the summary, one line
  std::vector<Metric> metrics = {};     // of the whole check
  std::string item_kind = {};           // "channel", "node", "mount": names the items
  std::vector<Item> items = {};         // in a stable order
  std::vector<std::string> notes = {};  // lines for -v
};

// Returns the sentence for several items: `ok_text` when all are OK, else the texts of the worst
// three and how many more are not OK.
std::string summarize(const std::vector<Item>& items, std::string_view ok_text);

// Judges a failed gathering: what cannot be reached is CRITICAL, what we may not or cannot read is
// UNKNOWN.
CheckResult from_error(const Error& error);

}  // namespace ha
