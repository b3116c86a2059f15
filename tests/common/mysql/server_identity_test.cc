// SPDX-License-Identifier: MIT
#include "common/mysql/server_identity.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

using Cells = std::vector<std::pair<std::string, std::string>>;

Rows variables(const Cells& cells) {
  Rows rows{{"Variable_name", "Value"}, {}};
  for (const auto& [name, value] : cells) rows.cells.push_back({name, value});
  return rows;
}

Result<ServerIdentity> read(const Cells& cells) {
  FakeSession session("10.11.6-MariaDB");
  session.answer("SHOW GLOBAL VARIABLES", variables(cells));
  return read_server_identity(session);
}

TEST(ServerIdentityTest, IsAllThatTellsTwoServersApart) {
  const auto mysql = read({{"server_uuid", "aaaa"}, {"server_id", "1"}, {"read_only", "OFF"}});
  ASSERT_TRUE(mysql);
  EXPECT_EQ(mysql->id, "server_id=1 server_uuid=aaaa");
  EXPECT_EQ(mysql->read_only, false);
  // The copy of a data directory has the UUID of its origin, MariaDB has none.
  const Cells maria = {{"datadir", "/d"}, {"hostname", "h"}, {"port", "3306"}, {"server_id", "1"}};
  for (const Cells& one : {Cells{{"server_uuid", "aaaa"}, {"server_id", "1"}}, maria})
    for (std::size_t i = 0; i < one.size(); ++i) {
      Cells other = one;
      other[i].second += "2";
      EXPECT_EQ(read(one)->id, read(one)->id);
      EXPECT_NE(read(one)->id, read(other)->id) << one[i].first;
    }
}

TEST(ServerIdentityTest, WhateverReadOnlySaysButOffRefusesWrites) {
  const struct {
    const char* value;
    bool want;
  } cases[] = {{"OFF", false}, {"0", false}, {"ON", true}, {"1", true}, {"NO_LOCK_NO_ADMIN", true}};
  for (const auto& c : cases)
    EXPECT_EQ(read({{"server_id", "1"}, {"read_only", c.value}})->read_only, c.want) << c.value;
  EXPECT_EQ(read({{"server_id", "1"}})->read_only, std::nullopt);
}

TEST(ServerIdentityTest, AServerThatTellsNothingHasNone) {
  EXPECT_EQ(read({}).error().code, Errc::kBadData);
  FakeSession lost("8.4.0");
  lost.answer("SHOW", Error{Errc::kUnreachable, "db2: lost"});
  EXPECT_EQ(read_server_identity(lost).error().code, Errc::kUnreachable);
}

}  // namespace
}  // namespace ha
