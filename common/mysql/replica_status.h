// SPDX-License-Identifier: MIT
// What a replica says of its channels (MariaDB: connections), all of them, in one shape for every
// flavour. Column meanings: MySQL manual, "SHOW REPLICA STATUS Statement"; MariaDB Knowledge Base,
// "SHOW REPLICA STATUS".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

enum class ThreadState { kRunning, kConnecting, kStopped };

struct ReplicationThread {
  ThreadState state = ThreadState::kStopped;
  unsigned error_number = 0;  // 0: no error
  std::string error = {};

  bool running() const { return state == ThreadState::kRunning; }
};

struct BinlogPosition {
  std::string file = {};
  std::uint64_t offset = 0;

  bool operator==(const BinlogPosition&) const = default;
};

struct ChannelStatus {
  std::string name = {};  // empty: the default channel
  std::string source_host = {};
  unsigned source_port = 0;
  std::optional<std::uint32_t> source_server_id = {};
  ReplicationThread io = {};         // the receiver
  ReplicationThread sql = {};        // the applier's coordinator
  std::string until_condition = {};  // empty: none
  std::optional<double> seconds_behind = {};
  double sql_delay_s = 0;
  std::optional<double> relay_log_space = {};  // bytes
  BinlogPosition read = {};                    // received, in the source's binlog
  BinlogPosition executed = {};
  std::optional<double> heartbeat_period_s = {};          // MariaDB only
  std::optional<std::uint64_t> received_heartbeats = {};  // MariaDB only

  std::string source() const { return source_host + ":" + std::to_string(source_port); }
  // How texts name it: "channel 'x'", or "" for the default channel.
  std::string label() const { return name.empty() ? "" : "channel '" + name + "'"; }
};

// Reads every channel; an empty list means that the server is not a replica. Fails with kPrivilege
// and the GRANT to run, or with kBadData naming the column that was not understood.
Result<std::vector<ChannelStatus>> read_replica_status(SqlSession& session);

// Returns one sentence on a thread that does not run: "SQL thread stopped, error 1062: Duplicate
// ...", "IO thread connecting, ...". Precondition: !thread.running().
std::string describe_stop(std::string_view name, const ReplicationThread& thread);

// Keeps the named channels, in the order of the server; all when `names` is empty. The names that
// no channel has go to `missing`.
std::vector<ChannelStatus> select_channels(const std::vector<ChannelStatus>& channels,
                                           const std::vector<std::string>& names,
                                           std::vector<std::string>& missing);

}  // namespace ha
