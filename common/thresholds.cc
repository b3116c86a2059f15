// SPDX-License-Identifier: MIT
#include "common/thresholds.h"

#include <cmath>

#include "common/text.h"

namespace ha {

Result<Range> parse_range(std::string_view text) {
  const Error malformed{Errc::kUsage, "'" + sanitize(text) +
                                          "' is not a range (accepted: 10, 10:, ~:10, 10:20, "
                                          "@10:20; plain decimal numbers, start <= end)"};
  std::string_view rest = text;
  Range range{0};
  if (rest.starts_with('@')) {
    range.inside = true;
    rest.remove_prefix(1);
  }
  const std::size_t colon = rest.find(':');
  if (colon != rest.npos) {
    const std::string_view start = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
    if (start == "~") {
      range.start = -INFINITY;
    } else if (!start.empty()) {
      const auto number = parse_number(start);
      if (!number) return malformed;
      range.start = *number;
    }
  }
  if (!rest.empty() || colon == rest.npos) {
    const auto number = parse_number(rest);
    if (!number) return malformed;
    range.end = *number;
  }
  if (range.start > range.end) return malformed;
  return range;
}

std::string format_range(const Range& range) {
  std::string text = range.inside ? "@" : "";
  if (std::isinf(range.start))
    text += "~:";
  else if (range.start != 0 || std::isinf(range.end))
    text += format_number(range.start) + ":";
  if (!std::isinf(range.end)) text += format_number(range.end);
  return text;
}

bool alerts(const Range& range, double value) {
  const bool within = range.start <= value && value <= range.end;
  return within == range.inside;
}

State judge(const Thresholds& thresholds, double value) {
  if (thresholds.critical && alerts(*thresholds.critical, value)) return State::kCritical;
  if (thresholds.warning && alerts(*thresholds.warning, value)) return State::kWarning;
  return State::kOk;
}

}  // namespace ha
