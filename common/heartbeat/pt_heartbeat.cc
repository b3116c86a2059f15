// SPDX-License-Identifier: MIT
// pt-heartbeat's table, see common/mysql/heartbeat_table. Here the row of the server that is asked
// counts too: the question is whether the tool writes, not whether its rows arrive.
#include <fmt/format.h>

#include <algorithm>

#include "common/heartbeat/sql_sources.h"

namespace ha {

Result<HeartbeatFacts> read_pt_heartbeat(SqlSession& session, const HeartbeatSpec& spec,
                                         StampMemory& memory) {
  HeartbeatTable table = spec.heartbeat;
  table.own_counts = true;
  if (spec.given.contains("database") && table.table == HeartbeatTable{}.table)
    table.table = "heartbeat";
  if (table.table.find('.') == table.table.npos) table.table = spec.database + "." + table.table;
  auto beats = read_heartbeat_table(session, table);
  if (!beats) return beats.error();
  for (HeartbeatRow& beat : *beats) {
    const StampAge age = memory.age_of(std::to_string(beat.server_id), beat.stamp);
    beat.age_s = age.age_s.value_or(beat.age_s);
    beat.other_age_s = age.other_age_s;
  }
  const auto freshest = std::ranges::min_element(*beats, {}, &HeartbeatRow::age_s);
  HeartbeatFacts facts{"", "pt-heartbeat"};
  if (freshest == beats->end()) {
    if (table.server_id) facts.writer += fmt::format(" of server {}", *table.server_id);
    facts.absence = "no row in " + table.table;
  } else {
    facts.writer += fmt::format(" of server {}", freshest->server_id);
    facts.age_s = freshest->age_s;
    facts.other_age_s = freshest->other_age_s;
  }
  return facts;
}

}  // namespace ha
