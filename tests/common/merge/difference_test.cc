// SPDX-License-Identifier: MIT
#include "common/merge/difference.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(DifferenceTest, IsThatOfMultisets) {
  const RowTallies theirs{{"a", {1, 0}}, {"b", {3, 10}}, {"c", {2, 0}}, {"d", {1, 0}}};
  const RowTallies ours{{"a", {1, 0}}, {"b", {1, 10}}, {"c", {5, 0}}, {"e", {9, 0}}};
  const auto missing = find_missing(theirs, ours);
  ASSERT_EQ(missing.size(), 2u);
  EXPECT_EQ(missing[0].digest, "b");
  EXPECT_EQ(missing[0].copies, 2u);
  EXPECT_EQ(missing[1].digest, "d");
  EXPECT_EQ(count_of(theirs), 7u);
  EXPECT_TRUE(find_missing(theirs, theirs).empty());
}

TEST(DifferenceTest, RowsOfOneContentAreCounted) {
  const Rows rows{{"digest", "copies", "bytes"},
                  {{"x", "1", "4"}, {"y", "3", "5"}, {"x", "1", "4"}}};
  const auto tallies = tally_rows(rows);
  ASSERT_TRUE(tallies);
  EXPECT_EQ(tallies->at("x").copies, 2u);
  EXPECT_EQ(tallies->at("y").copies, 3u);
  // What a server could not compute is no content.
  EXPECT_FALSE(tally_rows({{"digest", "copies", "bytes"}, {{std::nullopt, "1", "4"}}}));
}

TEST(DifferenceTest, PiecesAreBoundedAndHoldARowAtLeast) {
  const std::vector<MissingRows> missing{{"a", 1, 5}, {"b", 1, 5}, {"c", 1, 50},
                                         {"d", 1, 1}, {"e", 1, 1}, {"f", 1, 1}};
  const auto pieces = cut_into_pieces(missing, 2, 10);
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[0].size(), 2u);
  EXPECT_EQ(pieces[1].size(), 1u);
  EXPECT_EQ(pieces[2].size(), 2u);
  EXPECT_EQ(pieces[3].size(), 1u);
  EXPECT_TRUE(cut_into_pieces({}, 2, 10).empty());
}

}  // namespace
}  // namespace ha
