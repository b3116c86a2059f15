// SPDX-License-Identifier: MIT
// Pandora FMS: table tserver, one row per server and component. keepalive is the local time of the
// host that runs pandora_server, not of the database; newer schemas have the same instant as
// server_keepalive_utimestamp (pandoradb.sql; Core.pm, pandora_update_server).
#include <fmt/format.h>

#include <algorithm>

#include "common/heartbeat/sql_sources.h"
#include "common/text.h"

namespace ha {

namespace {

struct Component {
  std::string server;
  long long type = 0;
  long long status = 0;  // 1 running, 0 stopped, -1 found dead by another server
  long long master = 0;  // the running server with the highest leads; 0 never does
  StampAge age = {};
};

constexpr long long kSatellite = 13, kMf = 15;

// Tools.pm, the constants *SERVER.
std::string component_name(long long type) {
  constexpr const char* kNames[] = {
      "data",   "network",     "SNMP console", "discovery", "plugin", "prediction",   "WMI",
      "export", "inventory",   "web",          "event",     "ICMP",   "SNMP",         "satellite",
      "",       "MF",          "sync",         "WUX",       "syslog", "provisioning", "migration",
      "alert",  "correlation", "NCM",          "netflow",   "log",    "MADE"};
  constexpr auto kCount = static_cast<long long>(std::size(kNames));
  if (type >= 0 && type < kCount && *kNames[type] != 0) return kNames[type];
  return fmt::format("type {}", type);
}

Result<std::vector<Component>> read_components(SqlSession& session, const HeartbeatTableName& table,
                                               StampMemory& memory) {
  // All columns, because older schemas lack server_keepalive_utimestamp.
  const auto rows =
      select(session,
             fmt::format("SELECT {}, t.* FROM {} t", local_stamp_columns("t.keepalive"), table.sql),
             table.sql);
  if (!rows) return rows.error();
  std::vector<Component> components;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const auto type = row.integer("server_type"), status = row.integer("status");
    const auto now = row.number("now");
    if (!type || !status || !now)
      return Error{Errc::kBadData, fmt::format("{}: a type or status is no number", table.text)};
    Component component{row.text("name").value_or(""), *type, *status,
                        row.integer("master").value_or(0)};
    if (const auto stamp = row.number("server_keepalive_utimestamp"); stamp.value_or(0) > 0)
      component.age = {*now - *stamp};
    else
      component.age = memory.age_of(fmt::format("{} {}", component.type, component.server),
                                    read_local_stamp(row));
    components.push_back(std::move(component));
  }
  return components;
}

std::string find_master(const std::vector<Component>& components) {
  const Component* master = nullptr;
  for (const Component& component : components)
    if (component.master != 0 && component.status == 1 &&
        (master == nullptr || component.master > master->master))
      master = &component;
  return master == nullptr ? "" : master->server;
}

// The worse of two: one that is down, then the older.
const Component* worse(const Component* a, const Component* b) {
  if (a == nullptr || (a->status == 1) != (b->status == 1))
    return a == nullptr || a->status == 1 ? b : a;
  return b->age.age_s.value_or(0) > a->age.age_s.value_or(0) ? b : a;
}

}  // namespace

Result<HeartbeatFacts> read_pandora(SqlSession& session, const HeartbeatSpec& spec,
                                    StampMemory& memory) {
  const HeartbeatTableName table(spec, "tserver");
  const auto components = read_components(session, table, memory);
  if (!components) return components.error();

  std::vector<std::string> names;
  for (const Component& component : *components)
    if (std::ranges::find(names, component.server) == names.end())
      names.push_back(component.server);
  if (!spec.node_name && names.size() > 1)
    return Error{Errc::kUsage, "--node-name: which one? There are: " + sanitize(join(names, ", "))};
  const std::string name = spec.node_name.value_or(names.empty() ? "" : names[0]);

  HeartbeatFacts facts{"", name.empty() ? "a Pandora server" : "Pandora server " + sanitize(name)};
  const Component* stalest = nullptr;
  for (const Component& component : *components)
    if (component.server == name && component.type != kSatellite && component.type != kMf)
      stalest = worse(stalest, &component);
  if (stalest == nullptr) {
    facts.absence =
        fmt::format("no row in {} (servers there: {})", table.text, sanitize(list_names(names)));
    return facts;
  }
  facts.writer += fmt::format(" ({})", component_name(stalest->type));
  facts.age_s = stalest->age.age_s;
  facts.other_age_s = stalest->age.other_age_s;
  facts.absence = "its keepalive was never written";
  if (stalest->status == 0) facts.stopped = "is stopped";
  if (stalest->status < 0) facts.stopped = "is marked as crashed";
  facts.active = find_master(*components) == name;
  facts.role = *facts.active ? "master" : "not master";
  return facts;
}

}  // namespace ha
