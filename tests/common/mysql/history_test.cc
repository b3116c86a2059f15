// SPDX-License-Identifier: MIT
#include "common/mysql/history.h"

#include <gtest/gtest.h>

#include "common/mysql/drain.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

History mysql(std::string_view executed, std::string_view retrieved = "") {
  return MysqlHistory{gtids(executed), {}, gtids(retrieved)};
}

History mariadb(std::uint32_t id, std::string_view state, std::string_view received = "") {
  return MariadbHistory{id, *MariadbGtids::parse(state),   {}, {},
                        {}, *MariadbGtids::parse(received)};
}

TEST(HistoryTest, WhatWasReceivedCountsAsHad) {
  EXPECT_EQ(extra(mysql("#1:1-5", "#1:6-9"), mysql("#1:1-5"))->count, 4u);
  EXPECT_FALSE(extra(mysql("#1:1-5"), mysql("#1:1-3", "#1:4-5"))->any());
  EXPECT_EQ(extra(mariadb(2, "0-1-5", "0-1-9"), mariadb(3, "0-1-5"))->count, 4u);
  EXPECT_EQ(unapplied(mysql("#1:1-5", "#1:4-9")), 4u);
  EXPECT_EQ(unapplied(mariadb(2, "0-1-5", "0-1-9")), 4u);
}

TEST(HistoryTest, OnlyHistoriesOfOneKindAreCompared) {
  EXPECT_FALSE(extra(History{}, mysql("#1:1")));
  EXPECT_FALSE(extra(mysql("#1:1"), History{}));
  EXPECT_FALSE(extra(mysql("#1:1"), mariadb(1, "0-1-1")));
  EXPECT_FALSE(unapplied(History{}));
}

TEST(HistoryTest, BuriedTransactionsAreCountedAtLeastOnce) {
  const auto buried = extra(mariadb(2, "0-1-100,0-2-53"), mariadb(1, "0-1-100"));
  EXPECT_EQ(buried->count, 1u);
  EXPECT_TRUE(buried->at_least);
  EXPECT_EQ(buried->text, "0-2-53");
  const auto on_top = extra(mariadb(2, "0-1-100,0-2-103"), mariadb(1, "0-1-100"));
  EXPECT_EQ(on_top->count, 3u);
  EXPECT_FALSE(on_top->at_least);
}

TEST(HistoryTest, AnOldServersTransactionsAreNotMissedWhereItWasNeverMet) {
  EXPECT_FALSE(extra(mariadb(2, "0-1-100,0-7-53"), mariadb(1, "0-1-100"))->any());
  // Known and shorter is another matter: those are missing.
  EXPECT_EQ(extra(mariadb(2, "0-7-53,0-1-100"), mariadb(1, "0-7-50,0-1-100"))->text, "0-7-53");
}

Extra lost(const History& whose, const History& other) {
  return lost_own(whose, uuid_of(1), other);
}

TEST(HistoryTest, WhatAServerHasLostOfItsOwnIsTold) {
  EXPECT_EQ(lost(mysql("#1:1-5,#2:1"), mysql("#1:1-10,#2:1-9")).count, 5u);
  EXPECT_EQ(lost(mysql("#1:1-5"), mysql("#1:1-5", "#1:6-7")).text, gtids("#1:6-7").print());
  EXPECT_FALSE(lost(mysql("#1:1-10"), mysql("#1:1-9,#2:1-9")).any());
  EXPECT_EQ(lost(mariadb(1, "0-1-5"), mariadb(2, "0-1-10")).count, 5u);
  EXPECT_EQ(lost(mariadb(1, ""), mariadb(2, "0-1-10")).text, "0-1-10");
  EXPECT_EQ(lost(mariadb(1, "0-1-5"), mariadb(2, "0-1-5", "0-1-9")).text, "0-1-9");
  EXPECT_FALSE(lost(mariadb(1, "0-1-10"), mariadb(2, "0-1-9,0-2-20")).any());
  EXPECT_FALSE(lost(History{}, mysql("#1:1")).any());
  EXPECT_FALSE(lost(mysql("#1:1"), mariadb(1, "0-1-9")).any());
}

TEST(HistoryTest, WhatItHasLostStaysLostWhenItFollowsAgain) {
  EXPECT_TRUE(lost(mariadb(1, "0-1-5,0-2-11"), mariadb(2, "0-1-10,0-2-11")).any());
  EXPECT_TRUE(lost(mariadb(1, "0-1-5", "0-1-10"), mariadb(2, "0-1-10")).any());
  EXPECT_TRUE(lost(mysql("#1:1-5,#2:1-9"), mysql("#1:1-10,#2:1-9")).any());
}

