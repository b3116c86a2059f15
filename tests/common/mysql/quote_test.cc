// SPDX-License-Identifier: MIT
#include "common/mysql/quote.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(QuoteTest, QuotesIdentifiersAndStrings) {
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
