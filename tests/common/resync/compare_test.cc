// SPDX-License-Identifier: MIT
#include "common/resync/compare.h"

#include <gtest/gtest.h>

#include "common/text.h"

namespace ha {
namespace {

constexpr double kBefore_s = 1000;

RowActivity before() { return {kBefore_s, 100, 50, 0, 7, 7, {"b.1", 10}}; }

// Ten rows were inserted and five deleted until the source was counted, in whatever tables.
RowActivity after() { return {kBefore_s + 5, 110, 55, 0, 7, 7, {"b.1", 20}}; }

RowCounts counts(const std::map<std::string, TableRows>& tables,
                 const RowActivity& activity = after()) {
  return {tables, activity};
}

std::string faults(const TableRows& source, const TableRows& copy) {
  return join(compare_rows(counts({{"t", source}}), "db1", counts({{"t", copy}}), before()).faults,
              "; ");
}

TEST(CompareRowsTest, ATableThatWasNotWrittenHasToBeEqual) {
  for (const double written_s : {0.0, kBefore_s - 60}) {
    EXPECT_EQ(faults({500, written_s}, {500}), "");
    EXPECT_EQ(faults({500, written_s}, {499}), "t has 499 rows, db1 has 500 rows");
    EXPECT_EQ(faults({500, written_s}, {0}), "t has 0 rows, db1 has 500 rows");
    EXPECT_EQ(faults({500, written_s}, {501}), "t has 501 rows, db1 has 500 rows");
  }
}

TEST(CompareRowsTest, ATableThatWasWrittenDiffersByWhatTheServerCountedAtMost) {
  const double written_s = kBefore_s + 1;
  for (const double rows : {490, 500, 505}) EXPECT_EQ(faults({500, written_s}, {rows}), "") << rows;
  for (const double rows : {0, 489, 506}) EXPECT_NE(faults({500, written_s}, {rows}), "") << rows;
  // Its clock counts seconds.
  EXPECT_EQ(faults({500, kBefore_s - 1}, {490}), "");
}

TEST(CompareRowsTest, WhatWasNotCommittedBeforeCountsToo) {
  RowActivity open = before();
  open.open = 300;
  const auto compare = [&](double rows) {
    return compare_rows(counts({{"t", {500, kBefore_s + 1}}}), "db1", counts({{"t", {rows}}}), open)
        .faults.size();
  };
  EXPECT_EQ(compare(190), 0);
  EXPECT_EQ(compare(189), 1);
}

TEST(CompareRowsTest, CascadesAreNotCounted) {
  EXPECT_EQ(faults({500, kBefore_s + 1, 0, true}, {9000}), "");
  EXPECT_NE(faults({500, kBefore_s + 1, 0, true}, {0}), "");
  EXPECT_NE(faults({500, 0, 0, true}, {9000}), "");
}

TEST(CompareRowsTest, ATableThatOnlyOneHas) {
  const RowCounts none = counts({}), one = counts({{"t", {500}}});
  EXPECT_EQ(compare_rows(one, "db1", none, before()).faults,
            std::vector<std::string>{"t is missing, db1 has 500 rows"});
  // However young it is: nothing was created since.
  const RowCounts young = counts({{"t", {500, kBefore_s, kBefore_s}}});
  EXPECT_EQ(compare_rows(young, "db1", none, before()).faults.size(), 1);
  EXPECT_EQ(compare_rows(none, "db1", one, before()).faults,
            std::vector<std::string>{"t has 500 rows, db1 has no such table"});
}

// Compares while tables are created, truncated and dropped, or renamed and altered.
Differences compare_altered(const std::map<std::string, TableRows>& source,
                            const std::map<std::string, TableRows>& copy, bool renamed) {
  RowActivity activity = after();
  ++(renamed ? activity.renamed : activity.emptied);
  return compare_rows(counts(source, activity), "db1", counts(copy), before());
}

TEST(CompareRowsTest, WhileTablesAreMadeAndEmptiedOnlyThoseAreUncertain) {
  const double now_s = kBefore_s + 1;
  const Differences found = compare_altered(
      {{"cut", {500, now_s}},
       {"missing", {500, now_s}},
       {"new", {3, now_s, now_s}},
       {"still", {500}},
       {"truncated", {0, now_s}}},
      {{"cut", {0}}, {"dropped", {1}}, {"still", {499}}, {"truncated", {500}}}, false);
  EXPECT_EQ(join(found.faults, "; "),
            "cut has 0 rows, db1 has 500 rows; missing is missing, db1 has 500 rows; still has 499 "
            "rows, db1 has 500 rows");
  EXPECT_EQ(join(found.unknown, "; "),
            "new is missing, db1 has 3 rows; truncated has 500 rows, db1 has 0 rows; dropped has 1 "
            "rows, db1 has no such table");
}

TEST(CompareRowsTest, WhileTablesAreRenamedOnlyWhatIsStillIsCertain) {
  const Differences found =
      compare_altered({{"new", {3}}, {"swapped", {500, 0, kBefore_s + 1}}, {"still", {500}}},
                      {{"old", {3}}, {"swapped", {0}}, {"still", {499}}}, true);
  EXPECT_EQ(join(found.faults, "; "), "still has 499 rows, db1 has 500 rows");
  EXPECT_EQ(found.unknown.size(), 3);
}

TEST(CompareRowsTest, WhatCannotBeCounted) {
  EXPECT_EQ(faults({500}, {std::nullopt}), "t has rows that cannot be counted, db1 has 500 rows");
  EXPECT_EQ(faults({std::nullopt}, {500}), "");
}

TEST(LastBeforeTest, IsTheNewestThatWasReadBeforeTheMoment) {
  const std::vector<RowActivity> read = {{1, 0, 0, 0, 0, 0, {"b.9", 4}},
                                         {2, 0, 0, 0, 0, 0, {"b.9", 90}},
                                         {3, 0, 0, 0, 0, 0, {}},
                                         {4, 0, 0, 0, 0, 0, {"b.10", 4}}};
  EXPECT_EQ(last_before(read, {"b.10", 5}).time_s, 4);
  EXPECT_EQ(last_before(read, {"b.10", 4}).time_s, 2);
  EXPECT_EQ(last_before(read, {"b.9", 4}).time_s, 1);
  EXPECT_EQ(last_before(read, {"b.1", 4}).time_s, 1);
}

}  // namespace
}  // namespace ha
