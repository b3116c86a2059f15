// SPDX-License-Identifier: MIT
#include "common/merge/table_sql.h"

#include <fmt/format.h>

#include "common/mysql/quote.h"
#include "common/text.h"

namespace ha {

namespace {

std::string time_column(const TablePlan& plan) { return quote_identifier(plan.table.time_column); }

std::string from(const TablePlan& plan, MergeSide side) {
  const std::string& index = side == MergeSide::kLoser ? plan.from_index : plan.to_index;
  return " FROM " + quoted_name(plan.table.database, plan.table.table) +
         (index.empty() ? "" : fmt::format(" FORCE INDEX ({})", quote_identifier(index)));
}

// Returns the text of a column's value, equal only for values that are equal in every bit; it has
// no comma, and none is "N".
std::string exact_text(const MergeColumn& column) {
  const std::string name = quote_identifier(column.name);
  switch (column.kind) {
    case ValueKind::kNumber:
    case ValueKind::kDouble:
    case ValueKind::kTime:
    case ValueKind::kWord:
      return fmt::format("CONCAT({})", name);
    case ValueKind::kFloat:
      return fmt::format("CONCAT({}*1e0)", name);
    case ValueKind::kUnsigned:
      return fmt::format("CONCAT(CAST({} AS UNSIGNED))", name);
    case ValueKind::kText:
      return fmt::format("HEX({})", name);
    case ValueKind::kLong:
    case ValueKind::kJson:
      break;
  }
  // The text of a whole row must fit into max_allowed_packet.
  return fmt::format("SHA2({},256)", name);
}

std::string digest(const TablePlan& plan) {
  std::vector<std::string> texts;
  for (const MergeColumn& column : plan.columns)
    if (column.compared) texts.push_back(fmt::format("IFNULL({},'N')", exact_text(column)));
  const std::string row = fmt::format("CONCAT_WS(',',{})", join(texts, ","));
  return plan.narrow ? row : fmt::format("SHA2({},256)", row);
}

std::string bytes(const TablePlan& plan) {
  std::string sum = "0";
  for (const MergeColumn& column : plan.columns)
    if (column.kind == ValueKind::kText || column.kind == ValueKind::kLong ||
        column.kind == ValueKind::kJson)
      sum += fmt::format("+IFNULL(LENGTH({}),0)", quote_identifier(column.name));
  return sum;
}

std::string where(const TablePlan& plan, const MergeSpan& span) {
  std::string text = span.end.empty() ? fmt::format(" WHERE {} = {}", time_column(plan), span.begin)
                                      : fmt::format(" WHERE {0} >= {1} AND {0} < {2}",
                                                    time_column(plan), span.begin, span.end);
  if (span.parts > 1)
    text += fmt::format(" AND CRC32({}) % {} = {}", digest(plan), span.parts, span.part);
  return text;
}

// Returns what is read of a column.
std::string value_expression(const MergeColumn& column) {
  const std::string name = quote_identifier(column.name);
  if (column.kind == ValueKind::kFloat) return name + "*1e0";
  if (column.kind == ValueKind::kUnsigned) return fmt::format("CAST({} AS UNSIGNED)", name);
  return name;
}

// Rows of one time may be equal by the million. By place: a table may have a column of any name.
std::string group(const MergeSpan& span) { return span.parts > 1 ? " GROUP BY 1" : ""; }

// Rows that are equal only in what is compared are read one by one.
std::string group_of_values(const TablePlan& plan) {
  std::string text;
  for (const MergeColumn& column : plan.columns)
    if (!column.compared) text += ", " + exact_text(column);
  return text;
}

std::string tally_columns(const TablePlan& plan, const MergeSpan& span) {
  const bool grouped = span.parts > 1;
  return fmt::format("{} AS digest, {} AS copies, {} AS bytes", digest(plan),
                     grouped ? "COUNT(*)" : "1",
                     grouped ? fmt::format("MAX({})", bytes(plan)) : bytes(plan));
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == text.npos;
}

// Short texts stay readable in the file of rows that were not merged.
std::string bytes_literal(std::string_view text) {
  constexpr std::size_t kReadable = 256;
  return text.size() > kReadable ? hex_literal(text) : quote_string(text);
}

// Returns the condition that a column has a value in every bit. Numbers stand alone, so that an
// index is of use.
Result<std::string> exact_condition(const MergeColumn& column, const MergeValue& value) {
  const std::string name = quote_identifier(column.name);
  if (!value) return name + " IS NULL";
  switch (column.kind) {
    case ValueKind::kText:
      return fmt::format("HEX({}) = HEX({})", name, hex_literal(*value));
    case ValueKind::kLong:
      return fmt::format("SHA2({},256) = SHA2({},256)", name, hex_literal(*value));
    case ValueKind::kJson:
      return fmt::format("{} = CAST(_utf8mb4 {} AS JSON)", name, hex_literal(*value));
    case ValueKind::kTime:
    case ValueKind::kWord:
      return fmt::format("CONCAT({}) = {}", name, quote_string(*value));
    default:
      break;
  }
  const auto literal = value_literal(column, value);
  if (!literal) return literal;
  return fmt::format("{} = {}", value_expression(column), *literal);
}

// Returns a literal that is compared by the column's collation.
Result<std::string> comparable_literal(const MergeColumn& column, const std::string& value) {
  // It becomes SQL as it is.
  if (column.charset.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") !=
      std::string::npos)
    return Error{Errc::kBadData, fmt::format("{} has no character set but {}", column.name,
                                             shorten(sanitize(column.charset), 40))};
  if (column.kind == ValueKind::kText && !column.charset.empty())
    return fmt::format("_{} {}", column.charset, hex_literal(value));
  return value_literal(column, value);
}

}  // namespace

std::string quoted_name(const std::string& database, const std::string& table) {
  return quote_identifier(database) + "." + quote_identifier(table);
}

std::vector<std::string> settings_for_merging(const Version& version, MergeSide side) {
  std::vector<std::string> sql = {
      "SET NAMES binary", "SET SESSION time_zone='+00:00'",
      // Zero dates and the number 0 are values like any other.
      "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
      "SET SESSION autocommit=1, SESSION completion_type=0, SESSION foreign_key_checks=1,"
      " SESSION unique_checks=1, SESSION sql_safe_updates=0",
      "SET SESSION sql_select_limit=18446744073709551615",
      // GROUP BY takes longer texts for equal that begin alike.
      "SET SESSION max_sort_length=8388608",
      "SET SESSION wait_timeout=1800, SESSION lock_wait_timeout=60,"
      " SESSION innodb_lock_wait_timeout=30",
      "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"};
  sql.emplace_back(version.flavour == Flavour::kMariadb ? "SET SESSION max_statement_time=0"
                                                        : "SET SESSION max_execution_time=0");
  if (side == MergeSide::kLoser) sql.emplace_back("SET SESSION TRANSACTION READ ONLY");
  return sql;
}

std::string time_literal(const TablePlan& plan, std::string_view text) {
  return plan.time == TimeKind::kEpoch ? std::string(text) : "TIMESTAMP" + quote_string(text);
}

std::string read_bounds(const TablePlan& plan, const MergeWindow& window) {
  const std::string since = epoch_literal(window.since), until = epoch_literal(window.until);
  if (plan.time == TimeKind::kEpoch)
    return fmt::format("SELECT {} AS since_, {} AS until_, '' AS zone_", since, until);
  return fmt::format(
      "SELECT FROM_UNIXTIME({0}) AS since_, FROM_UNIXTIME({1}) AS until_,"
      " TIMESTAMPDIFF(MICROSECOND, FROM_UNIXTIME({0}), FROM_UNIXTIME({1})) AS micros_,"
      " IF(@@SESSION.time_zone = 'SYSTEM', @@system_time_zone, @@SESSION.time_zone) AS zone_",
      since, until);
}

std::string select_time(const TablePlan& plan, MergeSide side, const std::string& begin,
                        Begin from_begin, const std::string& end, std::size_t after) {
  return fmt::format(
      "SELECT {0} AS time_{1} WHERE {0} {2} {3} AND {0} < {4} ORDER BY {0}"
      " LIMIT {5},1",
      time_column(plan), from(plan, side), from_begin == Begin::kFrom ? ">=" : ">", begin, end,
      after);
}

std::string count_rows(const TablePlan& plan, MergeSide side, const MergeSpan& span) {
  return "SELECT COUNT(*)" + from(plan, side) + where(plan, span);
}

std::string select_digests(const TablePlan& plan, MergeSide side, const MergeSpan& span) {
  return "SELECT " + tally_columns(plan, span) + from(plan, side) + where(plan, span) + group(span);
}

std::string sum_bytes(const TablePlan& plan, const MergeSpan& span) {
  return fmt::format("SELECT IFNULL(SUM({}),0)", bytes(plan)) + from(plan, MergeSide::kLoser) +
         where(plan, span);
}

std::string select_rows(const TablePlan& plan, const MergeSpan& span,
                        const std::vector<std::string>& digests) {
  std::string columns;
  for (const MergeColumn& column : plan.columns)
    columns += fmt::format(", {} AS {}", value_expression(column), quote_identifier(column.name));
  std::string only;
  if (!digests.empty()) {
    std::vector<std::string> quoted;
    for (const std::string& one : digests) quoted.push_back(quote_string(one));
    only = fmt::format(" AND {} IN ({})", digest(plan), join(quoted, ","));
  }
  return "SELECT " + tally_columns(plan, span) + columns + from(plan, MergeSide::kLoser) +
         where(plan, span) + only + group(span) + (span.parts > 1 ? group_of_values(plan) : "");
}

Result<std::string> value_literal(const MergeColumn& column, const MergeValue& value) {
  if (!value) return std::string("NULL");
  switch (column.kind) {
    case ValueKind::kNumber:
    case ValueKind::kUnsigned:
    case ValueKind::kFloat:
    case ValueKind::kDouble:
      break;
    case ValueKind::kTime:
      return quote_string(*value);
    case ValueKind::kWord:
      return "_latin1 " + quote_string(*value);
    case ValueKind::kText:
    case ValueKind::kLong:
      return bytes_literal(*value);
    case ValueKind::kJson:
      return "_utf8mb4 " + hex_literal(*value);
  }
  // It becomes SQL as it is.
  if (!is_number(*value))
    return Error{Errc::kBadData, fmt::format("the value of {} is no number: {}", column.name,
                                             shorten(sanitize(*value), 40))};
  const bool real = column.kind == ValueKind::kFloat || column.kind == ValueKind::kDouble;
  // Without an exponent it would be read as a decimal number.
  return real && value->find('e') == std::string::npos ? *value + "e0" : *value;
}

std::string insert_front(const TablePlan& plan) {
  std::vector<std::string> names;
  for (const MergeColumn& column : plan.columns) names.push_back(quote_identifier(column.name));
  return fmt::format("INSERT INTO {} ({}) VALUES ",
                     quoted_name(plan.table.database, plan.table.table), join(names, ", "));
}

std::string parents_among(const ParentKey& parent, const std::vector<std::string>& literals) {
  return fmt::format("SELECT DISTINCT {0} FROM {1} WHERE {0} IN ({2})",
                     quote_identifier(parent.keys.front()),
                     quoted_name(parent.database, parent.table), join(literals, ","));
}

Result<std::optional<std::string>> parent_exists(const TablePlan& plan, const ParentKey& parent,
                                                 const std::vector<MergeValue>& values) {
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < parent.columns.size(); ++i) {
    const MergeValue& value = values[parent.columns[i]];
    if (!value || (parent.zero_is_none && *value == "0")) return std::optional<std::string>();
    const auto literal = comparable_literal(plan.columns[parent.columns[i]], *value);
    if (!literal) return literal.error();
    conditions.push_back(fmt::format("{} = {}", quote_identifier(parent.keys[i]), *literal));
  }
  return std::optional(fmt::format("EXISTS(SELECT 1 FROM {} WHERE {})",
                                   quoted_name(parent.database, parent.table),
                                   join(conditions, " AND ")));
}

