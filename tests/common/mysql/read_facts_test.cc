// SPDX-License-Identifier: MIT
#include "common/mysql/read_facts.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

Rows origins(std::vector<std::string> words) {
  Rows rows{{"origin"}, {}};
  for (std::string& word : words) rows.cells.push_back({std::move(word)});
  return rows;
}

ServerFacts read(const char* greeting, Result<Rows> answer) {
  FakeSession session(greeting);
  session.answer("origin", std::move(answer));
  ServerFacts facts;
  facts.version = session.version();
  EXPECT_TRUE(read_read_only_origin(session, facts));
  return facts;
}

ReadOnlyOrigin origin(const char* greeting, std::vector<std::string> words) {
  return read(greeting, origins(std::move(words))).read_only_origin;
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

TEST(ReadOnlyOriginTest, WhatTheServerDoesNotTellIsUnknown) {
  EXPECT_EQ(origin(kMysql, {}), ReadOnlyOrigin::kUnknown);
  EXPECT_EQ(origin(kMysql, {"ELSEWHERE"}), ReadOnlyOrigin::kUnknown);
  EXPECT_EQ(read(kMysql, Error{Errc::kPrivilege, "denied"}).read_only_origin,
            ReadOnlyOrigin::kUnknown);
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

}  // namespace
}  // namespace ha
