// SPDX-License-Identifier: MIT
#include "common/resync/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace ha {

namespace {

// A second is the unit in which servers tell when a table was written.
constexpr double kClockUnit_s = 1;

std::string describe(std::optional<double> rows) {
  return rows ? fmt::format("{:.0f} rows", *rows) : "rows that cannot be counted";
}

// Compares a table that both have.
void compare_table(const std::string& table, const TableRows& source, const std::string& name,
                   const TableRows& copy, const RowActivity& before, const RowActivity& after,
                   Differences& found) {
  const bool written = was_written_since(source, before);
  // Accounts: nothing counts how many come and go.
  if (written && table.starts_with(kSystemTables)) return;
  const std::string text =
      fmt::format("{} has {}, {} has {}", table, describe(copy.rows), name, describe(source.rows));
  // What is altered while it is counted cannot be read in the snapshot.
  if (!source.rows || !copy.rows) {
    (source.rows && !copy.rows ? found.faults : found.unknown).push_back(text);
    return;
  }
  double least = *source.rows, most = *source.rows;
  if (written) {
    least -= after.inserted - before.inserted + before.open;
    most = source.cascades ? std::numeric_limits<double>::infinity()
                           : most + after.deleted - before.deleted + before.open;
  }
  if (*copy.rows >= least && *copy.rows <= most) return;
  // Rows that are inserted into a new table are counted; those of another table that takes its name
  // are not, nor those that vanish with a statement.
  const bool uncounted =
      after.renamed > before.renamed || (*copy.rows > most && after.emptied > before.emptied);
  (written && uncounted ? found.unknown : found.faults).push_back(text);
}

}  // namespace

const RowActivity& last_before(const std::vector<RowActivity>& read, const BinlogPosition& moment) {
  const RowActivity* best = &read.front();
  for (const RowActivity& one : read)
    if (!one.position.file.empty() && binlog_order(one.position) < binlog_order(moment))
      best = &one;
  return *best;
}

bool was_written_since(const TableRows& table, const RowActivity& before) {
  return std::max(table.written_s, table.created_s) > before.time_s - 2 * kClockUnit_s;
}

Differences compare_rows(const RowCounts& source, const std::string& name, const RowCounts& copy,
                         const RowActivity& before) {
  Differences found;
  const bool renamed = source.activity.renamed > before.renamed;
  const bool made = source.activity.emptied > before.emptied;
  for (const auto& [table, rows] : source.tables) {
    const auto same = copy.tables.find(table);
    const bool is_new = rows.created_s > before.time_s - 2 * kClockUnit_s;
    if (same == copy.tables.end())
      ((is_new && made) || renamed ? found.unknown : found.faults)
          .push_back(fmt::format("{} is missing, {} has {}", table, name, describe(rows.rows)));
    else
      compare_table(table, rows, name, same->second, before, source.activity, found);
  }
  for (const auto& [table, rows] : copy.tables)
    if (!source.tables.contains(table))
      (made || renamed ? found.unknown : found.faults)
          .push_back(
              fmt::format("{} has {}, {} has no such table", table, describe(rows.rows), name));
  return found;
}

}  // namespace ha
