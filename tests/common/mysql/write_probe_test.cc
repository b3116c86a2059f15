// SPDX-License-Identifier: MIT
#include "common/mysql/write_probe.h"

#include <gtest/gtest.h>

#include <semaphore>

#include "common/parallel.h"
#include "tests/builders.h"
#include "tests/fakes/deadline_in.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

std::shared_ptr<FakeSession> server(Result<Rows> update, const char* row_count = "1") {
  auto session = std::make_shared<FakeSession>("9.7.4");
  session->answer("SET SESSION", Rows{})
      .answer("UPDATE", std::move(update))
      .answer("ROW_COUNT", rows_of({{{"n", row_count}}}))
      .answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}));
  return session;
}

ProbeResult try_one(const std::shared_ptr<SqlSession>& session, double left_s = 4) {
  ThreadWorkers workers;
  return try_writes(workers, {{session, 7}}, "ha.beat", deadline_in(left_s)).at(0);
}

TEST(WriteProbeTest, ASessionThatIsLostProvesNothing) {
  const ProbeResult result = try_one(nullptr);
  EXPECT_EQ(result.refused, "");
  EXPECT_EQ(result.unknown, "--write-probe: the server answers too slowly");
}

TEST(WriteProbeTest, UpdatesTheServersOwnRowOnceWithinABound) {
  const auto session = server(Rows{});
  const ProbeResult result = try_one(session);
  EXPECT_EQ(result.refused + result.unknown, "");
  ASSERT_EQ(session->asked.size(), 3u);
  EXPECT_EQ(session->asked[0],
            "SET SESSION autocommit = 1, SESSION lock_wait_timeout = 2,"
            " SESSION innodb_lock_wait_timeout = 2");
  EXPECT_EQ(session->asked[1],
            "UPDATE `ha`.`beat` SET ts = DATE_FORMAT(NOW(6), '%Y-%m-%dT%H:%i:%s.%f') WHERE "
            "server_id = 7");
}

TEST(WriteProbeTest, WhatTheServerAnswersIsARefusalOrAGap) {
  const struct {
    Result<Rows> update;
    const char *rows, *refused, *unknown;
  } cases[] = {
      {Error{Errc::kBadData, "db1: Lock wait timeout exceeded", 1205}, "1",
       "the write probe of ha.beat failed: db1: Lock wait timeout exceeded", ""},
      {Error{Errc::kUnreachable, "db1: lost", 2013}, "1",
       "the write probe of ha.beat failed: db1: lost", ""},
      {Error{Errc::kPrivilege, "db1: denied", 1142}, "1", "",
       "--write-probe: db1: denied; run: GRANT SELECT, UPDATE ON `ha`.`beat` TO 'mon'@'%'"},
      {Error{Errc::kMissing, "db1: no such table", 1146}, "1", "",
       "--write-probe: db1: no such table; run: CREATE TABLE `ha`.`beat` (ts VARCHAR(26) NOT NULL, "
       "server_id INT UNSIGNED NOT NULL PRIMARY KEY)"},
      {Rows{}, "0", "",
       "--write-probe: ha.beat has no row of the server; run: INSERT INTO `ha`.`beat` (ts, "
       "server_id) VALUES (NOW(6), 7)"},
  };
  for (const auto& c : cases) {
    const ProbeResult result = try_one(server(c.update, c.rows));
    EXPECT_EQ(result.refused, c.refused);
    EXPECT_EQ(result.unknown, c.unknown);
  }
}

// As one that waits for disk space does.
class HungSession : public FakeSession {
 public:
  HungSession() : FakeSession("9.7.4") {}
  Result<Rows> query(const std::string&) override {
    released.acquire();
    return Rows{};
  }
  std::counting_semaphore<> released{0};
};

TEST(WriteProbeTest, WhoDoesNotAnswerInTimeTakesNoWrites) {
  const auto session = std::make_shared<HungSession>();
  EXPECT_EQ(try_one(session, 2).refused, "the write probe of ha.beat did not end within 1.6s");
  session->released.release(9);
}

// What lasts 0.3 s proves nothing.
TEST(WriteProbeTest, WithoutTimeNothingIsWrittenAndNothingSaid) {
  const auto session = server(Rows{});
  const ProbeResult result = try_one(session, 1.5);
  EXPECT_EQ(result.refused, "");
  EXPECT_EQ(result.unknown, "--write-probe: no time is left for it; give more (-t)");
  EXPECT_TRUE(session->asked.empty());
}

TEST(WriteProbeTest, WhatThisMachineLacksIsNoRefusal) {
  const auto result = our_own_want<ProbeResult>("no thread is left");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->refused, "");
  EXPECT_EQ(result->unknown, std::string("--write-probe: no thread is left") + kOwnWant);
}

}  // namespace
}  // namespace ha
