// SPDX-License-Identifier: MIT
#include "common/execute/applier_wait.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

// The states that end only when another client does something.
constexpr char kMysqlWait[] =
    "SELECT PROCESSLIST_STATE FROM performance_schema.threads"
    " WHERE (NAME LIKE 'thread/sql/replica\\_%' OR NAME LIKE 'thread/sql/slave\\_%')"
    " AND (PROCESSLIST_STATE LIKE 'Waiting for % lock'"
    " OR PROCESSLIST_STATE LIKE 'Waiting for semi-sync ACK%') LIMIT 1";
constexpr char kMariadbWait[] =
    "SELECT STATE FROM information_schema.processlist WHERE USER = 'system user'"
    " AND (STATE LIKE 'Waiting for % lock' OR STATE LIKE 'Waiting for semi-sync ACK%') LIMIT 1";

// The client that has the lock that the applier waits for.
constexpr char kMysqlHolder[] =
    "SELECT t.PROCESSLIST_ID AS id, t.PROCESSLIST_USER AS user, t.PROCESSLIST_HOST AS host"
    " FROM performance_schema.metadata_locks w JOIN performance_schema.threads a"
    " ON a.THREAD_ID = w.OWNER_THREAD_ID"
    " JOIN performance_schema.metadata_locks g ON g.LOCK_STATUS = 'GRANTED'"
    " AND g.OBJECT_TYPE = w.OBJECT_TYPE AND g.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA"
    " AND g.OBJECT_NAME <=> w.OBJECT_NAME AND g.OWNER_THREAD_ID <> w.OWNER_THREAD_ID"
    " JOIN performance_schema.threads t ON t.THREAD_ID = g.OWNER_THREAD_ID"
    " WHERE w.LOCK_STATUS = 'PENDING' AND t.PROCESSLIST_USER IS NOT NULL"
    " AND (a.NAME LIKE 'thread/sql/replica\\_%' OR a.NAME LIKE 'thread/sql/slave\\_%') LIMIT 1";
// MariaDB tells it only with a plugin: the oldest open transaction, else the longest connection.
constexpr char kMariadbHolder[] =
    "SELECT p.ID AS id, p.USER AS user, p.HOST AS host FROM information_schema.processlist p"
    " LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.ID"
    " WHERE p.USER NOT IN ('system user', 'event_scheduler') AND p.ID <> CONNECTION_ID()"
    " AND p.COMMAND NOT LIKE 'Binlog Dump%'"
    " ORDER BY t.trx_started IS NULL, t.trx_started, p.TIME_MS DESC LIMIT 1";

}  // namespace

Result<std::string> read_applier_wait(SqlSession& session) {
  const bool mysql = session.version().flavour == Flavour::kMysql;
  const auto state = session.query(mysql ? kMysqlWait : kMariadbWait);
  if (!state) return state.error();
  if (state->cells.empty()) return std::string();
  const std::string wait = sanitize(state->cells[0][0].value_or(""));
  if (wait.find("semi-sync") != wait.npos) return wait;
  const auto holder = session.query(mysql ? kMysqlHolder : kMariadbHolder);
  // An account that may not read it can still be told what it is.
  if (!holder || holder->cells.empty()) return wait;
  const Row row(*holder, 0);
  return fmt::format("{} {} connection {} of {}@{}", wait, mysql ? "held by" : "held, perhaps, by",
                     row.text("id").value_or("?"), sanitize(row.text("user").value_or("?")),
                     sanitize(row.text("host").value_or("?")));
}

}  // namespace ha
