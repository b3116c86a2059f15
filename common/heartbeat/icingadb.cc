// SPDX-License-Identifier: MIT
// Icinga DB: table icingadb_instance, one row per daemon, deleted on a clean stop. heartbeat is the
// time, in milliseconds, of the last message that came from Icinga 2 through Redis, so it proves
// the whole way (schema/mysql/schema.sql; pkg/icingadb/ha.go).
#include <fmt/format.h>

#include "common/heartbeat/sql_sources.h"
#include "common/text.h"

namespace ha {

Result<HeartbeatFacts> read_icingadb(SqlSession& session, const HeartbeatSpec& spec) {
  const HeartbeatTableName table(spec, "icingadb_instance"), endpoints(spec, "endpoint");
  // A crashed daemon's row stays beside its successor's: the newest of an endpoint counts.
  const auto rows =
      select(session,
             fmt::format("SELECT e.name, i.responsible, {} - i.heartbeat / 1000 AS age FROM {} i"
                         " LEFT JOIN {} e ON e.id = i.endpoint_id ORDER BY i.heartbeat DESC",
                         kServerNow, table.sql, endpoints.sql),
             quote_identifier(spec.database) + ".*");
  if (!rows) return rows.error();

  std::vector<std::string> names;
  std::optional<std::size_t> chosen;
  for (std::size_t i = 0; i < rows->cells.size() && !chosen; ++i) {
    const Row row(*rows, i);
    names.push_back(sanitize(row.text("name").value_or("?")));
    if (spec.node_name ? row.text("name") == spec.node_name : flag(row, "responsible") == true)
      chosen = i;
  }
  if (!chosen && !spec.node_name && rows->cells.size() == 1) chosen = 0;
  HeartbeatFacts facts{"", "a responsible Icinga DB"};
  if (spec.node_name) facts.writer = "Icinga DB of " + *spec.node_name;
  if (!chosen) {
    facts.absence = fmt::format(
        "not in {} (endpoints there: {}); it was stopped cleanly, is "
        "starting, or writes elsewhere (--database)",
        table.text, list_names(names));
    return facts;
  }
  const Row row(*rows, *chosen);
  facts.writer = "Icinga DB of " + names[*chosen];
  facts.age_s = row.number("age");
  if (!facts.age_s) return Error{Errc::kBadData, table.text + ": a heartbeat is no number"};
  facts.active = flag(row, "responsible");
  facts.role = facts.active == true ? "responsible" : "not responsible";
  return facts;
}

}  // namespace ha
