// SPDX-License-Identifier: MIT
// check_mysql_replication_lag: how far behind is each replication channel of this server?

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/mysql/heartbeat_table.h"
#include "common/mysql/receiver_activity.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/worker_errors.h"

namespace ha {

enum class LagMethod { kAuto, kStatus, kHeartbeat, kApplier };

struct ChannelLag {
  ChannelStatus status;
  LagMethod method = LagMethod::kStatus;  // the one that was used
  std::optional<double> lag_s = {};       // as measured, SQL_Delay included; may be negative
  std::string unknown = {};               // why there is no lag though both threads run
  State unknown_state = State::kUnknown;
  // How far this server's clock is before the source's, set where the commit times do not count for
  // that.
  std::optional<double> clock_skew_s = {};
  std::optional<Silence> silence = {};  // how long the source has been silent, where known
};

struct LagFacts {
  std::string server;
  std::vector<ChannelLag> channels;
  WorkerErrors worker_errors = {};
  std::vector<std::string> missing_channels = {};  // asked for, not there
  std::string state_directory_error = {};          // why this run is not remembered
  std::vector<std::string> notes = {};
};

struct LagLimits {
  Thresholds lag = {Range{0, 10}, Range{0, 60}};
  State not_replica = State::kWarning;
  bool include_delay = false;
  double stall_s = 0;  // 0: three heartbeat periods
  State stall = State::kWarning;
};

CheckResult evaluate(const LagFacts& facts, const LagLimits& limits);

// What to read and how.
struct LagQuery {
  LagMethod method = LagMethod::kAuto;
  std::vector<std::string> channel_names = {};   // empty: all
  std::optional<HeartbeatTable> heartbeat = {};  // set when the operator named one
  std::string state_directory = {};              // empty: none
};

Result<LagFacts> gather(SqlSession& session, const std::string& server, const LagQuery& query);

}  // namespace ha
