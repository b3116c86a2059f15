// SPDX-License-Identifier: MIT
#include "common/mysql/heartbeat_table.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

TEST(HeartbeatTableTest, ReadsAgesByTheServersClock) {
  FakeSession session("10.11.6-MariaDB");
  session.answer("heartbeat", rows_of({heartbeat_row("11", 0.25), heartbeat_row("12", -1.5)}));
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
      {{}, "UNIX_TIMESTAMP(CAST(ts AS DATETIME(6)))"},
      {{.utc = true}, "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ts)"},
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
  session.answer("heartbeat", rows_of({heartbeat_row("11", std::nullopt, "yester|day")}));
  const auto rows = read_heartbeat_table(session, {});
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Errc::kBadData);
  EXPECT_EQ(rows.error().text,
            "heartbeat.heartbeat: the stamp of server 11 is no time: 'yester day'");
}

TEST(HeartbeatTableTest, OfTwoAgesTheOneNearerToWhatTheServerSaysIsTaken) {
  const HeartbeatRow once{1, 7}, twice{1, 7, {}, 3607};
  EXPECT_EQ(age_near(once, std::nullopt), 7);
  EXPECT_EQ(age_near(twice, std::nullopt), std::nullopt);
  EXPECT_EQ(age_near(twice, 3), 7);
  EXPECT_EQ(age_near(twice, 3500), 3607);
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
