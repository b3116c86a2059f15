// SPDX-License-Identifier: MIT
// Facts of a healthy world, to be spoilt by each test in the one place that it is about.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/mysql/replica_status.h"
#include "common/mysql/session.h"
#include "common/text.h"

namespace ha {

// One row as a server would send it. nullopt is SQL NULL.
using Fields = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Builds a result set from rows that have the same columns.
inline Rows rows_of(const std::vector<Fields>& list) {
  Rows rows;
  for (const Fields& fields : list) {
    rows.columns.clear();
    rows.cells.emplace_back();
    for (const auto& [column, cell] : fields) {
      rows.columns.push_back(column);
      rows.cells.back().push_back(cell);
    }
  }
  return rows;
}

// Changes one cell, or adds it.
inline Fields with(Fields fields, const std::string& column, std::optional<std::string> cell) {
  for (auto& [name, old] : fields) {
    if (name != column) continue;
    old = std::move(cell);
    return fields;
  }
  fields.emplace_back(column, std::move(cell));
  return fields;
}

inline Fields without(Fields fields, const std::string& column) {
  std::erase_if(fields, [&](const auto& field) { return field.first == column; });
  return fields;
}

// A row of pt-heartbeat's table, so old by the server's clock; unset: its stamp is no time.
inline Fields heartbeat_row(const std::string& server_id, std::optional<double> age_s,
                            const std::string& ts = "2026-01-02T03:04:05") {
  constexpr double kNow_s = 1'000'000;
  std::optional<std::string> stamp_s;
  if (age_s) stamp_s = format_number(kNow_s - *age_s);
  return {{"server_id", server_id}, {"ts", ts},     {"now", format_number(kNow_s)}, {"stamp", ts},
          {"stamp_s", stamp_s},     {"twin_s", "0"}};
}

// A healthy channel's row; `replica` and `source` are the server's words in its column names.
inline Fields channel_row(const std::string& replica, const std::string& source,
                          const std::string& channel_column, const std::string& channel = "") {
  return {{channel_column, channel},
          {source + "_Host", "db1"},
          {source + "_Port", "3306"},
          {source + "_Log_File", "binlog.000007"},
          {"Read_" + source + "_Log_Pos", "1234"},
          {"Relay_" + source + "_Log_File", "binlog.000007"},
          {"Exec_" + source + "_Log_Pos", "1234"},
          {replica + "_IO_Running", "Yes"},
          {replica + "_SQL_Running", "Yes"},
          {"Relay_Log_Space", "4096"},
          {"Until_Condition", "None"},
          {"Seconds_Behind_" + source, "0"},
          {"Last_IO_Errno", "0"},
          {"Last_IO_Error", ""},
          {"Last_SQL_Errno", "0"},
          {"Last_SQL_Error", ""},
          {source + "_Server_Id", "11"},
          {"SQL_Delay", "0"}};
}

inline Fields mysql_row(const std::string& channel = "") {
  return channel_row("Replica", "Source", "Channel_Name", channel);
}

inline Fields mariadb_row(const std::string& channel = "") {
  Fields fields = channel_row("Slave", "Master", "Connection_name", channel);
  fields.emplace_back("Slave_received_heartbeats", "3");
  fields.emplace_back("Slave_heartbeat_period", "60.000");
  return fields;
}

// A healthy channel as it is read from such a row.
inline ChannelStatus healthy_channel(const std::string& name = "") {
  ChannelStatus channel{name, "db1", 3306, 11};
  channel.io.state = ThreadState::kRunning;
  channel.sql.state = ThreadState::kRunning;
  channel.seconds_behind = 0;
  channel.relay_log_space = 4096;
  channel.read = channel.executed = {"binlog.000007", 1234};
  return channel;
}

}  // namespace ha
