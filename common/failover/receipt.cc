// SPDX-License-Identifier: MIT
#include "common/failover/receipt.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

// What a receiver reports when its source does not answer, or ends: server shutdown, network errors
// of the server, connection killed (MariaDB), and the client library's own.
constexpr unsigned kNoAnswer[] = {1053, 1158, 1159, 1160, 1161, 1927,
                                  2002, 2003, 2005, 2006, 2013, 2055};

// True when a receiver is in a state to which its source's death alone does not bring it.
bool had_stopped(const ReplicationThread& io) {
  if (io.running() || std::ranges::find(kNoAnswer, io.error_number) != std::end(kNoAnswer))
    return false;
  return io.error_number != 0 || io.state == ThreadState::kStopped;
}

std::string describe(const ReplicationThread& io) {
  if (io.error_number != 0)
    return fmt::format("error {}: {}", io.error_number, shorten(sanitize(io.error), 200));
  return io.state == ThreadState::kStopped ? "its receiver was stopped" : "it had no connection";
}

}  // namespace

std::string format_time(double since_epoch_s) {
  return fmt::format("{:%F %T} UTC", fmt::gmtime(static_cast<std::time_t>(since_epoch_s)));
}

Receipt judge_receipt(const ChannelStatus& channel, const SeenChannel* seen) {
  // What has come since shows that it was connected again.
  if (seen != nullptr && !seen->io.running() &&
      binlog_order(channel.read) <= binlog_order(seen->read))
    return {false, describe(seen->io), seen->io_since_s.value_or(0)};
  if (had_stopped(channel.io)) return {false, describe(channel.io), 0};
  return {};
}

}  // namespace ha
