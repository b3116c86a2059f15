// SPDX-License-Identifier: MIT
// The table that pt-heartbeat writes on a source and replication carries to its replicas: the age
// of a row is the lag. Schema and time formats: pt-heartbeat manual; ts is varchar(26), ISO 8601
// with 'T' or blank, fraction optional, in the writer's local time or in UTC (--utc).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cli.h"
#include "common/mysql/local_stamp.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

struct HeartbeatTable {
  std::string table = "heartbeat.heartbeat";
  std::optional<std::uint32_t> server_id = {};  // the wanted row; unset: any but our own
  bool utc = false;                             // ts is UTC, not the session's local time
  bool own_counts = false;                      // without a wanted row: our own too
};

struct HeartbeatRow {
  std::uint32_t server_id = 0;
  double age_s = 0;  // by the server's clock; negative: in the future
  LocalStamp stamp = {};
  // The hour that the end of summer time repeats: it may as well be this old.
  std::optional<double> other_age_s = {};
};

// Returns the row's age, of two the one that is nearer to `about_s`; unset when there are two and
// nothing to choose by.
std::optional<double> age_near(const HeartbeatRow& row, std::optional<double> about_s);

// Reads the rows, without the server's own unless that one is asked for. Ages are computed in the
// same statement that reads the stamps, by the server's clock. Fails with kMissing when there is no
// such table, kPrivilege with the GRANT, kBadData for a stamp that is no time.
Result<std::vector<HeartbeatRow>> read_heartbeat_table(SqlSession& session,
                                                       const HeartbeatTable& heartbeat);

// Adds --heartbeat-table, --heartbeat-server-id and --heartbeat-utc; `named` becomes true when a
// table is given.
void add_heartbeat_options(Cli& cli, HeartbeatTable& heartbeat, bool& named);

}  // namespace ha
