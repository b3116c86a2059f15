// SPDX-License-Identifier: MIT
// Judges a topology: which named troubles it is in. Pure.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check_result.h"
#include "common/mysql/topology.h"

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
  kFollowsNobody,
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

struct Finding {
  Verdict verdict;
  std::vector<std::size_t> nodes;  // that it is about; empty: all
  std::string text;                // names them
};

struct Assessment {
  std::vector<Finding> findings;          // empty: healthy
  std::uint64_t errant_transactions = 0;  // at least
  std::size_t diverged = 0;               // nodes with a history of their own
};

// Finds every trouble, in the order of Verdict.
Assessment classify(const Topology& topology, std::size_t allowed_writers);

}  // namespace ha
