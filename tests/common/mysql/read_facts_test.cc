// SPDX-License-Identifier: MIT
#include "common/mysql/read_facts.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

Rows origins(std::vector<std::string> words) {
  Rows rows{{"origin"}, {}};
  for (std::string& word : words) rows.cells.push_back({std::move(word)});
  return rows;
}

ReadOnlySetting read(const char* greeting, Result<Rows> answer) {
  FakeSession session(greeting);
  session.answer("origin", std::move(answer));
  const auto last = read_read_only_origin(session);
  EXPECT_TRUE(last);
  return last ? *last : ReadOnlySetting{};
}

ReadOnlyOrigin origin(const char* greeting, std::vector<std::string> words) {
  return read(greeting, origins(std::move(words))).origin;
}

constexpr char kMariadb[] = "10.11.6-MariaDB", kMysql[] = "9.1.0";

TEST(ReadOnlyOriginTest, EachFlavourSaysItInItsOwnWords) {
  EXPECT_EQ(origin(kMariadb, {"COMPILE-TIME"}), ReadOnlyOrigin::kDefault);
  EXPECT_EQ(origin(kMariadb, {"CONFIG"}), ReadOnlyOrigin::kOptionFile);
  EXPECT_EQ(origin(kMariadb, {"COMMAND-LINE"}), ReadOnlyOrigin::kOptionFile);
  EXPECT_EQ(origin(kMariadb, {"SQL"}), ReadOnlyOrigin::kSql);
  EXPECT_EQ(origin(kMysql, {"COMPILED", "COMPILED"}), ReadOnlyOrigin::kDefault);
  EXPECT_EQ(origin(kMysql, {"COMMAND_LINE", "COMPILED"}), ReadOnlyOrigin::kOptionFile);
  EXPECT_EQ(origin(kMysql, {"SERVER", "PERSISTED"}), ReadOnlyOrigin::kPersisted);
  EXPECT_EQ(origin(kMysql, {"DYNAMIC", "COMPILED"}), ReadOnlyOrigin::kSql);
}

TEST(ReadOnlyOriginTest, MysqlTellsWhenItWasSetLast) {
  const Rows rows{{"origin", "set_at"},
                  {{"DYNAMIC", "2026-11-30 09:00:00.000002"},
                   {"COMPILED", std::nullopt},
                   {"DYNAMIC", "2026-11-30 09:00:00.000001"}}};
  EXPECT_EQ(read(kMysql, rows).at, "2026-11-30 09:00:00.000002");
  EXPECT_EQ(read(kMariadb, origins({"SQL"})).at, "");
}

TEST(ReadOnlyOriginTest, WhatTheServerDoesNotTellIsUnknown) {
  EXPECT_EQ(origin(kMysql, {}), ReadOnlyOrigin::kUnknown);
  EXPECT_EQ(origin(kMysql, {"ELSEWHERE"}), ReadOnlyOrigin::kUnknown);
  EXPECT_EQ(read(kMysql, Error{Errc::kPrivilege, "denied"}).origin, ReadOnlyOrigin::kUnknown);
}

TEST(ReadOnlyOriginTest, ItTellsWhatARestartWouldMake) {
  ServerFacts facts;
  facts.read_only = true;
  EXPECT_FALSE(facts.writable_after_restart());
  facts.read_only_origin = ReadOnlyOrigin::kOptionFile;
  EXPECT_EQ(facts.writable_after_restart(), false);
  facts.read_only_origin = ReadOnlyOrigin::kSql;
  EXPECT_FALSE(facts.writable_after_restart());
  facts.read_only = false;
  facts.read_only_origin = ReadOnlyOrigin::kDefault;
  EXPECT_EQ(facts.writable_after_restart(), true);
}

// As an account with REPLICATION CLIENT alone sees a server that has a group's name in its
// settings.
ServerFacts of_unknown_group(const char* read_only, Rows channels) {
  FakeSession session("9.7.4");
  session
      .answer("SHOW GLOBAL VARIABLES",
              Rows{{"Variable_name", "Value"},
                   {{"server_id", "2"},
                    {"read_only", read_only},
                    {"group_replication_group_name", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"}}})
      .answer("replication_group_members", Error{Errc::kPrivilege, "denied"})
      .answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}))
      .answer("gtid_mode", rows_of({{{"mode", "OFF"}, {"executed", ""}, {"purged", ""}}}))
      .answer("SHOW REPLICA STATUS", std::move(channels))
      .answer("performance_schema", Rows{});
  const auto facts = read_server_facts(session);
  EXPECT_TRUE(facts) << facts.error().text;
  return facts ? *facts : ServerFacts{};
}

TEST(ReadFactsTest, AGroupThatIsNotKnownIsAGapWhereNothingElseBringsChanges) {
  const ServerFacts alone = of_unknown_group("ON", Rows{});
  EXPECT_EQ(alone.unread.size(), 1u);
  for (const ServerFacts& facts :
       {of_unknown_group("OFF", Rows{}), of_unknown_group("ON", rows_of({mysql_row()}))}) {
    EXPECT_TRUE(facts.unread.empty());
    ASSERT_FALSE(facts.notes.empty());
    EXPECT_TRUE(facts.notes[0].starts_with("its replication group is unknown: denied; run: GRANT"));
  }
}

// The statement would not be answered before a replica comes.
TEST(ReadFactsTest, AMariadbWhoseCommitsWaitIsNotAskedWhereItsBinlogEnds) {
  const struct {
    const char *greeting, *waiting;
    bool semi_sync, asked;
  } cases[] = {{kMariadb, "1", true, false},
               {kMariadb, "0", true, true},
               {kMariadb, "1", false, true},
               {kMysql, "1", true, true}};
  for (const auto& c : cases) {
    FakeSession session(c.greeting);
    session.answer("semi-sync ACK", Rows{{"waiting"}, {{c.waiting}}})
        .answer("STATUS", Rows{{"File", "Position"}, {{"binlog.000001", "4"}}});
    ServerFacts facts;
    facts.version = session.version();
    facts.log_bin = true;
    facts.semi_sync.source_active = c.semi_sync;
    ASSERT_TRUE(read_binlog_end(session, facts));
    EXPECT_EQ(facts.binlog.has_value(), c.asked) << c.greeting << c.waiting << c.semi_sync;
    EXPECT_EQ(facts.notes.empty(), c.asked);
  }
}

TEST(ReadFactsTest, WhatIsReadAgainLeavesNoOlderHistory) {
  FakeSession session(kMysql);
  session.answer("gtid_mode", rows_of({{{"mode", "OFF"}, {"executed", ""}, {"purged", ""}}}))
      .answer("SHOW", Rows{})
      .answer("performance_schema", Rows{});
  ServerFacts facts;
  facts.version = session.version();
  facts.history_later = MysqlHistory{};
  ASSERT_TRUE(reread_replication(session, facts));
  EXPECT_EQ(facts.latest_history(), History{});
}

}  // namespace
}  // namespace ha
