// SPDX-License-Identifier: MIT
// The named troubles of a cluster. Plain values.

#pragma once

#include <string_view>

#include "common/check_result.h"

namespace ha {

enum class Verdict {
  kNoNodeReachable,
  kSeveralWriters,
  kDiverged,
  kPrimaryLost,
  kRingOfWriters,
  kDuplicateId,
  kNoWriter,
  kWriterUnknown,
  kErrant,
  kLostOwn,
  kNotClosed,
  kForeignSource,
  kStaleSource,
  kFollowsNoServer,
  kOutOfGroup,
  kUnreachable,
  kUnreadable,
  kRing,
  kUnproven,
};

// Returns the verdict's name, as in kSeveralWriters: "several-writers".
std::string_view verdict_name(Verdict verdict);

// Returns the one sentence that says what it means.
std::string_view verdict_meaning(Verdict verdict);

// Returns what it is worth, unless the operator wishes otherwise; OK for what is no trouble but
// bears on the answer.
State usual_state(Verdict verdict);

}  // namespace ha
