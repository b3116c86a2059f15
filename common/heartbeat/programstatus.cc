// SPDX-License-Identifier: MIT
// NDOUtils 1 and 2, NDO 3 (db/mysql.sql, db/db.sql) and the Icinga IDO (schema/mysql.sql): one row
// per instance. NDO's times are DATETIME in its session's zone; Icinga's are TIMESTAMP, exact in
// any zone, and its row belongs to the one endpoint of the zone that writes at the moment.
#include <fmt/format.h>

#include <algorithm>

#include "common/heartbeat/sql_sources.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

constexpr std::string_view kDefaultInstance = "default";

struct Program {
  std::string_view engine;
  std::string_view writer;  // what writes the row for the engine
  std::string stamp_columns;
};

Result<Rows> read_programs(SqlSession& session, const HeartbeatSpec& spec, const Program& program) {
  const HeartbeatTableName status(spec, "programstatus"), instances(spec, "instances");
  return select(session,
                fmt::format("SELECT i.instance_name, {}, p.* FROM {} p LEFT JOIN {} i"
                            " ON i.instance_id = p.instance_id",
                            program.stamp_columns, status.sql, instances.sql),
                quote_identifier(spec.database) + ".*");
}

// Which of the rows is meant: the instance that was named, else the only one, else `default`.
std::optional<std::size_t> choose(const Rows& rows, const HeartbeatSpec& spec) {
  for (std::size_t i = 0; i < rows.cells.size(); ++i) {
    const auto name = Row(rows, i).text("instance_name");
    if (name == (spec.instance.empty() ? kDefaultInstance : spec.instance)) return i;
  }
  if (spec.instance.empty() && rows.cells.size() == 1) return 0;
  return std::nullopt;
}

void fill(HeartbeatFacts& facts, const Row& row, StampMemory& memory) {
  take_age(facts, row, memory, row.text("instance_name").value_or(""));
  facts.absence = "the row is there, but has no status_update_time yet; the engine is starting";
  facts.active = flag(row, "notifications_enabled");
  facts.checks = flag(row, "active_service_checks_enabled");
  if (facts.active) facts.role = *facts.active ? "notifications enabled" : "notifications disabled";
  if (flag(row, "is_currently_running") != false) return;
  // Before its first end the column is zero, 1970 or NULL.
  const std::string end = row.text("program_end_time").value_or("");
  facts.stopped = end > "1971" ? "was stopped at " + sanitize(end) : "is marked as not running";
}

// A fresh row proves that one endpoint lives: the one that it names.
Result<HeartbeatFacts> read_endpoint(HeartbeatFacts facts, const Row& row,
                                     const std::string& wanted, StampMemory& memory) {
  if (!row.has("endpoint_name"))
    return Error{Errc::kBadData, "--node-name: programstatus has no column endpoint_name"};
  const std::string endpoint = sanitize(row.text("endpoint_name").value_or(""));
  facts.writer += " endpoint " + wanted;
  if (endpoint == wanted) {
    fill(facts, row, memory);
  } else {
    facts.leader = endpoint;
    facts.active = false;
    facts.absence = fmt::format("endpoint {} writes in its place; it is standby or down", endpoint);
  }
  return facts;
}

// Names the instances whose own heartbeat is not CRITICAL, except the one at `chosen`.
std::string living_others(const Rows& rows, std::size_t chosen, const HeartbeatSpec& spec) {
  std::vector<std::string> living;
  for (std::size_t i = 0; i < rows.cells.size(); ++i) {
    const Row row(rows, i);
    const auto age = age_of(read_local_stamp(row), nullptr).age_s;
    if (i == chosen || !age || flag(row, "is_currently_running") == false) continue;
    if (judge(spec.limits, std::max(0.0, *age)) == State::kCritical) continue;
    living.push_back(fmt::format("'{}' ({} ago)", sanitize(row.text("instance_name").value_or("?")),
                                 format_duration(*age)));
  }
  return join(living, ", ");
}

Result<HeartbeatFacts> read_program(SqlSession& session, const HeartbeatSpec& spec,
                                    const Program& program, StampMemory& memory) {
  const auto rows = read_programs(session, spec, program);
  if (!rows) return rows.error();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rows->cells.size(); ++i)
    names.push_back(sanitize(Row(*rows, i).text("instance_name").value_or("?")));
  const auto chosen = choose(*rows, spec);
  if (!chosen && spec.instance.empty() && !names.empty())
    return Error{Errc::kUsage,
                 fmt::format("--instance: which one? There are: {}", join(names, ", "))};

  HeartbeatFacts facts{"", std::string(program.engine)};
  const std::string name = chosen ? names[*chosen] : spec.instance;
  if (!name.empty()) facts.writer += fmt::format(" instance '{}'", name);
  facts.absence = fmt::format(
      "no row in {} (instances there: {}); it is starting, or writes elsewhere "
      "(--database, --prefix, --instance)",
      HeartbeatTableName(spec, "programstatus").text, list_names(names));
  if (!chosen) return facts;
  const Row row(*rows, *chosen);
  facts.advice = fmt::format("{} writes this row and may be late instead", program.writer);
  if (const std::string living = living_others(*rows, *chosen, spec); !living.empty())
    facts.advice =
        fmt::format("alive in this database: instance {}; choose it with --instance", living);
  if (spec.node_name) return read_endpoint(std::move(facts), row, *spec.node_name, memory);
  fill(facts, row, memory);
  return facts;
}

}  // namespace

Result<HeartbeatFacts> read_ndo(SqlSession& session, const HeartbeatSpec& spec,
                                StampMemory& memory) {
  return read_program(session, spec,
                      {"Nagios", "ndo2db", local_stamp_columns("p.status_update_time")}, memory);
}

Result<HeartbeatFacts> read_ido(SqlSession& session, const HeartbeatSpec& spec,
                                StampMemory& memory) {
  return read_program(
      session, spec,
      {"Icinga", "the IDO writer",
       exact_stamp_columns("p.status_update_time", "UNIX_TIMESTAMP(p.status_update_time)")},
      memory);
}

}  // namespace ha
