// SPDX-License-Identifier: MIT
#include "common/mysql/session.h"

#include <gtest/gtest.h>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

TEST(RowTest, TellsAbsentNullAndJunkFromValues) {
  const Rows rows =
      rows_of({{{"Name", "c1"}, {"Lag", "0.5"}, {"Port", "3306"}, {"Null", std::nullopt}}});
  const Row row(rows, 0);
  EXPECT_EQ(row.text("Name"), "c1");
  EXPECT_EQ(row.text("NAME"), "c1");
  EXPECT_EQ(row.number("Lag"), 0.5);
  EXPECT_EQ(row.integer("Port"), 3306);
  EXPECT_EQ(row.integer("Lag"), std::nullopt);
  EXPECT_EQ(row.number("Name"), std::nullopt);
  EXPECT_TRUE(row.has("Null"));
  EXPECT_EQ(row.text("Null"), std::nullopt);
  EXPECT_FALSE(row.has("Nam"));
  EXPECT_EQ(row.text("Nam"), std::nullopt);
}

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

TEST(SessionTest, OnlySilenceIsNoAnswer) {
  for (const unsigned number : {2002u, 2003u, 2005u, 2006u, 2013u, 2055u, 1053u})
    EXPECT_TRUE(is_no_answer({Errc::kUnreachable, "", number})) << number;
  // A TLS error, an authentication plugin, a login that needs TLS, no TLS where it is required.
  for (const unsigned number : {2026u, 2059u, 2061u, 0u})
    EXPECT_FALSE(is_no_answer({Errc::kUnreachable, "", number})) << number;
  EXPECT_TRUE(is_no_answer({Errc::kUnreachable, "TLS/SSL error: Connection reset (104)", 2026}));
  EXPECT_FALSE(is_no_answer({Errc::kUnreachable, "TLS/SSL error: certificate has expired", 2026}));
  EXPECT_FALSE(is_no_answer({Errc::kRefused, "too many connections", 1040}));
}

TEST(SessionTest, QuotesIdentifiersAndStrings) {
  EXPECT_EQ(quote_identifier("a`b"), "`a``b`");
  EXPECT_EQ(quote_table("ops.beat`s"), "`ops`.`beat``s`");
  EXPECT_EQ(quote_table("beats"), "`beats`");
  EXPECT_EQ(quote_string("plain text"), "'plain text'");
  EXPECT_EQ(quote_string("it's"), "X'69742773'");
  EXPECT_EQ(quote_string("a\\"), "X'615C'");
  EXPECT_EQ(quote_string("\xC3\xBC\n"), "X'C3BC0A'");
  EXPECT_EQ(quote_string(""), "''");
  EXPECT_EQ(quote_text("it's a\\ \xC3\xBC"), "'it''s a\\\\ \xC3\xBC'");
}

}  // namespace
}  // namespace ha
