// SPDX-License-Identifier: MIT
// Copying by a logical dump.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <istream>

#include "common/context/operator_program.h"
#include "common/execute/binlog_text.h"
#include "common/execute/failure.h"
#include "common/execute/tool_login.h"
#include "common/mysql/mariadb_gtid.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/statements.h"
#include "common/resync/copier.h"

namespace ha {

double Copier::size_of(const std::string& path) const {
  return static_cast<double>(env_.files.info(path).size);
}

Result<BinlogPosition> Copier::dump_and_load(const std::string& path) {
  auto moment = dump(path);
  if (!moment) return moment.error();
  if (const auto known = complete_gtids(*moment); !known) return known.error();
  if (const auto begun = target_.begin(); !begun) return begun.error();
  if (const auto loaded = load(path); !loaded) return loaded.error();
  if (const auto same = verifier_.verify(moment->position); !same) return same.error();
  if (const auto finished = finish(*moment); !finished) return finished.error();
  return moment->position;
}

// MariaDB's servers know domains that are not in their binlogs: those that they had before they
// were copied themselves.
Result<Done> Copier::complete_gtids(CopyMoment& moment) {
  if (sessions_.is_mysql()) {
    const auto* const theirs = std::get_if<MysqlHistory>(&task_.from.facts->history);
    if (theirs != nullptr && !theirs->executed.empty() && moment.gtids.empty())
      return failure("the copy does not show which GTIDs it has");
    return Done{};
  }
  if (moment.gtids.empty()) {
    const auto gtids =
        query_value(sessions_.source(),
                    fmt::format("SELECT BINLOG_GTID_POS({}, {})",
                                quote_string(moment.position.file), moment.position.offset));
    if (!gtids) return gtids.error();
    moment.gtids = *gtids;
  }
  auto all = MariadbGtids::parse(moment.gtids);
  if (!all) return all.error();
  const auto applied = MariadbGtids::parse(source_applied_);
  if (!applied) return applied.error();
  const std::vector<MariadbGtid> logged = all->list();
  for (const MariadbGtid& gtid : applied->list())
    if (std::ranges::find(logged, gtid.domain, &MariadbGtid::domain) == logged.end())
      all->add(gtid);
  moment.gtids = all->print();
  return Done{};
}

Result<CopyMoment> Copier::dump(const std::string& path) {
  if (facts_.foreign_tables > 0)
    log_(fmt::format(
        "{} tables are not InnoDB tables: clients that write to {} wait until the dump is written",
        facts_.foreign_tables, task_.from.name));
  const auto login = ToolLogin::prepare(env_, task_.from, options_.cluster.mysql, path);
  if (!login) return login.error();
  Command command{resync_.dump_command, {}, path};
  if (command.argv.empty()) command.argv = {sessions_.is_mysql() ? "mysqldump" : "mariadb-dump"};
  (*login)->add_to(command);
  for (std::string& word : dump_arguments(
           (*login)->node(), facts_.foreign_tables > 0 ? DumpLock::kAllTables : DumpLock::kNone))
    command.argv.push_back(std::move(word));
  if (facts_.versioned_tables > 0) command.argv.emplace_back("--dump-history");
  command.may_go_on = [&] {
    // As soon as it shows a moment, so that little is written between that and the counting.
    if (const auto begun = env_.files.open(path); begun && read_dump_moment(**begun))
      if (const auto started = verifier_.start_counting(); !started) log_(started.error().text);
    return watch_.go_on([&] {
      return fmt::format("dumped {} of about {}", mebibytes(size_of(path)), mebibytes(bytes_));
    });
  };
  command.ends_with_us = true;
  const auto outcome = env_.process.run(command, watch_.deadline());
  if (!outcome) return outcome.error();
  if (watch_.ended()) return *watch_.ended();
  if (!outcome->succeeded())
    return failure((*login)->explain(describe_end(command.argv, *outcome)));
  const auto file = env_.files.open(path);
  if (!file) return file.error();
  auto moment = read_dump_moment(**file);
  if (!moment) return moment.error();
  if (const auto whole = check_dump_end(**file); !whole) return whole.error();
  if (const auto started = verifier_.start_counting(); !started) return started.error();
  return moment;
}

Result<Done> Copier::load(const std::string& path) {
  // What fits into a row need not fit into a statement that writes it as text.
  const auto packet = query_value(sessions_.target(), "SELECT @@GLOBAL.max_allowed_packet");
  if (!packet) return packet.error();
  const auto widened = sessions_.target().query("SET GLOBAL max_allowed_packet=1073741824");
  if (!widened) return widened.error();
  const auto loaded = load_statements(path);
  const auto narrowed = sessions_.target().query("SET GLOBAL max_allowed_packet=" + *packet);
  if (loaded && !narrowed) return narrowed.error();
  return loaded;
}

Result<Done> Copier::load_statements(const std::string& path) {
  const auto worker = sessions_.connect_worker();
  if (!worker) return worker.error();
  const auto done = std::make_shared<std::atomic<double>>(0);
  return watch_.attend(
      [path, session = *worker, done, &files = env_.files]() -> Result<Done> {
        if (const auto dropped = drop_databases(*session); !dropped) return dropped;
        const auto file = files.open(path);
        if (!file) return file.error();
        return for_each_statement(**file, [&](const std::string& sql) -> Result<Done> {
          *done = *done + static_cast<double>(sql.size());
          if (is_about_server(sql)) return Done{};
          if (const auto rows = session->query(sql); !rows) return rows.error();
          return Done{};
        });
      },
      [&] { return fmt::format("loaded {} of {}", mebibytes(*done), mebibytes(size_of(path))); });
}

// All but the mark. A directory that is no database has a name of this kind.
Result<Done> Copier::drop_databases(SqlSession& session) {
  const auto databases =
      session.query_long(fmt::format("SELECT schema_name AS name FROM information_schema.schemata"
                                     " WHERE schema_name NOT IN {} AND schema_name <> '{}'"
                                     " AND schema_name NOT LIKE '#mysql50#%'",
                                     kSystemDatabases, kHalfCopy));
  if (!databases) return databases.error();
  std::vector<std::string> sql = {"SET SESSION sql_log_bin=0", "SET SESSION foreign_key_checks=0"};
  for (std::size_t i = 0; i < databases->cells.size(); ++i)
    sql.push_back("DROP DATABASE " +
                  quote_identifier(Row(*databases, i).text("name").value_or("")));
  return run_all(session, sql);
}

// Without it the copy would know nothing of what other servers than the last writer have written,
// and a former primary would seem to have extra transactions: its own.
Result<std::string> Copier::logged_gtids(const CopyMoment& moment) const {
  // A source that has died meanwhile leaves us with what it knew before.
  const auto now = query_value(sessions_.source(), "SELECT @@GLOBAL.gtid_binlog_state");
  const auto before = MariadbGtids::parse(source_logged_),
             after = MariadbGtids::parse(now ? *now : source_logged_),
             last = MariadbGtids::parse(moment.gtids);
  for (const auto* const gtids : {&before, &after, &last})
    if (!*gtids) return gtids->error();
  return binlog_state_of_copy(*before, *after, *last);
}

Result<Done> Copier::finish(const CopyMoment& moment) {
  std::vector<std::string> sql = {"FLUSH PRIVILEGES"};
  if (sessions_.is_mysql() || task_.to.facts->log_bin == true)
    sql.push_back(forget_binlogs(sessions_.target().version()));
  if (!sessions_.is_mysql() && task_.to.facts->log_bin == true) {
    const auto logged = logged_gtids(moment);
    if (!logged) return logged.error();
    sql.push_back("SET GLOBAL gtid_binlog_state=" + quote_string(*logged));
  }
  if (!sessions_.is_mysql())
    sql.push_back("SET GLOBAL gtid_slave_pos=" + quote_string(moment.gtids));
  else if (!moment.gtids.empty())
    sql.push_back("SET GLOBAL gtid_purged=" + quote_string(moment.gtids));
  sql.push_back(fmt::format("DROP DATABASE IF EXISTS {}", kHalfCopy));
  if (const auto done = run_all(sessions_.target(), sql); !done) return done;
  return target_.restore();
}

}  // namespace ha
