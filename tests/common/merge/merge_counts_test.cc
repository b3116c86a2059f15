// SPDX-License-Identifier: MIT
#include "common/merge/merge_counts.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(MergeCountsTest, AreTold) {
  const MergeCounts counts{100, 60, 3, 1};
  EXPECT_EQ(
      describe_counts(counts, MergeEffect::kInsert, "db1", "db2"),
      "100 rows of db1: 36 already on db2, 60 added, 3 without a parent, 1 whose key is taken");
  EXPECT_EQ(describe_progress("a.b", counts, 500, MergeEffect::kCount, 10),
            "a.b: 100 of about 500 rows, 60 to be added, 10 rows a second, about 40s left");
  EXPECT_EQ(describe_counts({9, 5, 0, 0, 4}, MergeEffect::kInsert, "db1", "db2"),
            "9 rows of db1: 0 already on db2, 5 added, 0 without a parent, 0 whose key is taken, 4 "
            "refused by db2");
  // The loser may write on.
  EXPECT_EQ(describe_progress("a.b", counts, 90, MergeEffect::kInsert, 0),
            "a.b: 100 of about 90 rows, 60 added, 0 rows a second");
}

}  // namespace
}  // namespace ha
