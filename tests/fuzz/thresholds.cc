// SPDX-License-Identifier: MIT
// Threshold ranges: what is accepted can be printed and read again as the same range.

#include "common/thresholds.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto range = parse_range(text);
  if (!range) return;
  const auto again = parse_range(format_range(*range));
  require(again.has_value());
  for (const double value : {-1.0, 0.0, 10.0, 1e9}) alerts(*range, value);
}
