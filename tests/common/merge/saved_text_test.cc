// SPDX-License-Identifier: MIT
// What the servers' own tools have printed (tests/data/binlog), and what damage makes of it.
#include "common/merge/saved_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "common/merge/json_binary.h"
#include "common/text.h"

namespace ha {
namespace {

std::string content_of_file(const std::string& name) {
  std::ifstream file(HA_TEST_DATA "/binlog/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string words(const LoggedRow& row) {
  std::vector<std::string> values;
  for (const LoggedValue& one : row)
    values.push_back(!one.logged ? "-" : one.value ? *one.value : "NULL");
  return join(values, "|");
}

struct ReadText {
  std::vector<std::string> rows = {}, statements = {};
  Result<SavedTextCounts> counts = SavedTextCounts{};
};

ReadText read(const std::string& content) {
  ReadText text;
  std::istringstream stream(content);
  text.counts = read_saved_text(
      stream,
      {[](LoggedTable& table) -> Result<Done> {
         if (table.table == "every") {
           table.columns[4].has_no_sign = true;
           table.columns[20].padded = 4;
         }
         return Done{};
       },
       [&](const LoggedTable& table, const RowChange& change) -> Result<Done> {
         text.rows.push_back(table.name() + " " + words(change.before) + ">" + words(change.after));
         return Done{};
       },
       [&](const SavedStatement& statement) -> Result<Done> {
         text.statements.push_back(statement.database + ":" + statement.text);
         return Done{};
       }});
  return text;
}

class SavedTextTest : public testing::TestWithParam<const char*> {};

TEST_P(SavedTextTest, EveryValueIsExact) {
  const ReadText text = read(content_of_file(GetParam()));
  ASSERT_TRUE(text.counts) << text.counts.error().text;
  EXPECT_EQ(text.counts->transactions, 10U);
  EXPECT_EQ(text.counts->rolled_back, 0U);
  ASSERT_EQ(text.rows.size(), 8U);
  const std::string first =
      "shop.every >1|2023-11-14 22:13:20.123|-5|-9223372036854775808|18446744073709551615|"
      "-1234567890.000000000000000000000000000001|1.100000023841858|-1e-301|12.345|"
      "9223372036854775809|2|5|0000-00-00|2023-11-14 22:13:20.000001|-838:59:58.999|2023|"
      "🐬 it's \\ \"\n|caf\xe9|\x20\xac|ab|";
  EXPECT_EQ(text.rows[0].substr(0, first.size()), first);
  const std::string bytes = "|" + std::string("\0\1\0\0", 4) + "|" + std::string("\0\xff'", 3) +
                            "|ééé|" + std::string("\0\1\2\xff'", 5) + "|{\"a\": [1, -2, 1.5, 1e";
  EXPECT_NE(text.rows[0].find(bytes), std::string::npos);
  EXPECT_EQ(text.rows[2], "shop.item >1|a");
  EXPECT_EQ(text.rows[5], "shop.item 2|b>20|bb");
  EXPECT_EQ(text.rows[6], "shop.item 3|c>");
  const std::string third = "shop.every >3|NULL|NULL|NULL|NULL|0.500000000000000000000000000000";
  EXPECT_EQ(text.rows[7].substr(0, third.size()), third);
  EXPECT_NE(text.rows[7].find("|0000-00-00 00:00:00.000000|-00:00:00.500|"), std::string::npos);
  ASSERT_EQ(text.statements.size(), 4U) << join(text.statements, "\n");
  EXPECT_EQ(text.statements[0], ":CREATE DATABASE shop");
  EXPECT_EQ(text.statements[3], ":TRUNCATE TABLE shop.item");
}

TEST_P(SavedTextTest, DamageIsFound) {
  const std::string whole = content_of_file(GetParam());
  const std::size_t begin = whole.find("BINLOG '", whole.find("CREATE TABLE shop.item")) + 9;
  for (const std::size_t at : {begin + 1, begin + 30, begin + 70, begin + 160}) {
    std::string bad = whole;
    bad[at] = bad[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(read(bad).counts) << at;
    bad[at] = '*';
    EXPECT_FALSE(read(bad).counts) << at;
    const ReadText cut = read(whole.substr(0, at));
    ASSERT_FALSE(cut.counts) << at;
    EXPECT_EQ(cut.counts.error().code, Errc::kBadData);
  }
}

INSTANTIATE_TEST_SUITE_P(Flavours, SavedTextTest,
                         testing::Values("mariadb-10.11.sql", "mysql-9.sql"));

TEST(SavedTextTest, WhatIsNoEventIsRefused) {
  const std::string front = "DELIMITER /*!*/;\n";
  for (const char* const text :
       {"BINLOG '\nAAAA\n'/*!*/;\n", "BINLOG '\nAAA\n'/*!*/;\n", "BINLOG '\n", "SELECT 1",
        "BINLOG '\n////////////////////////////\n'/*!*/;\n", "BINLOG @a, @b/*!*/;\n",
        "SET @binlog_fragment_0='AAAA'/*!*/;\n", "DELIMITER \n",
        // Rows of a table that was not described, and a description without a format before it.
        "BINLOG '\nI9sNax46UQAAIwAAAMsHAAAAAG0AAAAAABEAAgAc/////wAAAAA=\n'/*!*/;\n"})
    EXPECT_FALSE(read(front + text).counts) << text;
  EXPECT_TRUE(read("").counts);
}

TEST(SavedTextTest, StatementsOfAnyLengthNeedNoMemory) {
  const std::string front =
      "SET @@SESSION.GTID_NEXT= 'a:1'/*!*/;\nuse `shop`/*!*/;\nBEGIN\n/*!*/;\n";
  const ReadText text = read("DELIMITER /*!*/;\n" + front + "INSERT INTO item\n# no comment\n" +
                             std::string(300'000, 'x') + "\n/*!*/;\nROLLBACK\n/*!*/;\n# " +
                             std::string(200'000, 'y') + "\nDELETE FROM a/*!*/;\n");
  ASSERT_TRUE(text.counts) << text.counts.error().text;
  ASSERT_EQ(text.statements.size(), 2U);
  EXPECT_EQ(text.statements[0].substr(0, 36), "shop:INSERT INTO item\n# no comment\nx");
  EXPECT_LE(text.statements[0].size(), 70'000U);
  EXPECT_EQ(text.statements[1], "shop:DELETE FROM a");
}

TEST(JsonBinaryTest, WhatIsNoDocumentIsRefused) {
  EXPECT_EQ(*json_text(""), "null");
  EXPECT_EQ(*json_text(std::string("\x0c\x02\"\\", 4)), R"("\"\\")");
  EXPECT_EQ(*json_text(std::string("\x0b\0\0\0\0\0\0\xf0\x3f", 9)), "1.0");
  for (const std::string& bytes :
       {std::string("\x0c\x05"
                    "ab"),
        std::string("\x04\x03"), std::string("\x0f\x0a\x08"), std::string("\x05\x01"),
        // An array that holds itself.
        std::string("\x02\x01\0\x07\0\x02\0\0", 8)})
    EXPECT_FALSE(json_text(bytes)) << bytes;
}

}  // namespace
}  // namespace ha