TEST(HistoryTest, ACopyThatWasFurtherHasLostNothing) {
  MariadbHistory copy{1, {}};
  copy.applied_position = *MariadbGtids::parse("0-2-20");
  EXPECT_FALSE(lost(copy, mariadb(2, "0-1-10,0-2-20")).any());
  EXPECT_TRUE(lost(copy, mariadb(2, "1-1-10,0-2-20")).any());
  EXPECT_TRUE(lost(copy, mariadb(2, "0-1-30,0-2-20")).any());
}

// Deleted by FLUSH BINARY LOGS DELETE_DOMAIN_ID, or of another cluster whose server has the number.
TEST(HistoryTest, ADomainThatAServerDoesNotKnowIsNoLoss) {
  EXPECT_FALSE(lost(mariadb(1, "0-1-10"), mariadb(2, "0-1-10,5-1-100")).any());
  EXPECT_FALSE(lost(mariadb(1, "0-1-10", "5-1-100"), mariadb(2, "0-1-10,5-1-100")).any());
  EXPECT_TRUE(lost(mariadb(1, "0-1-10,5-2-3"), mariadb(2, "0-1-10,5-1-100")).any());
  EXPECT_TRUE(lost(mariadb(1, ""), mariadb(2, "0-1-10,5-1-100")).any());
}

TEST(HistoryTest, AnInclusionMakesNoAllowance) {
  EXPECT_TRUE(includes(mysql("#1:1-3", "#1:4-5"), mysql("#1:1-5")));
  EXPECT_FALSE(includes(mysql("#1:1-5"), mysql("#1:1-5,#2:1")));
  EXPECT_TRUE(includes(mariadb(1, "0-1-100,0-7-53"), mariadb(2, "0-1-100")));
  EXPECT_FALSE(includes(mariadb(1, "0-1-100"), mariadb(2, "0-1-100,0-7-53")));
  EXPECT_FALSE(includes(History{}, History{}));
  EXPECT_FALSE(includes(mysql("#1:1"), mariadb(1, "0-1-1")));
}

TEST(HistoryTest, TheExtentGrowsWithTheHistory) {
  EXPECT_LT(extent(mysql("#1:1-5")), extent(mysql("#1:1-5", "#1:6")));
  EXPECT_LT(extent(mariadb(2, "0-1-5")), extent(mariadb(2, "0-1-5,0-2-1")));
  EXPECT_EQ(extent(History{}), 0);
}

TEST(HistoryTest, TransactionsAreCountedInWords) {
  EXPECT_EQ(in_words(0), "0 transactions");
  EXPECT_EQ(in_words(1), "1 transaction");
  EXPECT_EQ(in_words(Extra{1, true}), "at least 1 transaction");
  EXPECT_EQ(in_words(Extra{12}, "errant transaction"), "12 errant transactions");
}

// By numbers where there are any, else by positions.
TEST(DrainTest, AReplicaIsDrainedWhenItHasAppliedWhatItReceived) {
  ChannelStatus equal, behind;
  equal.read = behind.read = {"b.000002", 100};
  equal.executed = {"b.000002", 100};
  behind.executed = {"b.000002", 4};
  const struct {
    bool uses_gtid;
    History history;
    const ChannelStatus& channel;
    bool drained;
    std::optional<std::uint64_t> unapplied;
  } cases[] = {
      {true, mysql("#1:1-5", "#1:4-5"), behind, true, 0},
      {true, mysql("#1:1-5", "#1:4-9"), equal, false, 4},
      {true, mariadb(2, "0-1-5", "0-1-9"), equal, false, 4},
      {true, History{}, equal, true, {}},
      {true, History{}, behind, false, {}},
      {false, mysql("#1:1-5", "#1:4-9"), equal, true, {}},
      {false, mysql("#1:1-5", "#1:4-5"), behind, false, {}},
  };
  for (const auto& c : cases) {
    ChannelStatus channel = c.channel;
    channel.uses_gtid = c.uses_gtid;
    const auto row = &c - cases;
    EXPECT_EQ(is_drained(c.history, channel), c.drained) << row;
    EXPECT_EQ(unapplied(c.history, channel), c.unapplied) << row;
  }
}

TEST(HistoryTest, AUnionHasWhatEitherHas) {
  EXPECT_FALSE(extra(mysql("#1:1-5,#2:1"), unite(mysql("#1:1-5"), mysql("", "#2:1")))->any());
  EXPECT_FALSE(
      extra(mariadb(1, "0-1-5,1-2-3"), unite(mariadb(1, "0-1-5"), mariadb(2, "1-1-1", "1-2-3")))
          ->any());
  EXPECT_FALSE(extra(mysql("#1:1"), unite(History{}, mysql("#1:1")))->any());
}

TEST(HistoryTest, InAUnionToo_WhatWasOnlyReceivedIsLost) {
  const History twice = unite(mariadb(1, "0-1-5"), mariadb(1, "0-1-4", "0-1-10"));
  EXPECT_EQ(lost(twice, mariadb(2, "0-1-10")).count, 5u);
}

}  // namespace
}  // namespace ha
