// SPDX-License-Identifier: MIT
#include "common/merge/saved_changes.h"

#include <gtest/gtest.h>

#include "common/merge/saved_table.h"

namespace ha {
namespace {

RowData row(const char* id, const char* note) { return {id, note}; }

TEST(SavedChangesTest, OnlyWhatBecomesOfARowInTheEndCounts) {
  SavedChanges changes({0}, 1, 0);
  const auto add = [&](std::optional<RowData> before, std::optional<RowData> after) {
    EXPECT_TRUE(changes.add(std::move(before), std::move(after)));
  };
  add({}, row("1", "new"));
  add(row("1", "new"), row("1", "newer"));
  add({}, row("2", "passing"));
  add(row("2", "passing"), {});
  add(row("3", "old"), row("3", "new"));
  add(row("3", "new"), {});
  add(row("4", "old"), {});
  add({}, row("4", "again"));
  add(row("5", "same"), row("5", "other"));
  add(row("5", "other"), row("5", "same"));
  // One row takes the key that another had.
  add(row("6", "old"), {});
  add(row("7", "x"), row("6", "x"));
  const std::vector<NetChange> wanted = {{{}, row("1", "newer")},
                                         {row("3", "old"), {}},
                                         {row("4", "old"), row("4", "again")},
                                         {row("6", "old"), {}},
                                         {row("7", "x"), row("6", "x")}};
  EXPECT_EQ(changes.take(), wanted);
  EXPECT_TRUE(changes.unclear().empty());
}

TEST(SavedChangesTest, WithoutAKeyOnlyNewRowsAreKnown) {
  SavedChanges changes({}, 1, 0);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(changes.add({}, row("1", "x")));
  EXPECT_TRUE(changes.add(row("1", "x"), {}));
  EXPECT_TRUE(changes.add(row("1", "x"), row("1", "y")));
  EXPECT_TRUE(changes.add(row("9", "old"), row("9", "new")));
  EXPECT_TRUE(changes.add(row("8", "old"), {}));
  EXPECT_EQ(changes.take().size(), 2U);
  EXPECT_EQ(changes.unclear().size(), 2U);
}

TEST(SavedChangesTest, PartsAreTheWholeTogether) {
  std::size_t together = 0;
  for (unsigned part = 0; part < 3; ++part) {
    SavedChanges changes({0}, 3, part);
    for (int i = 0; i < 100; ++i) {
      const std::string id = std::to_string(i);
      EXPECT_TRUE(changes.add({}, row(id.c_str(), "a")));
      EXPECT_TRUE(changes.add(row(id.c_str(), "a"), row(id.c_str(), "b")));
    }
    together += changes.take().size();
    EXPECT_FALSE(changes.add(row("1", "b"), row("2", "b")));
  }
  EXPECT_EQ(together, 100U);
}

TableFacts facts() {
  TableFacts table;
  table.kind = "BASE TABLE";
  table.engine = "InnoDB";
  table.columns = {{.name = "id",
                    .data_type = "int",
                    .column_type = "int unsigned",
                    .extra = "auto_increment",
                    .privileges = "select,insert"},
                   {.name = "note",
                    .data_type = "varchar",
                    .column_type = "varchar(9)",
                    .charset = "utf8mb4",
                    .collation = "utf8mb4_bin",
                    .privileges = "select,insert",
                    .bytes = 36}};
  table.indexes = {{"PRIMARY", true, true, {{"id", 0}}}};
  return table;
}

TEST(SavedTableTest, ColumnsAreThoseOfTheServer) {
  LoggedTable logged{"shop", "item", {{3, 0}, {15, 36}}};
  ASSERT_TRUE(describe_logged_table(facts(), logged));
  EXPECT_EQ(logged.columns[0].name, "id");
  EXPECT_TRUE(logged.columns[0].has_no_sign);
  const auto table = plan_saved_table({"shop", "item"}, facts(), "db2", {});
  ASSERT_TRUE(table) << table.error().text;
  EXPECT_EQ(table->key_places(), std::vector<std::size_t>{0});
  EXPECT_TRUE(expect_same_types(*table, logged));
  logged.columns[1].type = 3;
  EXPECT_EQ(expect_same_types(*table, logged).error().code, Errc::kRefused);
  logged.columns.pop_back();
  const auto other = describe_logged_table(facts(), logged);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text.find("had 1 columns when its rows were logged, and has 2 now; make"),
            std::string::npos);
}

TEST(SavedTableTest, RowsThatAreNotWholeAreRefused) {
  const auto table = plan_saved_table({"shop", "item"}, facts(), "db2", {});
  ASSERT_TRUE(table);
  RowChange change{RowChangeKind::kUpdate, {{"1"}, {"a"}}, {{"1"}, {"b"}}};
  const auto net = change_of_plan(*table, change);
  ASSERT_TRUE(net);
  EXPECT_EQ(*net, (NetChange{row("1", "a"), row("1", "b")}));
  change.before[1].logged = false;
  EXPECT_EQ(change_of_plan(*table, change).error().code, Errc::kRefused);
}

TEST(SavedTableTest, ARowIsChangedOnlyAsItWas) {
  const auto table = plan_saved_table({"shop", "item"}, facts(), "db2", {});
  ASSERT_TRUE(table);
  EXPECT_EQ(*update_row(*table, row("1", "a"), row("1", "b")),
            "UPDATE `shop`.`item` SET `note` = 'b' WHERE `id` = 1 AND `id` = 1 AND "
            "HEX(`note`) = HEX(X'61')");
  EXPECT_EQ(*delete_row(*table, {"1", std::nullopt}),
            "DELETE FROM `shop`.`item` WHERE `id` = 1 AND `id` = 1 AND `note` IS NULL");
  EXPECT_FALSE(insert_row(table->plan, row("1 OR 1", "a")));
}

TEST(SavedTableTest, NumbersThatAreRegeneratedAreNotInserted) {
  MergeTable name{"shop", "item"};
  name.regenerate = "id";
  const auto table = plan_saved_table(name, facts(), "db2", {});
  ASSERT_TRUE(table) << table.error().text;
  EXPECT_EQ(fresh_row(*table, row("7", "a")), RowData{"a"});
  EXPECT_EQ(*insert_row(table->fresh, {"a"}), "INSERT INTO `shop`.`item` (`note`) VALUES ('a')");
  EXPECT_TRUE(table->key.has_value());
}

}  // namespace
}  // namespace ha
