// SPDX-License-Identifier: MIT
#include "common/heartbeat/read.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "common/clock.h"
#include "common/heartbeat/file_sources.h"
#include "common/heartbeat/icinga2_api.h"
#include "common/heartbeat/sql_sources.h"
#include "common/heartbeat/stamp_memory.h"
#include "common/mysql/connect_within.h"
#include "common/text.h"

namespace ha {

namespace {

SqlSource* sql_source(std::string_view preset) {
  const std::pair<std::string_view, SqlSource*> sources[] = {
      {"nagios1", read_nagios1},          {"ndo", read_ndo},       {"ido", read_ido},
      {"icingadb", read_icingadb},        {"zabbix", read_zabbix}, {"pandora", read_pandora},
      {"pt-heartbeat", read_pt_heartbeat}};
  for (const auto& [name, source] : sources)
    if (name == preset) return source;
  return read_sql;
}

// A table that is not there is as silent as a row that is not there.
Result<HeartbeatFacts> read_or_missing(SqlSession& session, const HeartbeatSpec& spec,
                                       StampMemory& memory) {
  auto facts = sql_source(spec.preset->name)(session, spec, memory);
  if (facts || facts.error().code != Errc::kMissing) return facts;
  HeartbeatFacts missing{"", fmt::format("preset {}", spec.preset->name)};
  missing.absence = facts.error().text;
  return missing;
}

std::optional<double> measure_skew(SqlSession& session) {
  const double before = SystemClock().now_s();
  const auto server = query_value(session, fmt::format("SELECT {}", kServerNow));
  const auto server_now = server ? parse_number(*server) : std::nullopt;
  if (!server_now) return std::nullopt;
  return proven_skew(before, SystemClock().now_s(), *server_now);
}

Result<HeartbeatFacts> read_again(SqlSession& session, const HeartbeatSpec& spec,
                                  StampMemory& memory, const Deadline& deadline) {
  constexpr double kAgain_s = 2, kMargin_s = 0.5;
  auto facts = read_or_missing(session, spec, memory);
  if (facts && !facts->age_s && facts->stopped.empty() && spec.preset->row_may_vanish &&
      deadline.remaining_s() > kAgain_s + kMargin_s) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kAgain_s));
    facts = read_or_missing(session, spec, memory);
  }
  if (facts) facts->clock_skew_s = measure_skew(session);
  return facts;
}

// One directory serves all heartbeats.
std::string memory_name(const HeartbeatSpec& spec) {
  return fmt::format("{} {} {}{} {}{} {}", spec.preset->name, server_label(spec.mysql),
                     spec.database.empty() ? "" : spec.database + ".", spec.prefix, spec.instance,
                     spec.node_name.value_or(""), spec.preset->name == "sql" ? spec.table : "");
}

Result<HeartbeatFacts> connect_and_read(const HeartbeatSpec& spec, const Deadline& deadline) {
  StampMemory memory;
  std::string trouble;
  if (!spec.state_directory.empty()) {
    auto loaded = StampMemory::load(spec.state_directory, memory_name(spec));
    if (loaded)
      memory = std::move(*loaded);
    else
      trouble = loaded.error().text;
  }
  auto session = connect_within(spec.mysql, deadline);
  if (!session) return session.error();
  auto facts = read_again(**session, spec, memory, deadline);
  if (const auto saved = memory.save(); !saved) trouble = saved.error().text;
  if (facts && !trouble.empty()) facts->memory_trouble = "--state-dir: " + trouble;
  return facts;
}

}  // namespace

std::string heartbeat_place(const HeartbeatSpec& spec) {
  switch (spec.preset->kind) {
    case Preset::Kind::kFile:
      return spec.file;
    case Preset::Kind::kApi:
      return spec.api;
    case Preset::Kind::kSql:
      break;
  }
  return server_label(spec.mysql);
}

Result<HeartbeatFacts> read_heartbeat(const HeartbeatSpec& spec, const Deadline& deadline) {
  const auto read = [&]() -> Result<HeartbeatFacts> {
    if (spec.preset->kind == Preset::Kind::kApi) return read_icinga2_api(spec, deadline);
    if (spec.preset->name == "status-dat") return read_status_dat_heartbeat(spec);
    if (spec.preset->name == "file") return read_file_heartbeat(spec);
    return connect_and_read(spec, deadline);
  };
  auto facts = read();
  if (facts) facts->place = heartbeat_place(spec);
  return facts;
}

}  // namespace ha
