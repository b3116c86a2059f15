// SPDX-License-Identifier: MIT
// Moments as an operator gives them to a merge: always with their zone, so that a window means the
// same on every machine. Pure.

#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "common/result.h"

namespace ha {

struct MergeTime {
  long long seconds = 0;  // since the epoch
  int micros = 0;         // of the next one

  auto operator<=>(const MergeTime&) const = default;
};

// From `since` on, and before `until`.
struct MergeWindow {
  MergeTime since = {}, until = {};

  long long micros() const {
    return (until.seconds - since.seconds) * 1'000'000 + until.micros - since.micros;
  }
};

// Parses "@SECONDS" since the epoch or "2026-11-30T16:00[:05][.25]" with "Z" or "+01:00" behind it;
// fractions have at most six digits. Fails with kUsage and what is accepted.
Result<MergeTime> parse_merge_time(std::string_view text);

// Returns it as a number of SQL: "1700000000", or with six decimals.
std::string epoch_literal(const MergeTime& time);

}  // namespace ha
