// SPDX-License-Identifier: MIT
// Icinga DB: table icingadb_instance, one row per daemon, deleted on a clean stop. heartbeat is the
// time, in milliseconds, of the last message that came from Icinga 2 through Redis, so it proves
// the whole way (schema/mysql/schema.sql; pkg/icingadb/ha.go). Several environments may share the
// database; each has one responsible daemon.
#include <fmt/format.h>

#include <algorithm>

#include "common/heartbeat/sql_sources.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

constexpr std::size_t kIdDigits = 40;

struct Daemon {
  std::optional<std::string> endpoint;
  std::string environment;  // lower-case hexadecimal
  std::optional<double> age_s;
  bool responsible = false;
};

// The newest first: a crashed daemon's row stays beside its successor's.
Result<std::vector<Daemon>> read_daemons(SqlSession& session, const HeartbeatSpec& spec) {
  const HeartbeatTableName table(spec, "icingadb_instance"), endpoints(spec, "endpoint");
  const auto rows = select(
      session,
      fmt::format("SELECT e.name, i.responsible, LOWER(HEX(i.environment_id)) AS environment,"
                  " {} - i.heartbeat / 1000 AS age FROM {} i"
                  " LEFT JOIN {} e ON e.id = i.endpoint_id ORDER BY i.heartbeat DESC",
                  kServerNow, table.sql, endpoints.sql),
      quote_identifier(spec.database) + ".*");
  if (!rows) return rows.error();
  std::vector<Daemon> daemons;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    daemons.push_back({row.text("name"), row.text("environment").value_or(""), row.number("age"),
                       flag(row, "responsible") == true});
    if (!daemons.back().age_s)
      return Error{Errc::kBadData, table.text + ": a heartbeat is no number"};
  }
  return daemons;
}

// Returns the id of the environment that --environment names; empty when there is none.
Result<std::string> find_environment(SqlSession& session, const HeartbeatSpec& spec) {
  const std::string& wanted = spec.environment;
  if (wanted.size() == kIdDigits &&
      wanted.find_first_not_of("0123456789abcdefABCDEF") == wanted.npos)
    return to_lower(wanted);
  const HeartbeatTableName table(spec, "environment");
  const auto rows =
      select(session, fmt::format("SELECT name, LOWER(HEX(id)) AS id FROM {}", table.sql),
             quote_identifier(spec.database) + ".*");
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->cells.size(); ++i)
    if (const Row row(*rows, i); row.text("name") == wanted) return row.text("id").value_or("");
  return std::string();
}

template <class Member>
std::vector<std::string> names_of(const std::vector<Daemon>& daemons, Member member) {
  std::vector<std::string> names;
  for (const Daemon& daemon : daemons) {
    const std::string name = sanitize(member(daemon));
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string endpoint_of(const Daemon& daemon) { return daemon.endpoint.value_or("?"); }
std::string environment_of(const Daemon& daemon) { return daemon.environment; }

// Says how old the newest heartbeat of each environment is: one that has long been given up, say.
// The daemons are those of read_daemons(), newest first.
std::string list_environments(const std::vector<Daemon>& daemons) {
  std::vector<std::string> seen, texts;
  for (const Daemon& daemon : daemons) {
    if (std::ranges::find(seen, daemon.environment) != seen.end()) continue;
    seen.push_back(daemon.environment);
    texts.push_back(fmt::format("{} (heartbeat {} ago)", sanitize(daemon.environment),
                                format_duration(std::max(0.0, *daemon.age_s))));
  }
  return join(texts, ", ");
}

bool lives(const Daemon& daemon, const HeartbeatSpec& spec) {
  return judge(spec.limits, std::max(0.0, *daemon.age_s)) == State::kOk;
}

// Names the daemons that hold the responsibility at the same time, if there are several. The row of
// one that crashed loses it before another takes over, so all of them live.
std::string find_conflict(const std::vector<Daemon>& daemons, const HeartbeatSpec& spec) {
  std::vector<std::string> responsible;
  for (const Daemon& daemon : daemons)
    if (daemon.responsible && lives(daemon, spec))
      responsible.push_back(sanitize(endpoint_of(daemon)));
  if (responsible.size() < 2) return "";
  return fmt::format("{} daemons are responsible at the same time: {}; stop all but one",
                     responsible.size(), join(responsible, ", "));
}

// Of one endpoint the row that leads counts while it lives, else the newest. Null: there is none,
// or which of several is not decided.
const Daemon* choose(const std::vector<Daemon>& daemons, const HeartbeatSpec& spec) {
  const auto leads = std::ranges::find_if(daemons, [&](const Daemon& daemon) {
    return daemon.responsible && (!spec.node_name || lives(daemon, spec));
  });
  if (leads != daemons.end()) return &*leads;
  return !daemons.empty() && (spec.node_name || daemons.size() == 1) ? &daemons.front() : nullptr;
}

std::string describe_absence(const HeartbeatSpec& spec, const std::vector<std::string>& endpoints,
                             const std::vector<std::string>& environments) {
  return fmt::format(
      "not in {} (endpoints there: {}{}); it was stopped cleanly, is starting, or writes "
      "elsewhere (--database)",
      HeartbeatTableName(spec, "icingadb_instance").text, list_names(endpoints),
      spec.environment.empty() ? ""
                               : fmt::format("; of environment {}, there are: {}",
                                             sanitize(spec.environment), list_names(environments)));
}

}  // namespace

Result<HeartbeatFacts> read_icingadb(SqlSession& session, const HeartbeatSpec& spec, StampMemory&) {
  auto daemons = read_daemons(session, spec);
  if (!daemons) return daemons.error();
  const std::vector<std::string> environments = names_of(*daemons, environment_of);
  if (!spec.environment.empty()) {
    const auto wanted = find_environment(session, spec);
    if (!wanted) return wanted.error();
    std::erase_if(*daemons, [&](const Daemon& daemon) { return daemon.environment != *wanted; });
  } else if (environments.size() > 1) {
    return Error{Errc::kUsage,
                 "--environment: which one? There are: " + list_environments(*daemons)};
  }
  const std::vector<std::string> endpoints = names_of(*daemons, endpoint_of);
  if (spec.node_name)
    std::erase_if(*daemons,
                  [&](const Daemon& daemon) { return daemon.endpoint != spec.node_name; });

  const Daemon* const chosen = choose(*daemons, spec);
  HeartbeatFacts facts{"", "a responsible Icinga DB"};
  if (spec.node_name) facts.writer = "Icinga DB of " + *spec.node_name;
  if (chosen == nullptr) {
    facts.absence = describe_absence(spec, endpoints, environments);
    return facts;
  }
  facts.writer = "Icinga DB of " + sanitize(endpoint_of(*chosen));
  facts.age_s = chosen->age_s;
  facts.active = chosen->responsible;
  facts.role = chosen->responsible ? "responsible" : "not responsible";
  facts.conflict = find_conflict(*daemons, spec);
  facts.advice = "Redis or Icinga DB, through which it comes, may be late instead";
  return facts;
}

}  // namespace ha
