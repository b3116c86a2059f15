// SPDX-License-Identifier: MIT
#include "common/merge/difference.h"

#include <algorithm>
#include <utility>

#include "common/text.h"

namespace ha {

Result<RowTallies> tally_rows(const Rows& rows) {
  RowTallies tallies;
  tallies.reserve(rows.cells.size());
  for (const auto& cells : rows.cells) {
    if (cells.size() < 3 || !cells[0] || !cells[1] || !cells[2])
      return Error{Errc::kBadData, "a row has no digest: its text exceeds max_allowed_packet"};
    const auto copies = parse_integer(*cells[1]), bytes = parse_integer(*cells[2]);
    if (!copies || !bytes) return Error{Errc::kBadData, "a row is not counted by a number"};
    RowTally& tally = tallies[*cells[0]];
    tally.copies += static_cast<std::uint64_t>(*copies);
    tally.bytes = static_cast<std::uint64_t>(*bytes);
  }
  return tallies;
}

std::uint64_t count_of(const RowTallies& tallies) {
  std::uint64_t sum = 0;
  for (const auto& [digest, tally] : tallies) sum += tally.copies;
  return sum;
}

std::vector<MissingRows> find_missing(const RowTallies& theirs, const RowTallies& ours) {
  std::vector<MissingRows> missing;
  for (const auto& [digest, tally] : theirs) {
    const auto found = ours.find(digest);
    const std::uint64_t there = found == ours.end() ? 0 : found->second.copies;
    if (there < tally.copies) missing.push_back({digest, tally.copies - there, tally.bytes});
  }
  std::ranges::sort(missing, {}, &MissingRows::digest);
  return missing;
}

std::vector<std::vector<MissingRows>> cut_into_pieces(std::vector<MissingRows> missing,
                                                      std::size_t most_rows,
                                                      std::uint64_t most_bytes) {
  std::vector<std::vector<MissingRows>> pieces;
  std::uint64_t bytes = 0;
  for (MissingRows& one : missing) {
    if (pieces.empty() || pieces.back().size() == most_rows || bytes + one.bytes > most_bytes) {
      pieces.emplace_back();
      bytes = 0;
    }
    bytes += one.bytes;
    pieces.back().push_back(std::move(one));
  }
  return pieces;
}

}  // namespace ha
