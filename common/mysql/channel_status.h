// SPDX-License-Identifier: MIT
// One replication channel (MariaDB: connection) as its replica sees it, in one shape for every
// flavour. Plain values, so that decisions over them need no session.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ha {

enum class ThreadState { kRunning, kConnecting, kStopped };

struct ReplicationThread {
  ThreadState state = ThreadState::kStopped;
  unsigned error_number = 0;  // 0: no error
  std::string error = {};
  bool lacks_space = false;  // says Yes and waits until its disk has room again

  bool running() const { return state == ThreadState::kRunning; }
  bool works() const { return running() && !lacks_space; }
};

// Returns one sentence on a thread that does not work: "SQL thread stopped, error 1062: Duplicate
// ...", "IO thread connecting, ...", "IO thread waits for disk space". Precondition:
// !thread.works().
std::string describe_stop(std::string_view name, const ReplicationThread& thread);

struct BinlogPosition {
  std::string file = {};
  std::uint64_t offset = 0;

  bool operator==(const BinlogPosition&) const = default;
};

// Puts the positions in one server's binlog into their order: its files sort by their number.
std::pair<long long, std::uint64_t> binlog_order(const BinlogPosition& position);

// How a channel protects its connection. Files are those of the replica's host.
struct ChannelTls {
  bool used = false, verifies = false;
  std::string ca = {}, ca_directory = {}, certificate = {}, key = {}, ciphers = {};

  bool operator==(const ChannelTls&) const = default;
};

// How a channel tries again to reach its source; nullopt: the server does not tell.
struct ChannelRetry {
  std::optional<unsigned> interval_s = {}, count = {};

  bool operator==(const ChannelRetry&) const = default;
};

struct ChannelStatus {
  std::string name = {};  // empty: the default channel
  std::string source_host = {};
  unsigned source_port = 0;
  std::optional<std::uint32_t> source_server_id = {};
  ReplicationThread io = {};         // the receiver
  ReplicationThread sql = {};        // the applier's coordinator
  std::string until_condition = {};  // empty: none
  BinlogPosition until = {};         // of an UNTIL by position: in the binlog or the relay log
  std::optional<double> seconds_behind = {};
  double sql_delay_s = 0;
  std::optional<double> relay_log_space = {};  // bytes
  BinlogPosition read = {};                    // received, in the source's binlog
  BinlogPosition executed = {};
  BinlogPosition relay = {};                              // applied, in its own relay log
  std::optional<double> heartbeat_period_s = {};          // MariaDB only
  std::optional<std::uint64_t> received_heartbeats = {};  // MariaDB only
  std::string source_uuid = {};                           // MySQL only
  bool uses_gtid = false;  // asks its source by GTID, not by file and position
  std::string user = {};   // of the replication account
  ChannelTls tls = {};
  ChannelRetry retry = {};
  bool applier_idle = false;        // it says that it has read all of its relay log
  std::string received_gtids = {};  // MySQL: retrieved set; MariaDB: position of the IO thread
  std::vector<std::string> filters = {};  // "Replicate_Do_DB=pandora"

  std::string source() const { return source_host + ":" + std::to_string(source_port); }
  // How texts name it: "channel 'x'", or "" for the default channel.
  std::string label() const { return name.empty() ? "" : "channel '" + name + "'"; }
};

// Returns the channel of this name; null: there is none.
const ChannelStatus* find_channel(const std::vector<ChannelStatus>& channels,
                                  std::string_view name);

// Returns each channel with its source, sorted, to be compared.
std::vector<std::string> sources_of(const std::vector<ChannelStatus>& channels);

}  // namespace ha
