// SPDX-License-Identifier: MIT
#include "common/merge/table_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/mysql/quote.h"
#include "common/text.h"

namespace ha {

namespace {

Error refusal(const std::string& text) { return {Errc::kRefused, text}; }

const ColumnFacts* find_column(const TableFacts& facts, std::string_view name) {
  const auto found = std::ranges::find(facts.columns, name, &ColumnFacts::name);
  return found == facts.columns.end() ? nullptr : &*found;
}

// MySQL 8 numbers the rows of a table without a primary key by itself.
bool is_hidden_key(const ColumnFacts& column) {
  return column.name == "my_row_id" && column.extra.find("INVISIBLE") != std::string::npos &&
         column.extra.find("auto_increment") != std::string::npos;
}

bool is_merged(const ColumnFacts& column, const MergeTable& table) {
  return !column.generated && column.name != table.regenerate && !is_hidden_key(column);
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_whole_number(std::string_view type) {
  return is_one_of(type, {"tinyint", "smallint", "mediumint", "int", "bigint"});
}

ValueKind kind_of(const ColumnFacts& column) {
  const std::string& type = column.data_type;
  if (is_whole_number(type) || is_one_of(type, {"decimal", "year"})) return ValueKind::kNumber;
  if (type == "float") return ValueKind::kFloat;
  if (type == "double") return ValueKind::kDouble;
  if (is_one_of(type, {"bit", "enum", "set"})) return ValueKind::kUnsigned;
  if (is_one_of(type, {"date", "time", "datetime", "timestamp"})) return ValueKind::kTime;
  if (is_one_of(type, {"inet4", "inet6", "uuid"})) return ValueKind::kWord;
  if (is_one_of(type, {"char", "varchar", "binary", "varbinary"})) return ValueKind::kText;
  return type == "json" ? ValueKind::kJson : ValueKind::kLong;
}

// Takes off what servers of one flavour spell in two ways: the display width of whole numbers, but
// not where it is how many digits a text of them has, and the name of three-byte UTF-8.
ColumnFacts normalized(ColumnFacts column) {
  if (is_whole_number(column.data_type) &&
      column.column_type.find("zerofill") == std::string::npos) {
    const std::size_t open = column.column_type.find('('), close = column.column_type.find(')');
    if (open != std::string::npos && close != std::string::npos)
      column.column_type.erase(open, close + 1 - open);
  }
  if (column.charset == "utf8") column.charset = "utf8mb3";
  if (column.collation.starts_with("utf8_")) column.collation.insert(4, "mb3");
  return column;
}

std::string describe(const ColumnFacts& column) {
  return column.column_type +
         (column.collation.empty() ? "" : fmt::format(" in {}", column.collation)) +
         (column.generated ? ", generated" : "");
}

std::optional<Error> find_missing_table(const MergeTable& table, const TablePair& pair) {
  for (const auto& [node, facts] : {std::pair(&pair.from, &pair.loser), {&pair.to, &pair.winner}}) {
    if (facts->kind.empty())
      return Error{Errc::kMissing, fmt::format("{} has no table {}, or its account may not read it",
                                               *node, table.name())};
    if (!is_one_of(facts->kind, {"BASE TABLE", "SYSTEM VERSIONED"}))
      return refusal(
          fmt::format("{} on {} is no table but a {}", table.name(), *node, to_lower(facts->kind)));
  }
  return std::nullopt;
}

std::optional<Error> find_missing_columns(const MergeTable& table, const TablePair& pair) {
  std::vector<std::string> needed;
  if (!table.time_column.empty()) needed.push_back(table.time_column);
  if (!table.regenerate.empty()) needed.push_back(table.regenerate);
  for (const MergeParent& parent : table.parents) needed.push_back(parent.column);
  for (const std::string& name : needed)
    for (const auto& [node, facts] : {std::pair(&pair.from, &pair.loser), {&pair.to, &pair.winner}})
      if (find_column(*facts, name) == nullptr)
        return Error{Errc::kMissing,
                     fmt::format("{} has no column {} in {}", *node, name, table.name())};
  return std::nullopt;
}

std::optional<Error> find_other_columns(const MergeTable& table, const TablePair& pair) {
  for (const ColumnFacts& theirs : pair.loser.columns) {
    const ColumnFacts* const ours = find_column(pair.winner, theirs.name);
    if (ours == nullptr)
      return refusal(fmt::format("{} has no column {} in {}, which {} has", pair.to, theirs.name,
                                 table.name(), pair.from));
    const ColumnFacts a = normalized(theirs), b = normalized(*ours);
    if (a.column_type != b.column_type || a.charset != b.charset || a.collation != b.collation ||
        a.generated != b.generated)
      return refusal(fmt::format("the types of {}.{} differ: {} on {}, {} on {}", table.name(),
                                 theirs.name, describe(theirs), pair.from, describe(*ours),
                                 pair.to));
  }
  for (const ColumnFacts& ours : pair.winner.columns)
    if (find_column(pair.loser, ours.name) == nullptr)
      return refusal(fmt::format("{} has no column {} in {}, which {} has", pair.from, ours.name,
                                 table.name(), pair.to));
  return std::nullopt;
}

std::optional<Error> find_missing_privilege(const MergeTable& table, const TablePair& pair) {
  for (const ColumnFacts& column : pair.loser.columns)
    if (column.privileges.find("select") == std::string::npos)
      return Error{Errc::kPrivilege,
                   fmt::format("the account on {} lacks SELECT on {}", pair.from, table.name())};
  for (const ColumnFacts& column : pair.winner.columns)
    for (const char* const privilege : {"select", "insert"})
      if (column.privileges.find(privilege) == std::string::npos)
        return Error{Errc::kPrivilege, fmt::format("the account on {} lacks {} on {}", pair.to,
                                                   to_upper(privilege), table.name())};
  return std::nullopt;
}

std::optional<TimeKind> time_kind(const ColumnFacts& column) {
  if (is_whole_number(column.data_type) || column.data_type == "decimal") return TimeKind::kEpoch;
  if (column.data_type == "timestamp") return TimeKind::kTimestamp;
  if (column.data_type == "datetime") return TimeKind::kDatetime;
  return std::nullopt;
}

std::string find_time_index(const TableFacts& facts, const std::string& column) {
  for (const IndexFacts& index : facts.indexes)
    if (index.ordered && !index.parts.empty() && index.parts[0].column == column &&
        index.parts[0].prefix == 0)
      return index.name;
  return "";
}

std::optional<std::size_t> place_of(const TablePlan& plan, std::string_view name) {
  const auto found = std::ranges::find(plan.columns, name, &MergeColumn::name);
  if (found == plan.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - plan.columns.begin());
}

std::optional<Error> add_foreign_key(TablePlan& plan, const ForeignKeyFacts& key,
                                     const std::vector<MergeTable>& tables) {
  for (const MergeTable& merged : tables) {
    if (merged.database != key.database || merged.table != key.table) continue;
    if (std::ranges::find(key.keys, merged.regenerate) != key.keys.end())
      return refusal(
          fmt::format("{} refers to {}.{} by its foreign key {}, and these numbers are "
                      "to be regenerated",
                      plan.table.name(), merged.name(), merged.regenerate, key.name));
    plan.refers_to_itself |= merged.name() == plan.table.name();
    return std::nullopt;
  }
  ParentKey parent{{}, key.database, key.table, key.keys};
  for (const std::string& name : key.columns) {
    const auto place = place_of(plan, name);
    // A computed column is left to the server.
    if (!place) return std::nullopt;
    parent.columns.push_back(*place);
  }
  plan.parents.push_back(std::move(parent));
  return std::nullopt;
}

std::optional<Error> add_time(TablePlan& plan, const TablePair& pair) {
  const std::string& name = plan.table.time_column;
  if (name.empty()) return std::nullopt;
  const auto kind = time_kind(*find_column(pair.winner, name));
  if (!kind || !place_of(plan, name))
    return refusal(
        fmt::format("{}.{} is no time: it needs a number of seconds since the epoch, a "
                    "TIMESTAMP or a DATETIME",
                    plan.table.name(), name));
  plan.time = *kind;
  plan.from_index = find_time_index(pair.loser, name);
  plan.to_index = find_time_index(pair.winner, name);
  return std::nullopt;
}

void add_unique_keys(TablePlan& plan, const TableFacts& winner) {
  for (const IndexFacts& index : winner.indexes) {
    UniqueKey key{index.name};
    for (const IndexFacts::Part& part : index.parts) {
      const auto place = place_of(plan, part.column);
      if (!place) break;
      key.parts.push_back({*place, part.prefix});
    }
    if (index.unique && key.parts.size() == index.parts.size())
      plan.unique_keys.push_back(std::move(key));
  }
}

bool is_narrow(const TablePlan& plan, const TableFacts& facts) {
  constexpr unsigned long long kMostText = 1000;
  unsigned long long text = 0;
  for (const MergeColumn& column : plan.columns) {
    if (column.kind == ValueKind::kLong || column.kind == ValueKind::kJson) return false;
    text += find_column(facts, column.name)->bytes;
  }
  return text <= kMostText;
}

void add_warnings(TablePlan& plan, const TablePair& pair) {
  for (const auto& [node, index] :
       {std::pair(&pair.from, &plan.from_index), {&pair.to, &plan.to_index}})
    if (index->empty() && !plan.table.time_column.empty())
      plan.warnings.push_back(
          fmt::format("{} has no index on {} that begins with {}: each batch reads the whole table",
                      *node, plan.table.name(), plan.table.time_column));
  if (!pair.winner.insert_triggers.empty())
    plan.warnings.push_back(fmt::format("{} runs triggers for each row inserted into {}: {}",
                                        pair.to, plan.table.name(),
                                        join(pair.winner.insert_triggers, ", ")));
}

std::optional<Error> find_obstacle(const MergeTable& table, const TablePair& pair) {
  for (const auto find :
       {find_missing_table, find_missing_columns, find_other_columns, find_missing_privilege})
    if (auto found = find(table, pair)) return found;
  // A batch that fails would stay in part, and come again with the next merge.
  if (!pair.winner.transactional)
    return refusal(fmt::format(
        "{} on {} has no transactions (engine {}); run there: ALTER TABLE {}.{} ENGINE=InnoDB",
        table.name(), pair.to, pair.winner.engine, quote_identifier(table.database),
        quote_identifier(table.table)));
  if (table.regenerate.empty()) return std::nullopt;
  if (find_column(pair.winner, table.regenerate)->extra.find("auto_increment") == std::string::npos)
    return refusal(fmt::format("{} does not number {}.{} itself (AUTO_INCREMENT)", pair.to,
                               table.name(), table.regenerate));
  return std::nullopt;
}

}  // namespace

Result<TablePlan> plan_table(const MergeTable& table, const TablePair& pair,
                             const std::vector<MergeTable>& tables) {
  if (auto obstacle = find_obstacle(table, pair)) return *obstacle;
  TablePlan plan{table};
  for (const ColumnFacts& column : pair.winner.columns)
    if (is_merged(column, table))
      plan.columns.push_back(
          {column.name, kind_of(column), column.charset,
           std::ranges::find(table.uncompared, column.name) == table.uncompared.end()});
  plan.narrow = is_narrow(plan, pair.winner);
  if (auto obstacle = add_time(plan, pair)) return *obstacle;
  for (const MergeParent& parent : table.parents)
    plan.parents.push_back({{*place_of(plan, parent.column)},
                            table.database,
                            parent.table,
                            {parent.key},
                            parent.zero == MergeParent::Zero::kNoParent});
  for (const ForeignKeyFacts& key : pair.winner.foreign_keys)
    if (auto obstacle = add_foreign_key(plan, key, tables)) return *obstacle;
  plan.triggers = pair.winner.insert_triggers;
  add_unique_keys(plan, pair.winner);
  add_warnings(plan, pair);
  return plan;
}

}  // namespace ha
