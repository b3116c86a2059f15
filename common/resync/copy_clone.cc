// SPDX-License-Identifier: MIT
// Copying by MySQL's clone plugin. Source: MySQL manual, "The Clone Plugin".
#include <fmt/format.h>

#include "common/execute/failure.h"
#include "common/mysql/variables.h"
#include "common/resync/copier.h"

namespace ha {

Result<BinlogPosition> Copier::clone() {
  const auto statement = clone_statement();
  if (!statement) return statement.error();
  for (SqlSession* const session : {&sessions_.source(), &sessions_.target()})
    if (const auto installed = install_clone(*session); !installed) return installed.error();
  const auto worker = sessions_.connect_worker();
  if (!worker) return worker.error();
  const auto own = query_value(**worker, "SELECT CONNECTION_ID()");
  if (!own) return own.error();
  if (const auto begun = target_.begin(); !begun) return begun.error();
  if (const auto kept = keep_closed(); !kept) return kept.error();
  const auto cloned = watch_.attend(
      [session = *worker, sql = *statement]() -> Result<Done> {
        if (const auto rows = session->query(sql); !rows) return rows.error();
        return Done{};
      },
      [this] { return describe_clone(); });
  if (watch_.ended()) {
    // It would go on without us.
    if (const auto killed = sessions_.target().query("KILL " + *own); !killed)
      log_(killed.error().text);
    return *watch_.ended();
  }
  const auto back = await_clone(cloned ? "" : cloned.error().text);
  if (!back) return back.error();
  const auto where = sessions_.target().query(
      "SELECT binlog_file, binlog_position FROM performance_schema.clone_status");
  if (!where) return where.error();
  if (where->cells.empty()) return failure("it does not show the binlog position of the copy");
  const Row row(*where, 0);
  const BinlogPosition position{
      row.text("binlog_file").value_or(""),
      static_cast<std::uint64_t>(row.integer("binlog_position").value_or(0))};
  if (const auto same = verifier_.verify(position); !same) return same.error();
  const auto unmarked =
      sessions_.target().query(fmt::format("DROP DATABASE IF EXISTS {}", kHalfCopy));
  if (!unmarked) return unmarked.error();
  if (const auto restored = target_.restore(); !restored) return restored.error();
  return position;
}

Result<Done> Copier::install_clone(SqlSession& session) {
  const auto there = query_value(session,
                                 "SELECT COUNT(*) FROM information_schema.plugins"
                                 " WHERE plugin_name = 'clone' AND plugin_status = 'ACTIVE'");
  if (!there) return there.error();
  if (*there != "0") return Done{};
  // Nothing can be installed on a server that is closed for everybody.
  const auto closed = read_switch(session, "super_read_only");
  if (!closed) return closed.error();
  if (*closed)
    if (const auto open = session.query("SET GLOBAL super_read_only=0"); !open) return open.error();
  const auto installed = session.query("INSTALL PLUGIN clone SONAME 'mysql_clone.so'");
  if (*closed)
    if (const auto again = session.query("SET GLOBAL super_read_only=1"); !again)
      return again.error();
  if (!installed) return installed.error();
  return Done{};
}

// What it is set to now ends with the restart, and nothing can be cloned to a server that is
// closed for administrators too.
Result<Done> Copier::keep_closed() {
  const auto kept = query_value(sessions_.target(),
                                "SELECT COUNT(*) FROM performance_schema.persisted_variables"
                                " WHERE variable_name = 'super_read_only'"
                                " AND variable_value = 'ON'");
  if (!kept) return kept.error();
  std::vector<std::string> sql = {
      "SET GLOBAL super_read_only=0",
      fmt::format("SET GLOBAL clone_valid_donor_list={}",
                  quote_string(fmt::format("{}:{}", task_.from.host, task_.from.port)))};
  if (*kept == "0") {
    if (const auto noted = target_.record().add(CopyTarget::kPersisted); !noted) return noted;
    sql.insert(sql.begin(), "SET PERSIST super_read_only=1");
  }
  return run_all(sessions_.target(), sql);
}

Result<std::string> Copier::clone_statement() const {
  const MysqlOptions& account = options_.cluster.mysql;
  if (account.user.empty()) return Error{Errc::kUsage, "give --username"};
  return fmt::format("CLONE INSTANCE FROM {}@{}:{} IDENTIFIED BY {}{}", quote_text(account.user),
                     quote_text(task_.from.host), task_.from.port,
                     quote_text(account.password.value_or("")),
                     effective_tls_mode(account) >= TlsMode::kRequired ? " REQUIRE SSL" : "");
}

std::string Copier::describe_clone() {
  const auto rows = sessions_.target().query(
      "SELECT SUM(data) AS done, SUM(estimate) AS estimate"
      " FROM performance_schema.clone_progress");
  if (!rows || rows->cells.empty()) return "";
  const Row row(*rows, 0);
  return fmt::format("cloned {} of about {}", mebibytes(row.number("done").value_or(0)),
                     mebibytes(row.number("estimate").value_or(0)));
}

// The server restarts when it has the copy; one that nothing starts again has stopped.
Result<Done> Copier::await_clone(const std::string& error) {
  bool told = false;
  for (const Deadline patience = watch_.deadline().from_now(kRestart_s); !patience.passed();) {
    const auto session = sessions_.connect_to_target();
    const auto state = session ? query_value(**session,
                                             "SELECT CONCAT(STATE, ' ', ERROR_MESSAGE)"
                                             " FROM performance_schema.clone_status")
                               : Result<std::string>(session.error());
    // What was completed before this one began has left the mark.
    const auto half = session ? is_half_copied(**session) : Result<bool>(session.error());
    if (state && half && !*half && state->starts_with("Completed"))
      return target_.take_over(*session);
    if (half && *half && (!state || !state->starts_with("In Progress")))
      return failure(error.empty() ? task_.to.name + " was not cloned" : error);
    if (state && state->starts_with("Failed")) return failure(*state);
    if (session && !state && !may_be_restarting(state.error())) return state.error();
    if (!session && !may_be_restarting(session.error())) return session.error();
    if (!session && !told) {
      told = true;
      log_(fmt::format("{} restarts with the copy; if no other program starts it, start it by hand",
                       task_.to.name));
    }
    if (!env_.clock.sleep(kRestartPoll_s)) return failure("asked to stop");
  }
  return failure(task_.to.name + " has not come back: start it");
}

}  // namespace ha
