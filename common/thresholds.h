// SPDX-License-Identifier: MIT
// Threshold ranges of the Monitoring Plugins guidelines, "Threshold and ranges": `[@]start:end`.
// A value alerts when it lies outside start..end, with @ when it lies inside; the end points
// belong to the range.

#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "common/check_result.h"
#include "common/result.h"

namespace ha {

// Parses `10`, `10:`, `~:10`, `10:20`, `@10:20`; fails with a sentence that quotes the text.
Result<Range> parse_range(std::string_view text);

// Formats a range as parse_range reads it: `10` for 0 to 10.
std::string format_range(const Range& range);

// True when `value` is to be alerted on.
bool alerts(const Range& range, double value);

// Judges a value: critical first, then warning, then OK.
State judge(const Thresholds& thresholds, double value);

}  // namespace ha
