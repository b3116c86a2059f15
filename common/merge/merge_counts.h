// SPDX-License-Identifier: MIT
// What a merge has found and done, and how it is told. Pure.

#pragma once

#include <cstdint>
#include <string>

#include "common/merge/merge_options.h"

namespace ha {

struct MergeCounts {
  std::uint64_t rows = 0;       // of the loser in the window
  std::uint64_t added = 0;      // or to be added, when rows are only counted
  std::uint64_t orphans = 0;    // without a parent on the winner
  std::uint64_t conflicts = 0;  // whose unique key another row has there
  std::uint64_t refused = 0;    // that the winner does not take for another reason

  std::uint64_t left_out() const { return orphans + conflicts + refused; }
  std::uint64_t present() const { return rows - added - left_out(); }
  MergeCounts& operator+=(const MergeCounts& other);
};

// Returns the counts of a table in one line; `from` and `to` are the nodes.
std::string describe_counts(const MergeCounts& counts, MergeEffect effect, const std::string& from,
                            const std::string& to);

// Returns how far a table is: `total` rows in `seconds` so far.
std::string describe_progress(const std::string& table, const MergeCounts& counts,
                              std::uint64_t total, MergeEffect effect, double seconds);

}  // namespace ha
