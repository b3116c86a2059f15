// SPDX-License-Identifier: MIT
// Zabbix 6.0 and later: table ha_node, one row per node, a server without HA has the empty name.
// lastaccess is written by the database's clock, also by standby nodes (schema: ha_node; states:
// src/zabbix_server/ha/ha.h).
#include <fmt/format.h>

#include "common/heartbeat/sql_sources.h"
#include "common/text.h"

namespace ha {

namespace {

enum HaStatus { kStandby = 0, kStopped = 1, kUnavailable = 2, kActive = 3 };

std::string writer(const std::string& name) {
  return name.empty() ? "Zabbix server" : "Zabbix node " + sanitize(name);
}

// The node that was named, else the active one, else the only one.
std::optional<std::size_t> choose(const Rows& rows, const HeartbeatSpec& spec) {
  for (std::size_t i = 0; i < rows.cells.size(); ++i) {
    const Row row(rows, i);
    if (spec.node_name ? row.text("name") == spec.node_name : row.integer("status") == kActive)
      return i;
  }
  if (!spec.node_name && rows.cells.size() == 1) return 0;
  return std::nullopt;
}

}  // namespace

Result<HeartbeatFacts> read_zabbix(SqlSession& session, const HeartbeatSpec& spec, StampMemory&) {
  const HeartbeatTableName table(spec, "ha_node");
  const auto rows = select(
      session,
      fmt::format("SELECT name, status, {} - lastaccess AS age FROM {} ORDER BY lastaccess DESC",
                  kServerNow, table.sql),
      table.sql);
  if (!rows) return rows.error();
  const auto chosen = choose(*rows, spec);
  if (!chosen) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < rows->cells.size(); ++i)
      names.push_back("'" + sanitize(Row(*rows, i).text("name").value_or("")) + "'");
    HeartbeatFacts facts{"", spec.node_name ? writer(*spec.node_name) : "an active Zabbix node"};
    facts.absence = fmt::format("not in {} (nodes there: {})", table.text, list_names(names));
    return facts;
  }

  const Row row(*rows, *chosen);
  HeartbeatFacts facts{"", writer(row.text("name").value_or(""))};
  facts.age_s = row.number("age");
  const auto status = row.integer("status");
  if (!status || !facts.age_s)
    return Error{Errc::kBadData, fmt::format("{}: a status or time is no number", table.text)};
  facts.active = status == kActive;
  facts.role = status == kActive ? "active" : "standby";
  if (status == kStopped) facts.stopped = "is stopped";
  if (status == kUnavailable) facts.stopped = "is unavailable, the active node says";
  if (*status < kStandby || *status > kActive)
    return Error{Errc::kBadData, fmt::format("{}: unknown status {}", table.text, *status)};
  return facts;
}

}  // namespace ha
