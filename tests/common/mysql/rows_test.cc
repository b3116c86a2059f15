// SPDX-License-Identifier: MIT
#include "common/mysql/rows.h"

#include <gtest/gtest.h>

#include "tests/builders.h"

namespace ha {
namespace {

TEST(RowTest, AbsentNullAndJunkAreNoValues) {
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

}  // namespace
}  // namespace ha
