// SPDX-License-Identifier: MIT
#include "common/merge/saved_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/merge/row_values.h"
#include "common/mysql/quote.h"
#include "common/text.h"

namespace ha {

namespace {

bool fits(ValueKind logged, ValueKind column) {
  const auto is_bytes = [](ValueKind kind) {
    return kind == ValueKind::kText || kind == ValueKind::kLong;
  };
  return logged == column || (is_bytes(logged) && is_bytes(column));
}

std::string name_of(const TablePlan& plan) {
  return quoted_name(plan.table.database, plan.table.table);
}

// Returns what finds one row, and only as it was.
Result<std::string> where_row_is(const SavedTable& saved, const RowData& row) {
  const auto exact = row_condition(saved.plan, row);
  if (!exact) return exact;
  if (!saved.key) return fmt::format(" WHERE {} LIMIT 1", *exact);
  const auto key = key_condition(saved.plan, *saved.key, row);
  if (!key) return key.error();
  if (!*key) return Error{Errc::kBadData, "a primary key is NULL"};
  return fmt::format(" WHERE {} AND {}", **key, *exact);
}

}  // namespace

std::vector<std::size_t> SavedTable::key_places() const {
  std::vector<std::size_t> places;
  if (key)
    for (const UniqueKey::Part& part : key->parts) places.push_back(part.column);
  return places;
}

Result<SavedTable> plan_saved_table(const MergeTable& table, const TableFacts& facts,
                                    const std::string& to, const std::vector<MergeTable>& tables) {
  SavedTable saved;
  auto fresh = plan_table(table, {to, to, facts, facts}, tables);
  if (!fresh) return fresh.error();
  MergeTable whole = table;
  whole.regenerate.clear();
  auto plan = plan_table(whole, {to, to, facts, facts}, tables);
  if (!plan) return plan.error();
  saved.plan = std::move(*plan);
  saved.fresh = std::move(*fresh);
  for (const MergeColumn& column : saved.plan.columns) {
    if (column.kind == ValueKind::kWord)
      return Error{Errc::kRefused, fmt::format("{}.{} is of a type that is not read from a binlog; "
                                               "bring its rows by hand",
                                               table.name(), column.name)};
    const auto found = std::ranges::find(facts.columns, column.name, &ColumnFacts::name);
    saved.logged.push_back(static_cast<std::size_t>(found - facts.columns.begin()));
  }
  for (const MergeColumn& column : saved.fresh.columns) {
    const auto found = std::ranges::find(saved.plan.columns, column.name, &MergeColumn::name);
    saved.of_fresh.push_back(static_cast<std::size_t>(found - saved.plan.columns.begin()));
  }
  for (const UniqueKey& key : saved.plan.unique_keys)
    if (key.name == "PRIMARY" &&
        std::ranges::all_of(key.parts, [](const auto& part) { return part.prefix == 0; }))
      saved.key = key;
  return saved;
}

Result<Done> describe_logged_table(const TableFacts& facts, LoggedTable& table) {
  if (facts.columns.size() != table.columns.size())
    return Error{
        Errc::kRefused,
        fmt::format("{} had {} columns when its rows were logged, and has {} now; make a table as "
                    "it was, apply the file to it with the mysql client, and copy the rows from "
                    "there",
                    sanitize(table.name()), table.columns.size(), facts.columns.size())};
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnFacts& ours = facts.columns[i];
    LoggedColumn& column = table.columns[i];
    if (!column.name.empty() && column.name != ours.name)
      return Error{Errc::kRefused,
                   fmt::format("column {} of {} was {} when its rows were logged, and is {} now; "
                               "bring its rows by hand",
                               i + 1, sanitize(table.name()), sanitize(column.name), ours.name)};
    column.name = ours.name;
    column.has_no_sign = ours.column_type.find("unsigned") != std::string::npos;
    if (ours.data_type == "binary") column.padded = ours.bytes;
  }
  return Done{};
}

Result<Done> expect_same_types(const SavedTable& saved, const LoggedTable& table) {
  for (std::size_t i = 0; i < saved.plan.columns.size(); ++i) {
    const MergeColumn& column = saved.plan.columns[i];
    if (fits(kind_of_logged(table.columns[saved.logged[i]]), column.kind)) continue;
    return Error{Errc::kRefused,
                 fmt::format("{}.{} had another type when its rows were logged; bring its rows by "
                             "hand",
                             saved.plan.table.name(), column.name)};
  }
  return Done{};
}

Result<NetChange> change_of_plan(const SavedTable& saved, const RowChange& change) {
  NetChange net;
  const auto take = [&](const LoggedRow& row, std::optional<RowData>& data) {
    data.emplace();
    for (const std::size_t place : saved.logged) {
      if (place >= row.size() || !row[place].logged) return false;
      data->push_back(row[place].value);
    }
    return true;
  };
  const bool whole = (change.kind == RowChangeKind::kInsert || take(change.before, net.before)) &&
                     (change.kind == RowChangeKind::kDelete || take(change.after, net.after));
  if (whole) return net;
  return Error{Errc::kRefused,
               fmt::format("rows of {} were not logged with all columns (binlog_row_image is not "
                           "FULL), or hold JSON of a kind that has no text; bring them by hand",
                           saved.plan.table.name())};
}

RowData fresh_row(const SavedTable& saved, const RowData& row) {
  RowData data;
  for (const std::size_t place : saved.of_fresh) data.push_back(row[place]);
  return data;
}

Result<std::string> update_row(const SavedTable& saved, const RowData& before,
                               const RowData& after) {
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before[i] == after[i]) continue;
    const auto literal = value_literal(saved.plan.columns[i], after[i]);
    if (!literal) return literal;
    settings.push_back(quote_identifier(saved.plan.columns[i].name) + " = " + *literal);
  }
  const auto where = where_row_is(saved, before);
  if (!where) return where;
  return fmt::format("UPDATE {} SET {}{}", name_of(saved.plan), join(settings, ", "), *where);
}

Result<std::string> delete_row(const SavedTable& saved, const RowData& before) {
  const auto where = where_row_is(saved, before);
  if (!where) return where;
  return fmt::format("DELETE FROM {}{}", name_of(saved.plan), *where);
}

Result<std::string> insert_row(const TablePlan& plan, const RowData& row) {
  std::vector<std::string> literals;
  for (std::size_t i = 0; i < row.size(); ++i) {
    auto literal = value_literal(plan.columns[i], row[i]);
    if (!literal) return literal;
    literals.push_back(std::move(*literal));
  }
  return fmt::format("{}({})", insert_front(plan), join(literals, ", "));
}

Result<std::optional<std::string>> row_exists(const SavedTable& saved, const RowData& row) {
  const auto where = where_row_is(saved, row);
  if (!where) return where.error();
  return std::optional(fmt::format("EXISTS(SELECT 1 FROM {}{})", name_of(saved.plan), *where));
}

}  // namespace ha
