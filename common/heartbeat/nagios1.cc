// SPDX-License-Identifier: MIT
// Nagios 1.x built with MySQL status storage (contrib/database/create_mysql): one row, no instance.
// It is deleted on a clean stop, and deleted and inserted at every aggregated dump.
#include <fmt/format.h>

#include "common/heartbeat/sql_sources.h"

namespace ha {

Result<HeartbeatFacts> read_nagios1(SqlSession& session, const HeartbeatSpec& spec,
                                    StampMemory& memory) {
  const HeartbeatTableName table(spec, "programstatus");
  const auto rows =
      select(session,
             fmt::format("SELECT {}, enable_notifications, execute_service_checks FROM {}"
                         " ORDER BY last_update DESC LIMIT 1",
                         local_stamp_columns("last_update"), table.sql),
             table.sql);
  if (!rows) return rows.error();
  HeartbeatFacts facts{"", "Nagios"};
  facts.absence = fmt::format(
      "{} is empty; it was stopped cleanly, is starting, or writes "
      "elsewhere (--database, --prefix)",
      table.text);
  if (rows->cells.empty()) return facts;
  const Row row(*rows, 0);
  take_age(facts, row, memory);
  facts.absence =
      fmt::format("the row in {} has no last_update yet; Nagios is starting", table.text);
  facts.active = flag(row, "enable_notifications");
  facts.checks = flag(row, "execute_service_checks");
  if (facts.active) facts.role = *facts.active ? "notifications enabled" : "notifications disabled";
  return facts;
}

}  // namespace ha
