// SPDX-License-Identifier: MIT
#include "common/merge/table_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "common/merge/table_sql.h"

namespace ha {
namespace {

constexpr char kAll[] = "select,insert,update,references";

ColumnFacts column(const std::string& name, const std::string& data_type,
                   const std::string& column_type) {
  return {name, data_type, column_type, "", "", "", false, kAll};
}

ColumnFacts text_column(const std::string& name, const std::string& data_type) {
  return {name, data_type, data_type, "utf8mb4", "utf8mb4_bin", "", false, kAll};
}

// A numbered row with a time and a note, and the same on both sides.
TableFacts facts() {
  TableFacts one{"BASE TABLE"};
  one.columns = {column("id", "bigint", "bigint unsigned"), column("at", "bigint", "bigint"),
                 text_column("note", "varchar")};
  one.columns[0].extra = "auto_increment";
  one.indexes = {{"PRIMARY", true, true, {{"id", 0}}}, {"by_time", false, true, {{"at", 0}}}};
  return one;
}

TablePair pair() { return {"db1", "db2", facts(), facts()}; }

MergeTable table() { return {"shop", "item", "at"}; }

std::string refusal(const TablePair& spoilt, const MergeTable& asked = table(),
                    const std::vector<MergeTable>& all = {}) {
  const auto plan = plan_table(asked, spoilt, all);
  return plan ? "" : plan.error().text;
}

TablePair spoilt(const std::function<void(TablePair&)>& spoil) {
  TablePair one = pair();
  spoil(one);
  return one;
}

TEST(TablePlanTest, EqualTablesAreMergedByTheirTime) {
  const auto plan = plan_table(table(), pair(), {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->columns.size(), 3u);
  EXPECT_EQ(plan->from_index, "by_time");
  EXPECT_EQ(plan->to_index, "by_time");
  EXPECT_EQ(plan->time, TimeKind::kEpoch);
  EXPECT_EQ(plan->unique_keys.size(), 1u);
  EXPECT_TRUE(plan->warnings.empty());
}

TEST(TablePlanTest, NumbersThatAreMadeAnewAreNeitherComparedNorInserted) {
  MergeTable asked = table();
  asked.regenerate = "id";
  const auto plan = plan_table(asked, pair(), {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->columns.size(), 2u);
  EXPECT_TRUE(plan->unique_keys.empty());
}

TEST(TablePlanTest, WhatAServerComputesIsLeftOut) {
  const auto both = spoilt([](TablePair& p) {
    for (TableFacts* const side : {&p.loser, &p.winner}) {
      side->columns[2].generated = true;
      side->columns.push_back({"my_row_id", "bigint", "bigint unsigned", "", "",
                               "auto_increment INVISIBLE", false, kAll});
    }
  });
  const auto plan = plan_table(table(), both, {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->columns.size(), 2u);
}

TEST(TablePlanTest, SpellingsOfOneTypeAreOneType) {
  EXPECT_EQ(refusal(spoilt([](TablePair& p) {
              p.loser.columns[0].column_type = "bigint(20) unsigned";
              p.loser.columns[2].charset = "utf8";
              p.loser.columns[2].collation = "utf8_bin";
              p.winner.columns[2].charset = "utf8mb3";
              p.winner.columns[2].collation = "utf8mb3_bin";
              std::swap(p.winner.columns[1], p.winner.columns[2]);
            })),
            "");
}

TEST(TablePlanTest, RefusesWhatCannotBeExact) {
  struct Case {
    std::function<void(TablePair&)> spoil;
    const char* want;
  };
  const Case kCases[] = {
      {[](TablePair& p) { p.loser = {}; },
       "db1 has no table shop.item, or its account may not read it"},
      {[](TablePair& p) { p.winner.kind = "VIEW"; }, "shop.item on db2 is no table but a view"},
      {[](TablePair& p) { p.winner.columns[1].name = "when"; },
       "db2 has no column at in shop.item"},
      {[](TablePair& p) { p.winner.columns[0].column_type = "bigint"; },
       "the types of shop.item.id differ: bigint unsigned on db1, bigint on db2"},
      {[](TablePair& p) { p.winner.columns[2].collation = "utf8mb4_general_ci"; },
       "the types of shop.item.note differ: varchar in utf8mb4_bin on db1, varchar in "
       "utf8mb4_general_ci on db2"},
      {[](TablePair& p) { p.winner.columns[2].generated = true; },
       "the types of shop.item.note differ: varchar in utf8mb4_bin on db1, varchar in utf8mb4_bin, "
       "generated on db2"},
      {[](TablePair& p) { p.winner.columns.pop_back(); },
       "db2 has no column note in shop.item, which db1 has"},
      {[](TablePair& p) { p.loser.columns.pop_back(); },
       "db1 has no column note in shop.item, which db2 has"},
      // Numbers as text have as many digits as the width says.
      {[](TablePair& p) {
         p.loser.columns[1].column_type = "bigint(6) unsigned zerofill";
         p.winner.columns[1].column_type = "bigint(8) unsigned zerofill";
       },
       "the types of shop.item.at differ: bigint(6) unsigned zerofill on db1, bigint(8) unsigned "
       "zerofill on db2"},
      {[](TablePair& p) {
         p.winner.engine = "MyISAM";
         p.winner.transactional = false;
       },
       "shop.item on db2 has no transactions (engine MyISAM); run there: ALTER TABLE "
       "`shop`.`item` ENGINE=InnoDB"},
      {[](TablePair& p) { p.loser.columns[1].privileges = ""; },
       "the account on db1 lacks SELECT on shop.item"},
      {[](TablePair& p) { p.winner.columns[1].privileges = "select"; },
       "the account on db2 lacks INSERT on shop.item"},
      {[](TablePair& p) {
         for (TableFacts* const side : {&p.loser, &p.winner})
           side->columns[1] = column("at", "date", "date");
       },
       "shop.item.at is no time: it needs a number of seconds since the epoch, a TIMESTAMP or a "
       "DATETIME"},
  };
  for (const Case& c : kCases) EXPECT_EQ(refusal(spoilt(c.spoil)), c.want);
  MergeTable asked = table();
  asked.regenerate = "note";
  EXPECT_EQ(refusal(pair(), asked), "db2 does not number shop.item.note itself (AUTO_INCREMENT)");
  asked.regenerate = "nothing";
  EXPECT_EQ(refusal(pair(), asked), "db1 has no column nothing in shop.item");
}

TEST(TablePlanTest, ForeignKeysAreParents) {
  const auto child = spoilt([](TablePair& p) {
    p.winner.foreign_keys = {{"fk", {"id"}, "shop", "parent", {"number"}}};
  });
  const auto plan = plan_table(table(), child, {});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->parents.size(), 1u);
  EXPECT_EQ(plan->parents[0].table, "parent");
  // One that is merged too may come with this merge: the server tells.
  MergeTable parent{"shop", "parent", "at"};
  EXPECT_TRUE(plan_table(table(), child, {parent})->parents.empty());
  parent.regenerate = "number";
  EXPECT_EQ(refusal(child, table(), {parent}),
            "shop.item refers to shop.parent.number by its foreign key fk, and these numbers are "
            "to be regenerated");
}

TEST(TablePlanTest, WarnsOfSlowReadsAndTriggers) {
  const auto plan = plan_table(table(), spoilt([](TablePair& p) {
                                 p.winner.indexes[1].ordered = false;
                                 p.winner.insert_triggers = {"count_it"};
                               }),
                               {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->warnings,
            (std::vector<std::string>{
                "db2 has no index on shop.item that begins with at: each batch reads the whole "
                "table",
                "db2 runs triggers for each row inserted into shop.item: count_it"}));
}

TEST(TableSqlTest, ReadsTheWindowByTheIndex) {
  const TablePlan plan = *plan_table(table(), pair(), {});
  EXPECT_EQ(count_rows(plan, MergeSide::kLoser, {"5", "9"}),
            "SELECT COUNT(*) FROM `shop`.`item` FORCE INDEX (`by_time`) WHERE `at` >= 5 AND `at` < "
            "9");
  EXPECT_EQ(select_time(plan, MergeSide::kWinner, "5", Begin::kBeyond, "9", 100),
            "SELECT `at` AS time_ FROM `shop`.`item` FORCE INDEX (`by_time`) WHERE `at` > 5 AND "
            "`at` < 9 ORDER BY `at` LIMIT 100,1");
  EXPECT_EQ(select_digests(plan, MergeSide::kLoser, {"5"}),
            "SELECT CONCAT_WS(',',IFNULL(CONCAT(`id`),'N'),IFNULL(CONCAT(`at`),'N'),"
            "IFNULL(HEX(`note`),'N')) AS digest, 1 AS copies, 0+IFNULL(LENGTH(`note`),0) AS "
            "bytes FROM `shop`.`item` FORCE INDEX (`by_time`) WHERE `at` = 5");
  EXPECT_EQ(insert_front(plan), "INSERT INTO `shop`.`item` (`id`, `at`, `note`) VALUES ");
}

TEST(TableSqlTest, LongRowsAreComparedByAHash) {
  for (const char* const type : {"longtext", "json", "varchar"}) {
    const TablePlan plan = *plan_table(table(), spoilt([&](TablePair& p) {
                                         for (TableFacts* const side : {&p.loser, &p.winner}) {
                                           side->columns[2] = text_column("note", type);
                                           side->columns[2].bytes = 2000;
                                         }
                                       }),
                                       {});
    EXPECT_FALSE(plan.narrow) << type;
    const std::string sql = select_rows(plan, {"5", "9"}, {"aa", "bb"});
    EXPECT_TRUE(sql.starts_with("SELECT SHA2(CONCAT_WS(")) << sql;
    EXPECT_NE(sql.find(" IN ('aa','bb')"), sql.npos) << sql;
  }
}

TEST(TableSqlTest, RowsOfOneTimeAreReadInPartsAndOnce) {
  const TablePlan plan = *plan_table(table(), pair(), {});
  const std::string sql = select_digests(plan, MergeSide::kLoser, {"5", "", 3, 2});
  EXPECT_NE(sql.find(" % 3 = 2 GROUP BY 1"), sql.npos) << sql;
  EXPECT_NE(sql.find("COUNT(*) AS copies"), sql.npos) << sql;
}

// What people change in a row does not make it another row, and arrives with one that is lacking.
TEST(TableSqlTest, UncomparedColumnsAreReadAndNotCompared) {
  MergeTable asked = table();
  asked.uncompared = {"note", "of_another_version"};
  const TablePlan plan = *plan_table(asked, pair(), {});
  EXPECT_EQ(select_digests(plan, MergeSide::kLoser, {"5"}).find("HEX(`note`)"), std::string::npos);
  const std::string sql = select_rows(plan, {"5", "", 3, 2}, {});
  EXPECT_NE(sql.find(", `note` AS `note` FROM"), sql.npos) << sql;
  EXPECT_TRUE(sql.ends_with(" GROUP BY 1, HEX(`note`)")) << sql;
  EXPECT_EQ(insert_front(plan), "INSERT INTO `shop`.`item` (`id`, `at`, `note`) VALUES ");
}

TEST(TableSqlTest, ValuesBecomeLiteralsWithoutLoss) {
  struct Case {
    ValueKind kind;
    MergeValue value;
    const char* want;  // null: refused
  };
  const Case kCases[] = {
      {ValueKind::kNumber, std::nullopt, "NULL"},
      {ValueKind::kNumber, "-9223372036854775808", "-9223372036854775808"},
      {ValueKind::kNumber, "18446744073709551615", "18446744073709551615"},
      {ValueKind::kNumber, "1); DROP TABLE x", nullptr},
      {ValueKind::kNumber, "", nullptr},
      {ValueKind::kDouble, "-0", "-0e0"},
      {ValueKind::kDouble, "0.1", "0.1e0"},
      {ValueKind::kDouble, "5e-324", "5e-324"},
      {ValueKind::kDouble, "nan", nullptr},
      {ValueKind::kFloat, "3.4028234663852886e38", "3.4028234663852886e38"},
      {ValueKind::kUnsigned, "3", "3"},
      {ValueKind::kTime, "0000-00-00 00:00:00", "'0000-00-00 00:00:00'"},
      {ValueKind::kWord, "::1", "_latin1 '::1'"},
      {ValueKind::kText, "", "''"},
      {ValueKind::kText, "it's", "X'69742773'"},
      {ValueKind::kLong, "\xF0\x9F\x90\xAC", "X'F09F90AC'"},
      {ValueKind::kJson, "{}", "_utf8mb4 X'7B7D'"},
  };
  for (const Case& c : kCases) {
    const auto literal = value_literal({"c", c.kind, "utf8mb4"}, c.value);
    ASSERT_EQ(literal.has_value(), c.want != nullptr) << c.value.value_or("NULL");
    EXPECT_EQ(literal ? *literal : "", c.want ? c.want : "");
  }
  const std::string zeros(1000, '\0');
  EXPECT_EQ(*value_literal({"c", ValueKind::kLong, ""}, zeros),
            "X'" + std::string(2000, '0') + "'");
}

TEST(TableSqlTest, ParentsAndKeysAreAskedForUnlessThereIsNone) {
  const TablePlan plan = *plan_table(table(), pair(), {});
  const ParentKey parent{{0}, "shop", "parent", {"number"}, true};
  EXPECT_EQ(*parent_exists(plan, parent, {"7", "1", "x"}),
            "EXISTS(SELECT 1 FROM `shop`.`parent` WHERE `number` = 7)");
  EXPECT_EQ(*parent_exists(plan, parent, {"0", "1", "x"}), std::nullopt);
  EXPECT_EQ(*parent_exists(plan, parent, {std::nullopt, "1", "x"}), std::nullopt);
  TablePlan hostile = plan;
  hostile.columns[2].charset = "x'y";
  EXPECT_FALSE(key_exists(hostile, {"k", {{2, 0}}}, {"7", "1", "x"}));
  EXPECT_NE(select_rows(plan, {"5", "9"}, {"a'b"}).find(" IN (X'612762')"), std::string::npos);
  EXPECT_EQ(std::ranges::count(settings_for_merging({}, MergeSide::kWinner),
                               "SET SESSION max_sort_length=8388608"),
            1);
  // By the collation of the column.
  EXPECT_EQ(*key_exists(plan, {"k", {{2, 0}, {0, 0}}}, {"7", "1", "x"}),
            "EXISTS(SELECT 1 FROM `shop`.`item` WHERE `note` = _utf8mb4 X'78' AND `id` = 7)");
  EXPECT_EQ(*key_exists(plan, {"k", {{2, 10}}}, {"7", "1", "x"}),
            "EXISTS(SELECT 1 FROM `shop`.`item` WHERE LEFT(`note`,10) = LEFT(_utf8mb4 X'78',10))");
}

}  // namespace
}  // namespace ha
