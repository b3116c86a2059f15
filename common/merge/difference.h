// SPDX-License-Identifier: MIT
// The multiset difference of two servers' rows, by digests of their content. Pure.

#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/mysql/rows.h"
#include "common/result.h"

namespace ha {

// Rows of one content.
struct RowTally {
  std::uint64_t copies = 0;
  std::uint64_t bytes = 0;  // of one of them, about
};

using RowTallies = std::unordered_map<std::string, RowTally>;  // by digest

// Rows that a server lacks.
struct MissingRows {
  std::string digest = {};
  std::uint64_t copies = 0, bytes = 0;
};

// Counts what select_digests() has answered. Fails with kBadData for a row without a digest.
Result<RowTallies> tally_rows(const Rows& rows);

// Returns how many rows there are.
std::uint64_t count_of(const RowTallies& tallies);

// Returns what is in `theirs` more often than in `ours`, in the order of the digests.
std::vector<MissingRows> find_missing(const RowTallies& theirs, const RowTallies& ours);

// Cuts a list into pieces of at most so many rows and bytes; a piece has at least one entry.
std::vector<std::vector<MissingRows>> cut_into_pieces(std::vector<MissingRows> missing,
                                                      std::size_t most_rows,
                                                      std::uint64_t most_bytes);

}  // namespace ha
