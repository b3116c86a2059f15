// SPDX-License-Identifier: MIT
#include "common/merge/merge_tables.h"

#include <fmt/format.h>

#include <set>

#include "common/merge/read_table_facts.h"
#include "common/mysql/privileges.h"
#include "common/text.h"

namespace ha {

namespace {

// The ends of the window as one server reads them, and the zone in which it does.
struct ReadBounds {
  std::string since = {}, until = {}, zone = {};
};

Result<ReadBounds> ask_bounds(SqlSession& session, const TablePlan& plan,
                              const MergeWindow& window) {
  // Who writes a DATETIME is seldom in a zone of his own.
  const bool local = plan.time == TimeKind::kDatetime;
  if (local)
    if (const auto set = session.query("SET SESSION time_zone=@@GLOBAL.time_zone"); !set)
      return set.error();
  const auto rows = session.query(read_bounds(plan, window));
  if (local)
    if (const auto set = session.query("SET SESSION time_zone='+00:00'"); !set) return set.error();
  if (!rows) return rows.error();
  if (rows->cells.empty()) return Error{Errc::kBadData, "no answer to the window's ends"};
  const Row row(*rows, 0);
  const auto since = row.text("since_"), until = row.text("until_");
  if (!since || !until)
    return Error{Errc::kRefused, "the server has no such time as an end of the window"};
  ReadBounds bounds{*since, *until, row.text("zone_").value_or("")};
  // A clock that was put back reads times twice; one that was put forward misses none.
  const auto micros = row.integer("micros_");
  if (local && (!micros || *micros < window.micros()))
    return Error{
        Errc::kRefused,
        fmt::format("{} is a DATETIME, and the clocks of {} are put back between the ends of the "
                    "window, which are {} and {} there; merge two windows: --until the hour that "
                    "comes twice, and --since its second time (man mysql_ha, MERGE)",
                    plan.table.time_column, bounds.zone, bounds.since, bounds.until)};
  return bounds;
}

Result<TimeBounds> find_bounds(const MergeSessions& sessions, const TablePlan& plan,
                               const MergeWindow& window) {
  const auto theirs = ask_bounds(*sessions.loser, plan, window);
  if (!theirs) return theirs.error();
  const auto ours = ask_bounds(*sessions.winner, plan, window);
  if (!ours) return ours.error();
  if (theirs->since != ours->since || theirs->until != ours->until)
    return Error{
        Errc::kRefused,
        fmt::format("{} is a DATETIME, and the time zones differ: {} on {}, {} on {}",
                    plan.table.time_column, theirs->zone, sessions.from, ours->zone, sessions.to)};
  return TimeBounds{time_literal(plan, ours->since), time_literal(plan, ours->until)};
}

Result<Done> expect_readable_parents(SqlSession& winner, const TablePlan& plan) {
  for (const ParentKey& parent : plan.parents) {
    std::vector<std::string> keys;
    for (const std::string& key : parent.keys) keys.push_back(quote_identifier(key));
    const auto read = winner.query(fmt::format("SELECT {} FROM {}.{} LIMIT 0", join(keys, ", "),
                                               quote_identifier(parent.database),
                                               quote_identifier(parent.table)));
    if (!read) return read.error();
  }
  return Done{};
}

Result<PlannedTable> plan_one(const MergeSessions& sessions, const MergeOptions& merge,
                              const MergeTable& table) {
  auto theirs = read_table_facts(*sessions.loser, table);
  if (!theirs) return theirs.error();
  auto ours = read_table_facts(*sessions.winner, table);
  if (!ours) return ours.error();
  auto plan = plan_table(table, {sessions.from, sessions.to, std::move(*theirs), std::move(*ours)},
                         merge.tables);
  if (!plan) return plan.error();
  if (const auto readable = expect_readable_parents(*sessions.winner, *plan); !readable)
    return readable.error();
  auto bounds = find_bounds(sessions, *plan, merge.window);
  if (!bounds) return Error{bounds.error().code, table.name() + ": " + bounds.error().text};
  return PlannedTable{std::move(*plan), std::move(*bounds)};
}

// What is done on the winner by itself is told, as far as the account may see it.
Result<Done> add_notes(const MergeSessions& sessions, const MergeOptions& merge,
                       PlannedTables& planned) {
  std::set<std::string> databases;
  for (const MergeTable& table : merge.tables) databases.insert(table.database);
  for (const std::string& database : databases) {
    const auto events = sessions.winner->query(
        "SELECT event_name AS name FROM information_schema.events WHERE status = 'ENABLED'"
        " AND event_schema = " +
        quote_string(database) + " ORDER BY event_name");
    if (!events) return events.error();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < events->cells.size(); ++i)
      names.push_back(Row(*events, i).text("name").value_or(""));
    if (!names.empty())
      planned.notes.push_back(
          fmt::format("{} has events in {}, which may change rows meanwhile: "
                      "{}",
                      sessions.to, database, join(names, ", ")));
  }
  const auto privileges = read_privileges(*sessions.winner);
  if (!privileges) return privileges.error();
  for (const char* const privilege : {"TRIGGER", "EVENT"})
    if (!holds(*privileges, privilege))
      planned.notes.push_back(
          fmt::format("the account on {} lacks {} on *.*: some {}s may not be "
                      "known",
                      sessions.to, privilege, to_lower(privilege)));
  return Done{};
}

}  // namespace

Result<PlannedTables> plan_tables(const MergeSessions& sessions, const MergeOptions& merge) {
  PlannedTables planned;
  for (const MergeTable& table : merge.tables) {
    auto one = plan_one(sessions, merge, table);
    if (!one) return one.error();
    planned.warnings.insert(planned.warnings.end(), one->plan.warnings.begin(),
                            one->plan.warnings.end());
    planned.tables.push_back(std::move(*one));
  }
  if (const auto added = add_notes(sessions, merge, planned); !added) return added.error();
  return planned;
}

}  // namespace ha
