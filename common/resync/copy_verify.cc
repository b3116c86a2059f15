// SPDX-License-Identifier: MIT
// Comparing a copy with what was copied, before it counts as one. No lock is taken and no client
// waits.
#include "common/resync/copy_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "common/execute/copy_mark.h"
#include "common/execute/failure.h"
#include "common/mysql/statements.h"
#include "common/mysql/version.h"
#include "common/text.h"

namespace ha {

namespace {

// Contents that a copy need not have, or that are counted elsewhere.
constexpr char kNoData[] =
    "('BLACKHOLE', 'CONNECT', 'FEDERATED', 'MEMORY', 'MRG_MyISAM', 'NDBCLUSTER', "
    "'PERFORMANCE_SCHEMA',"
    " 'S3', 'SPIDER')";
// Of the database mysql only the numbers of accounts and routines are compared: each server has the
// rest for itself, and stamps what it creates.
constexpr char kAccounts[] =
    "('columns_priv', 'db', 'event', 'global_grants', 'global_priv', 'proc', 'role_edges',"
    " 'roles_mapping', 'tables_priv', 'user')";
constexpr double kLeastChecksums_s = 1;
constexpr double kRowsPerSecond = 500000;  // of a checksum, until it is known better

double value_of(const Rows& status, std::string_view name) {
  for (std::size_t i = 0; i < status.cells.size(); ++i)
    if (Row(status, i).text("Variable_name") == name)
      return Row(status, i).number("Value").value_or(0);
  return 0;
}

std::string table_clause(const TableRows& table) {
  return table.versioned ? " FOR SYSTEM_TIME ALL" : "";
}

// Returns all tables with data, not counted yet.
Result<std::map<std::string, TableRows>> list_tables(SqlSession& session) {
  const auto rows = session.query_long(fmt::format(
      "SELECT table_schema AS db, table_name AS name, table_type AS type, engine AS engine,"
      " UNIX_TIMESTAMP(update_time) AS written,"
      " UNIX_TIMESTAMP(create_time) AS created FROM information_schema.tables"
      " WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND engine NOT IN {}"
      " AND table_schema NOT IN ('information_schema', 'performance_schema', 'sys', '{}')"
      " AND (table_schema <> 'mysql' OR table_name IN {})",
      kNoData, kHalfCopy, kAccounts));
  if (!rows) return rows.error();
  const auto keys = session.query_long(
      "SELECT constraint_schema AS db, table_name AS name"
      " FROM information_schema.referential_constraints WHERE delete_rule = 'CASCADE'");
  if (!keys) return keys.error();
  const auto name_of = [](const Row& row) {
    return quote_identifier(row.text("db").value_or("")) + "." +
           quote_identifier(row.text("name").value_or(""));
  };
  std::map<std::string, TableRows> tables;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    TableRows& table = tables[name_of(row)];
    // Other engines may not tell it.
    const double unknown =
        row.text("engine") == "InnoDB" ? 0 : std::numeric_limits<double>::infinity();
    table.written_s = row.number("written").value_or(unknown);
    table.created_s = row.number("created").value_or(0);
    table.versioned = row.text("type") == "SYSTEM VERSIONED";
  }
  for (std::size_t i = 0; i < keys->cells.size(); ++i)
    if (const auto table = tables.find(name_of(Row(*keys, i))); table != tables.end())
      table->second.cascades = true;
  return tables;
}

Result<Done> count_tables(SqlSession& session, std::map<std::string, TableRows>& tables,
                          std::atomic<std::size_t>& counted) {
  for (auto& [name, table] : tables) {
    const auto count =
        query_value(session, fmt::format("SELECT COUNT(*) FROM {}{}", name, table_clause(table)));
    if (!count && is_no_answer(count.error())) return count.error();
    if (const auto rows = count ? parse_integer(*count) : std::nullopt)
      table.rows = static_cast<double>(*rows);
    ++counted;
  }
  return Done{};
}

Result<std::string> checksum(SqlSession& session, const std::string& name, const TableRows& table) {
  const auto columns = session.query("SHOW COLUMNS FROM " + name);
  if (!columns) return columns.error();
  std::vector<std::string> values, nulls;
  for (std::size_t i = 0; i < columns->cells.size(); ++i) {
    const std::string column = quote_identifier(Row(*columns, i).text("Field").value_or(""));
    // As text: a dump has no more of a FLOAT than what is printed of it.
    values.push_back(fmt::format("CAST({} AS BINARY)", column));
    nulls.push_back(fmt::format("ISNULL({})", column));
  }
  const auto rows = session.query(
      fmt::format("SELECT COUNT(*) AS rows_, COUNT(c) AS known, SUM(c) AS total FROM"
                  " (SELECT CRC32(CONCAT_WS('#', {}, CONCAT({}))) AS c FROM {}{}) AS q",
                  join(values, ", "), join(nulls, ", "), name, table_clause(table)));
  if (!rows) return rows.error();
  const Row row(*rows, 0);
  // What is larger than max_allowed_packet has none.
  if (row.text("rows_") != row.text("known")) return std::string();
  return row.text("total").value_or("0");
}

Result<RowActivity> read_activity(SqlSession& session, Engines engines) {
  const auto status = session.query(
      "SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_rows_inserted', 'Innodb_rows_deleted',"
      " 'Handler_write', 'Handler_delete', 'Com_create_table', 'Com_alter_table', 'Com_drop_table',"
      " 'Com_truncate', 'Com_rename_table', 'Com_create_db', 'Com_drop_db')");
  if (!status) return status.error();
  const auto moment = session.query(
      "SELECT UNIX_TIMESTAMP() AS now, (SELECT SUM(trx_rows_modified)"
      " FROM information_schema.innodb_trx) AS open");
  if (!moment) return moment.error();
  RowActivity activity;
  activity.time_s = Row(*moment, 0).number("now").value_or(0);
  activity.open = Row(*moment, 0).number("open").value_or(0);
  // MySQL's handlers count the rows of its own temporary tables too.
  const bool by_handler =
      session.version().flavour != Flavour::kMysql || engines == Engines::kSeveral;
  activity.inserted = value_of(*status, "Innodb_rows_inserted") +
                      (by_handler ? value_of(*status, "Handler_write") : 0);
  activity.deleted = value_of(*status, "Innodb_rows_deleted") +
                     (by_handler ? value_of(*status, "Handler_delete") : 0);
  for (const char* const name :
       {"Com_create_table", "Com_drop_table", "Com_truncate", "Com_create_db", "Com_drop_db"})
    activity.emptied += value_of(*status, name);
  for (const char* const name : {"Com_alter_table", "Com_rename_table"})
    activity.renamed += value_of(*status, name);
  const auto end = session.query(std::string(spelling(session.version()).show_binlog_status));
  if (end && !end->cells.empty())
    activity.position = {Row(*end, 0).text("File").value_or(""),
                         static_cast<std::uint64_t>(Row(*end, 0).integer("Position").value_or(0))};
  return activity;
}

// In a snapshot, which ends when everything is counted.
Result<RowCounts> count_source(SqlSession& session, Engines engines,
                               std::atomic<std::size_t>& counted) {
  std::vector<std::string> sql = settings_for_counting(session.version());
  sql.emplace_back("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  sql.emplace_back("START TRANSACTION WITH CONSISTENT SNAPSHOT");
  if (const auto begun = run_all(session, sql); !begun) return begun.error();
  RowCounts counts;
  // After the snapshot: better too much than too little.
  const auto activity = read_activity(session, engines);
  if (!activity) return activity.error();
  counts.activity = *activity;
  auto tables = list_tables(session);
  if (!tables) return tables.error();
  counts.tables = std::move(*tables);
  if (const auto done = count_tables(session, counts.tables, counted); !done) return done.error();
  return counts;
}

// Returns how many things there are, and the first of them, as one line.
std::string shorten_list(const std::vector<std::string>& texts) {
  constexpr std::size_t kMost = 3;
  if (texts.size() <= kMost) return join(texts, "; ");
  return fmt::format("{}; and {} more",
                     join(std::vector(texts.begin(), texts.begin() + kMost), "; "),
                     texts.size() - kMost);
}

}  // namespace

void CopyVerifier::record_activity() {
  if (resync_.verify == Verify::kNone || counts_) return;
  if (auto activity = read_activity(sessions_.source(), engines_))
    activity_.push_back(std::move(*activity));
}

Result<Done> CopyVerifier::begin(Engines engines) {
  engines_ = engines;
  record_activity();
  if (resync_.verify != Verify::kNone && activity_.empty())
    return failure(task_.from.name + " does not show how many rows it writes; give --verify none");
  return Done{};
}

Result<Done> CopyVerifier::start_counting() {
  if (resync_.verify == Verify::kNone || counts_) return Done{};
  const auto session = sessions_.connect_for_long(task_.from);
  if (!session) return session.error();
  auto counts = Pending<Result<RowCounts>>::begin(
      env_.workers, [session = *session, engines = engines_, counted = counted_] {
        return count_source(*session, engines, *counted);
      });
  if (!counts) return counts.error();
  counts_ = std::move(*counts);
  return Done{};
}

Result<RowCounts> CopyVerifier::await_counts() {
  if (const auto started = start_counting(); !started) return started.error();
  const auto progress = [this] {
    return fmt::format("counted the rows of {} tables of {}", counted_->load(), task_.from.name);
  };
  if (!watch_.await(*counts_, progress)) return *watch_.ended();
  auto counts = *counts_->result();
  counts_.reset();
  return counts;
}

Result<RowCounts> CopyVerifier::count_copy() {
  const auto session = sessions_.connect_worker();
  if (!session) return session.error();
  const auto counts = std::make_shared<RowCounts>();
  const auto counted = std::make_shared<std::atomic<std::size_t>>(0);
  const auto done = watch_.attend(
      [session = *session, counts, counted]() -> Result<Done> {
        const auto set = run_all(*session, settings_for_counting(session->version()));
        if (!set) return set;
        auto tables = list_tables(*session);
        if (!tables) return tables.error();
        counts->tables = std::move(*tables);
        return count_tables(*session, counts->tables, *counted);
      },
      [this, counted] {
        return fmt::format("counted the rows of {} tables of {}", counted->load(), task_.to.name);
      });
  if (!done) return done.error();
  return *counts;
}

Result<Done> CopyVerifier::verify(const BinlogPosition& moment) {
  if (resync_.verify == Verify::kNone) return Done{};
  const double copying_s = watch_.elapsed_s();
  const auto source = await_counts();
  if (!source) return unverified(source.error());
  const auto copy = count_copy();
  if (!copy) return unverified(copy.error());
  // Not a reference: more is read while the rows are compared.
  const RowActivity before = last_before(activity_, moment);
  Differences found = compare_rows(*source, task_.from.name, *copy, before);
  std::size_t equal = 0;
  if (found.faults.empty())
    if (const auto done = compare_checksums(
            *source, before, std::max(copying_s / 10, kLeastChecksums_s), found, equal);
        !done)
      return unverified(done.error());
  if (!found.faults.empty())
    return failure(fmt::format("it is no complete copy of {}: {}", task_.from.name,
                               shorten_list(found.faults)));
  if (!found.unknown.empty())
    warnings_.push_back(fmt::format("not compared, because they were changed meanwhile: {}",
                                    shorten_list(found.unknown)));
  log_(fmt::format("compared with {}: the rows of {} tables, checksums of {}", task_.from.name,
                   copy->tables.size(), equal));
  return Done{};
}

Error CopyVerifier::unverified(const Error& error) const {
  return {error.code, fmt::format("cannot compare it with {}: {}", task_.from.name, error.text)};
}

Result<Done> CopyVerifier::compare_checksums(const RowCounts& source, const RowActivity& before,
                                             double budget_s, Differences& found,
                                             std::size_t& equal) {
  const bool full = resync_.verify == Verify::kFull;
  const auto theirs = sessions_.connect_for_long(task_.from);
  if (!theirs) return theirs.error();
  const auto ours = sessions_.connect_worker();
  if (!ours) return ours.error();
  for (const Session& session : {*theirs, *ours})
    if (const auto set = run_all(*session, settings_for_counting(session->version())); !set)
      return set;
  // The small ones first: most of the tables.
  std::vector<const std::pair<const std::string, TableRows>*> tables;
  for (const auto& table : source.tables)
    if (!table.first.starts_with(kSystemTables)) tables.push_back(&table);
  std::ranges::stable_sort(tables, {},
                           [](const auto* table) { return table->second.rows.value_or(0); });
  const Deadline budget =
      watch_.deadline().from_now(full ? watch_.deadline().remaining_s() : budget_s);
  double rows = 0;
  for (const auto* const table : tables) {
    const double spent_s =
        (full ? watch_.deadline().remaining_s() : budget_s) - budget.remaining_s();
    const double rate = rows > 0 && spent_s > 0 ? rows / spent_s : kRowsPerSecond;
    const double wanted_s = 2 * table->second.rows.value_or(0) / rate;
    if (!full && wanted_s > budget.remaining_s()) break;
    if (!full && (budget.passed() || was_written_since(table->second, before))) continue;
    const auto same = compare_checksum(*theirs, *ours, table->first, table->second, before);
    if (!same) return same.error();
    rows += 2 * table->second.rows.value_or(0);
    if (*same == Checksums::kEqual) ++equal;
    if (*same == Checksums::kDiffer)
      found.faults.push_back(
          fmt::format("{} has other contents than {}'s", table->first, task_.from.name));
    if (*same == Checksums::kUnknown && full)
      found.unknown.push_back(fmt::format("the contents of {}", table->first));
  }
  return Done{};
}

Result<CopyVerifier::Checksums> CopyVerifier::compare_checksum(const Session& theirs,
                                                               const Session& ours,
                                                               const std::string& name,
                                                               const TableRows& table,
                                                               const RowActivity& before) {
  const auto sums = std::make_shared<std::vector<std::string>>();
  bool known = true;
  for (const Session& session : {theirs, ours}) {
    const auto done = watch_.attend(
        [session, name, table, sums]() -> Result<Done> {
          const auto sum = checksum(*session, name, table);
          if (!sum) return sum.error();
          sums->push_back(*sum);
          return Done{};
        },
        [&name] { return "checksum of " + name; });
    if (!done && (watch_.ended() || is_no_answer(done.error()))) return done.error();
    known = known && done;
  }
  if (!known || (*sums)[0].empty() || (*sums)[1].empty()) return Checksums::kUnknown;
  if ((*sums)[0] == (*sums)[1]) return Checksums::kEqual;
  // It may have been written since it was counted.
  const auto now = list_tables(*theirs);
  if (!now) return now.error();
  const auto same = now->find(name);
  return same == now->end() || was_written_since(same->second, before) ? Checksums::kUnknown
                                                                       : Checksums::kDiffer;
}

}  // namespace ha
