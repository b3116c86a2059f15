// SPDX-License-Identifier: MIT
// When a replica last received anything, even a heartbeat: IO threads say "Yes" for a long time
// after their source has gone silent. MySQL 8 tells it in performance_schema; of other servers only
// the comparison with an earlier run, kept in a state directory, can tell.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/mysql/replica_status.h"
#include "common/result.h"

namespace ha {

struct Silence {
  double seconds = 0;                   // since the last receipt, or the connection if later
  std::optional<double> period_s = {};  // the heartbeat period, where the server tells it
  bool unfinished = false;              // the last receipt began and has not ended
};

// What performance_schema knows of one channel of a MySQL 8 replica. Commit times are by the clock
// of the server where the client wrote, and ages by this server's: their difference is in them.
struct ChannelActivity {
  std::optional<Silence> silence = {};
  std::optional<double> applying_age_s = {};  // of the oldest transaction being applied
  bool applying_arrives = false;              // the same is still being received
  bool queued_is_applied = false;             // nothing that was received is waiting
  // How old the newest received transaction was when it arrived. Less than zero: this server's
  // clock is behind.
  std::optional<double> transit_s = {};
};

// Reads all channels by name; empty on servers without these tables (MariaDB, MySQL before 8.0,
// performance_schema=OFF). Fails with kPrivilege and the GRANT to run.
Result<std::map<std::string, ChannelActivity>> read_channel_activity(SqlSession& session);

// What one run remembers of a channel for the next.
struct Receipt {
  std::string channel;
  BinlogPosition read;
  std::uint64_t heartbeats = 0;
  double since_epoch_s = 0;  // when this was first seen

  bool operator==(const Receipt&) const = default;
};

// Returns what to remember now: the old receipt while nothing has moved, else a new one dated
// `now_epoch_s`. Channels whose IO thread does not run are forgotten.
std::vector<Receipt> update_receipts(const std::vector<Receipt>& before,
                                     const std::vector<ChannelStatus>& channels,
                                     double now_epoch_s);

// Loads the receipts of `server` from the directory; none when there are none or they are damaged.
std::vector<Receipt> load_receipts(const std::string& directory, const std::string& server);

// Saves them atomically; fails with the path and the reason.
Result<Done> save_receipts(const std::string& directory, const std::string& server,
                           const std::vector<Receipt>& receipts);

}  // namespace ha
