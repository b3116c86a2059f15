// SPDX-License-Identifier: MIT
#include "common/mysql/heartbeat_table.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

Fields beat(const char* id, std::optional<std::string> age,
            const char* ts = "2026-01-02T03:04:05") {
  return {{"server_id", id}, {"ts", ts}, {"age", std::move(age)}};
}

TEST(HeartbeatTableTest, ReadsAgesByTheServersClock) {
  FakeSession session("10.11.6-MariaDB");
  session.answer("heartbeat", rows_of({beat("11", "0.2500"), beat("12", "-1.5")}));
  const auto rows = read_heartbeat_table(session, {});
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].server_id, 11u);
  EXPECT_EQ((*rows)[0].age_s, 0.25);
  EXPECT_EQ((*rows)[1].age_s, -1.5);
}

TEST(HeartbeatTableTest, AsksForTheRightRowsInTheRightZone) {
  const struct {
    HeartbeatTable table;
    const char* fragment;
  } cases[] = {
      {{}, "FROM `heartbeat`.`heartbeat` WHERE server_id <> @@GLOBAL.server_id"},
      {{.table = "ops.be`at"}, "FROM `ops`.`be``at` "},
      {{.server_id = 7}, "WHERE server_id = 7"},
      {{}, ", NOW(6))"},
      {{.utc = true}, ", UTC_TIMESTAMP(6))"},
  };
  for (const auto& c : cases) {
    FakeSession session("8.4.0");
    session.answer("SELECT", Rows{});
    ASSERT_TRUE(read_heartbeat_table(session, c.table));
    EXPECT_NE(session.asked.at(0).find(c.fragment), std::string::npos) << session.asked[0];
  }
}

TEST(HeartbeatTableTest, AStampThatIsNoTimeIsQuoted) {
  FakeSession session("8.4.0");
  session.answer("heartbeat", rows_of({beat("11", std::nullopt, "yester|day")}));
  const auto rows = read_heartbeat_table(session, {});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Errc::kBadData);
  EXPECT_EQ(rows.error().text,
            "heartbeat.heartbeat: the stamp of server 11 is no time: 'yester day'");
}

TEST(HeartbeatTableTest, ErrorsAreToldApart) {
  FakeSession denied("8.4.0"), missing("8.4.0");
  denied.answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}))
      .answer("heartbeat", Error{Errc::kPrivilege, "db2: denied"});
  EXPECT_EQ(read_heartbeat_table(denied, {}).error().text,
            "db2: denied; run: GRANT SELECT ON `heartbeat`.`heartbeat` TO 'mon'@'%'");
  missing.answer("heartbeat", Error{Errc::kMissing, "db2: no such table"});
  EXPECT_EQ(read_heartbeat_table(missing, {}).error().code, Errc::kMissing);
}

}  // namespace
}  // namespace ha
