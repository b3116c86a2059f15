// SPDX-License-Identifier: MIT
// check_mysql_replication_threads: do the IO and SQL threads of each channel run, from the right
// source, on a server that takes no writes of its own?

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/worker_errors.h"
#include "common/mysql/write_obstacles.h"

namespace ha {

struct ThreadsFacts {
  std::string server;                   // how messages name it
  std::vector<ChannelStatus> channels;  // all of the server's
  std::optional<bool> read_only = {};
  WriteObstacles obstacles = {};  // beside read_only
  // By channel: the errors of its parallel workers, where the server shows them.
  WorkerErrors worker_errors = {};
  // Channels attached to another host than the expected one. Filled only when one is expected.
  std::map<std::string, bool> wrong_source = {};
};

struct ThreadsLimits {
  Thresholds channels = {};
  State connecting = State::kCritical;
  State writable = State::kWarning;
  State not_replica = State::kWarning;
  std::string expected_source = {};             // HOST[:PORT] for texts; empty: any
  std::vector<std::string> channel_names = {};  // empty: all
};

CheckResult evaluate(const ThreadsFacts& facts, const ThreadsLimits& limits);

// Reads the facts; `expected_source` is HOST[:PORT] or empty. Host names that differ as text are
// resolved and compared by address.
Result<ThreadsFacts> gather(SqlSession& session, const std::string& server,
                            const std::string& expected_source);

}  // namespace ha