Result<std::optional<std::string>> key_condition(const TablePlan& plan, const UniqueKey& key,
                                                 const std::vector<MergeValue>& values) {
  std::vector<std::string> conditions;
  for (const UniqueKey::Part& part : key.parts) {
    const MergeColumn& column = plan.columns[part.column];
    if (!values[part.column]) return std::optional<std::string>();
    const auto literal = comparable_literal(column, *values[part.column]);
    if (!literal) return literal.error();
    const std::string name = quote_identifier(column.name);
    conditions.push_back(part.prefix == 0 ? fmt::format("{} = {}", name, *literal)
                                          : fmt::format("LEFT({},{}) = LEFT({},{})", name,
                                                        part.prefix, *literal, part.prefix));
  }
  return std::optional(join(conditions, " AND "));
}

Result<std::optional<std::string>> key_exists(const TablePlan& plan, const UniqueKey& key,
                                              const std::vector<MergeValue>& values) {
  auto condition = key_condition(plan, key, values);
  if (!condition || !*condition) return condition;
  return std::optional(fmt::format("EXISTS(SELECT 1 FROM {} WHERE {})",
                                   quoted_name(plan.table.database, plan.table.table),
                                   **condition));
}

Result<std::string> row_condition(const TablePlan& plan, const std::vector<MergeValue>& values) {
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    if (!plan.columns[i].compared) continue;
    auto condition = exact_condition(plan.columns[i], values[i]);
    if (!condition) return condition;
    conditions.push_back(std::move(*condition));
  }
  return join(conditions, " AND ");
}

}  // namespace ha
