// SPDX-License-Identifier: MIT
#include "common/repair/split_begin.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ha {
namespace {

// The first bytes of events of one time: a
// Table_map (type 19), and the description of a binlog (type 15).
constexpr char kTableMap[] = "gPQMaxMBAAAA", kDescription[] = "gPQMaw8BAAAA";
constexpr long long kTime = 0x6b0cf480;

TEST(SplitBeginTest, TheTimeStandsInTheFirstBytes) {
  EXPECT_EQ(time_of_event(kTableMap), kTime);
  EXPECT_EQ(time_of_event(kDescription), std::nullopt);
  EXPECT_EQ(time_of_event(""), std::nullopt);
  EXPECT_EQ(time_of_event("gPQMaxM"), std::nullopt);
  EXPECT_EQ(time_of_event("gPQ axMBAAAA"), std::nullopt);
}

std::optional<long long> first(const std::string& text) {
  std::istringstream stream(text);
  return first_write(stream);
}

TEST(SplitBeginTest, TheFirstTransactionTellsIt) {
  const std::string head =
      std::string("BINLOG '\n") + kDescription + "\n'/*!*/;\nSET TIMESTAMP=5/*!*/;\n";
  const std::string mysql = "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'/*!*/;\n";
  const std::string mariadb = "/*M!100101 SET @@session.gtid_seq_no=5*//*!*/;\n";
  const std::string row = std::string("BINLOG '\n") + kTableMap + "\nAAAA\n'/*!*/;\n";
  EXPECT_EQ(first(""), std::nullopt);
  EXPECT_EQ(first(head), std::nullopt);
  EXPECT_EQ(first(head + mysql + "SET TIMESTAMP=1764532572/*!*/;\n" + row), 1764532572);
  EXPECT_EQ(first(head + mariadb + row + "SET TIMESTAMP=1764532572/*!*/;\n"), kTime);
  EXPECT_EQ(first(mysql + head.substr(0, head.find("SET"))), std::nullopt);
  EXPECT_EQ(first("#Q> " + mariadb + row), std::nullopt);
}

}  // namespace
}  // namespace ha
