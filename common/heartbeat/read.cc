// SPDX-License-Identifier: MIT
#include "common/heartbeat/read.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "common/heartbeat/file_sources.h"
#include "common/heartbeat/icinga2_api.h"
#include "common/heartbeat/sql_sources.h"
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
Result<HeartbeatFacts> read_or_missing(SqlSession& session, const HeartbeatSpec& spec) {
  auto facts = sql_source(spec.preset->name)(session, spec);
  if (facts || facts.error().code != Errc::kMissing) return facts;
  HeartbeatFacts missing{"", fmt::format("preset {}", spec.preset->name)};
  missing.absence = facts.error().text;
  return missing;
}

// Our clock minus the server's; the answer's way takes half of the time that it took in all.
std::optional<double> measure_skew(SqlSession& session) {
  const double before = epoch_now_s();
  const auto server = query_value(session, fmt::format("SELECT {}", kServerNow));
  const auto server_now = server ? parse_number(*server) : std::nullopt;
  if (!server_now) return std::nullopt;
  return (before + epoch_now_s()) / 2 - *server_now;
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

Result<HeartbeatFacts> read_sql_heartbeat(SqlSession& session, const HeartbeatSpec& spec,
                                          const Deadline& deadline) {
  constexpr double kAgain_s = 2, kMargin_s = 0.5;
  auto facts = read_or_missing(session, spec);
  if (facts && !facts->age_s && facts->stopped.empty() && spec.preset->row_may_vanish &&
      deadline.remaining_s() > kAgain_s + kMargin_s) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kAgain_s));
    facts = read_or_missing(session, spec);
  }
  if (facts) facts->clock_skew_s = measure_skew(session);
  return facts;
}

Result<HeartbeatFacts> read_heartbeat(const HeartbeatSpec& spec, const Deadline& deadline) {
  const auto read = [&]() -> Result<HeartbeatFacts> {
    if (spec.preset->kind == Preset::Kind::kApi) return read_icinga2_api(spec, deadline);
    if (spec.preset->name == "status-dat") return read_status_dat_heartbeat(spec);
    if (spec.preset->name == "file") return read_file_heartbeat(spec);
    auto session = connect(spec.mysql);
    if (!session) return session.error();
    return read_sql_heartbeat(**session, spec, deadline);
  };
  auto facts = read();
  if (facts) facts->place = heartbeat_place(spec);
  return facts;
}

}  // namespace ha
