// SPDX-License-Identifier: MIT
#include "common/mysql/session.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

TEST(SessionTest, OneValueIsTheFirstCell) {
  FakeSession session("8.4.0");
  session.answer("read_only", rows_of({{{"x", "1"}}}))
      .answer("empty", Rows{})
      .answer("null", rows_of({{{"x", std::nullopt}}}))
      .answer("gone", Error{Errc::kUnreachable, "db2: lost"});
  const auto value = query_value(session, "SELECT @@read_only");
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, "1");
  EXPECT_EQ(query_value(session, "empty").error().code, Errc::kBadData);
  EXPECT_EQ(query_value(session, "null").error().code, Errc::kBadData);
  EXPECT_EQ(query_value(session, "gone").error().code, Errc::kUnreachable);
}

TEST(SessionTest, TheGrantNamesTheAccountThatLoggedIn) {
  FakeSession session("10.11.6-MariaDB"), mute("10.11.6-MariaDB");
  session.answer("CURRENT_USER", rows_of({{{"u", "mon@it@10.%"}}}));
  EXPECT_EQ(grant_statement(session, "REPLICA MONITOR", "*.*"),
            "GRANT REPLICA MONITOR ON *.* TO 'mon@it'@'10.%'");
  EXPECT_EQ(grant_statement(mute, "SELECT", "a.b"), "GRANT SELECT ON a.b TO 'USER'@'HOST'");
}

}  // namespace
}  // namespace ha
