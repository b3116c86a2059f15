// SPDX-License-Identifier: MIT
// Any other table, or any statement of the operator's.
#include <fmt/format.h>

#include "common/heartbeat/sql_sources.h"
#include "common/text.h"

namespace ha {

namespace {

Result<HeartbeatFacts> read_statement(SqlSession& session, const HeartbeatSpec& spec) {
  const auto rows = select(session, spec.query, "DB.TABLE");
  if (!rows) return rows.error();
  HeartbeatFacts facts{"", "the writer"};
  facts.absence = "--query gave no row";
  if (rows->cells.empty()) return facts;
  if (rows->cells.size() > 1 || rows->columns.size() > 2)
    return Error{Errc::kBadData,
                 fmt::format("--query: gave {} rows of {} columns (accepted: one row: age in "
                             "seconds and, if wanted, active 0 or 1)",
                             rows->cells.size(), rows->columns.size())};
  const auto& cells = rows->cells[0];
  facts.absence = "--query gave NULL";
  if (!cells[0]) return facts;
  facts.age_s = parse_number(*cells[0]);
  if (!facts.age_s)
    return Error{Errc::kBadData, fmt::format("--query: the age is no number: '{}'",
                                             shorten(sanitize(*cells[0]), 40))};
  if (cells.size() < 2) return facts;
  if (cells[1] != "0" && cells[1] != "1")
    return Error{Errc::kBadData, fmt::format("--query: the second column must be 0 or 1, not '{}'",
                                             shorten(sanitize(cells[1].value_or("NULL")), 40))};
  facts.active = cells[1] == "1";
  facts.role = *facts.active ? "active" : "not active";
  return facts;
}

std::string stamp_columns(StampUnit unit, const std::string& stamp) {
  switch (unit) {
    case StampUnit::kDatetime:
      return local_stamp_columns(stamp);
    case StampUnit::kEpoch:
      return exact_stamp_columns(stamp, stamp);
    case StampUnit::kEpochMs:
      break;
  }
  return exact_stamp_columns(stamp, stamp + " / 1000");
}

Result<HeartbeatFacts> read_table(SqlSession& session, const HeartbeatSpec& spec,
                                  StampMemory& memory) {
  const std::string table = quote_table(spec.table);
  const std::string stamp = fmt::format("MAX({})", quote_identifier(spec.column));
  const auto rows =
      select(session,
             fmt::format("SELECT {} FROM {}{}", stamp_columns(spec.unit, stamp), table,
                         spec.where.empty() ? "" : " WHERE (" + spec.where + ")"),
             table);
  if (!rows) return rows.error();
  HeartbeatFacts facts{"", fmt::format("{}.{}", spec.table, spec.column)};
  facts.absence = spec.where.empty() ? "the table is empty" : "no row matches --where";
  if (rows->cells.empty()) return facts;
  const Row row(*rows, 0);
  const auto text = row.text("stamp");
  if (!text) return facts;
  take_age(facts, row, memory);
  const bool zero = text->find_first_not_of("0-: .") == text->npos;
  if (zero) facts.absence = "the newest time is zero: it was never written";
  if (!facts.age_s && !zero)
    return Error{Errc::kBadData, fmt::format("{}.{}: '{}' is no time of --unit", spec.table,
                                             spec.column, shorten(sanitize(*text), 40))};
  return facts;
}

}  // namespace

Result<HeartbeatFacts> read_sql(SqlSession& session, const HeartbeatSpec& spec,
                                StampMemory& memory) {
  if (!spec.database.empty())
    if (const auto used = select(session, "USE " + quote_identifier(spec.database),
                                 quote_identifier(spec.database) + ".*");
        !used)
      return used.error();
  return spec.query.empty() ? read_table(session, spec, memory) : read_statement(session, spec);
}

}  // namespace ha
