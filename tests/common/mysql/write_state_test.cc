// SPDX-License-Identifier: MIT
#include "common/mysql/write_state.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

Rows named_values(const Variables& values) {
  Rows rows{{"Variable_name", "Value"}, {}};
  for (const auto& [name, value] : values) rows.cells.push_back({name, value});
  return rows;
}

TEST(WriteStateTest, WhatTheVariablesTell) {
  const struct {
    Flavour flavour;
    Variables variables;
    const char* want;
  } cases[] = {
      {Flavour::kMysql, {{"innodb_read_only", "OFF"}, {"innodb_force_recovery", "0"}}, ""},
      {Flavour::kMysql, {{"innodb_read_only", "ON"}}, "innodb_read_only is ON"},
      {Flavour::kMysql, {{"innodb_force_recovery", "1"}}, "innodb_force_recovery is 1"},
      {Flavour::kMariadb, {{"innodb_force_recovery", "4"}}, ""},
      {Flavour::kMariadb, {{"innodb_force_recovery", "5"}}, "innodb_force_recovery is 5"},
      {Flavour::kMysql, {{"offline_mode", "ON"}}, "offline_mode is ON"},
      {Flavour::kMariadb, {{"wsrep_reject_queries", "NONE"}}, ""},
      {Flavour::kMariadb,
       {{"wsrep_reject_queries", "ALL_KILL"}},
       "wsrep_reject_queries is ALL_KILL"},
      {Flavour::kMariadb,
       {{"innodb_read_only", "ON"}, {"innodb_force_recovery", "6"}},
       "innodb_read_only is ON, innodb_force_recovery is 6"},
  };
  for (const auto& c : cases) EXPECT_EQ(judge_variables(c.variables, c.flavour).text(), c.want);
}

TEST(WriteStateTest, OnlyAReaderOfAuroraSharesItsWritersStorage) {
  Variables variables = {{"aurora_version", "3.04.0"}, {"innodb_read_only", "ON"}};
  EXPECT_TRUE(judge_variables(variables, Flavour::kMysql).gets_changes());
  variables["innodb_read_only"] = "OFF";
  EXPECT_FALSE(judge_variables(variables, Flavour::kMysql).gets_changes());
  EXPECT_FALSE(judge_variables({{"innodb_read_only", "ON"}}, Flavour::kMysql).gets_changes());
}

const Variables kGalera = {{"wsrep_on", "ON"}, {"wsrep_provider", "/usr/lib/libgalera_smm.so"}};

// As MariaDB 10.11.19 with Galera 26.4.23 shows it.
TEST(WriteStateTest, AGaleraNodeIsAskedForItsPart) {
  const struct {
    const char *status, *ready;
    GroupState want;
    const char* reasons;
  } cases[] = {
      {"Primary", "ON", GroupState::kMember, ""},
      {"Primary", "OFF", GroupState::kOutside,
       "wsrep_cluster_status is Primary, wsrep_ready is OFF"},
      {"non-Primary", "OFF", GroupState::kOutside,
       "wsrep_cluster_status is non-Primary, wsrep_ready is OFF"},
      {"Disconnected", "OFF", GroupState::kOutside,
       "wsrep_cluster_status is Disconnected, wsrep_ready is OFF"},
  };
  for (const auto& c : cases) {
    FakeSession session("10.11.19-MariaDB");
    session.answer("SHOW GLOBAL STATUS",
                   named_values({{"wsrep_cluster_status", c.status}, {"wsrep_ready", c.ready}}));
    WriteObstacles obstacles;
    ASSERT_TRUE(read_group(session, kGalera, obstacles));
    EXPECT_EQ(obstacles.group, c.want) << c.status;
    EXPECT_EQ(obstacles.text(), c.reasons);
    EXPECT_EQ(obstacles.outside, c.reasons);
  }
}

const Variables kGroup = {{"group_replication_group_name", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"}};

Fields member(const char* state, const char* own = "0") { return {{"state", state}, {"own", own}}; }

// As MySQL 9.7.4 shows it.
TEST(WriteStateTest, AMemberOfAGroupIsAskedForItsMajority) {
  const struct {
    std::vector<Fields> members;
    GroupState want;
    const char *outside, *reasons;
  } cases[] = {
      {{member("ONLINE", "1"), member("ONLINE"), member("ONLINE")}, GroupState::kMember, "", ""},
      {{member("ONLINE"), member("RECOVERING", "1")}, GroupState::kMember, "", ""},
      {{member("ONLINE", "1"), member("ONLINE"), member("UNREACHABLE")},
       GroupState::kMember,
       "",
       ""},
      {{member("ONLINE", "1"), member("UNREACHABLE"), member("UNREACHABLE")},
       GroupState::kOutside,
       "2 of the 3 members are UNREACHABLE, there is no majority",
       "2 of the 3 members are UNREACHABLE, there is no majority"},
      {{member("OFFLINE", "1")}, GroupState::kOutside, "its MEMBER_STATE is OFFLINE", ""},
      {{member("ERROR", "1"), member("ONLINE")},
       GroupState::kOutside,
       "its MEMBER_STATE is ERROR",
       ""},
      {{}, GroupState::kOutside, "its MEMBER_STATE is OFFLINE", ""},
  };
  for (const auto& c : cases) {
    FakeSession session("9.7.4");
    session.answer("replication_group_members", rows_of(c.members));
    WriteObstacles obstacles;
    ASSERT_TRUE(read_group(session, kGroup, obstacles));
    EXPECT_EQ(obstacles.group, c.want) << c.outside;
    EXPECT_EQ(obstacles.outside, c.outside);
    EXPECT_EQ(obstacles.text(), c.reasons);
  }
}

TEST(WriteStateTest, AGroupThatMayNotBeReadNamesTheGrant) {
  FakeSession session("9.7.4");
  session.answer("replication_group_members", Error{Errc::kPrivilege, "denied"})
      .answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}));
  WriteObstacles obstacles;
  ASSERT_TRUE(read_group(session, kGroup, obstacles));
  EXPECT_EQ(obstacles.group_unread,
            "its replication group is unknown: denied; run: GRANT SELECT ON "
            "performance_schema.replication_group_members TO 'mon'@'%'");
}

TEST(WriteStateTest, WhoIsInNoGroupIsAskedNothing) {
  FakeSession session("10.11.19-MariaDB");
  for (const Variables& variables :
       {Variables{}, Variables{{"wsrep_on", "OFF"}, {"wsrep_provider", "none"}},
        Variables{{"wsrep_on", "ON"}, {"wsrep_provider", "none"}},
        Variables{{"group_replication_group_name", ""}}}) {
    WriteObstacles obstacles;
    ASSERT_TRUE(read_group(session, variables, obstacles));
    EXPECT_EQ(obstacles.group, GroupState::kNone);
  }
  EXPECT_TRUE(session.asked.empty());
}

}  // namespace
}  // namespace ha
