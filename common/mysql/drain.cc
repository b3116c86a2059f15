// SPDX-License-Identifier: MIT
#include "common/mysql/drain.h"

namespace ha {

std::optional<std::uint64_t> unapplied(const History& history, const ChannelStatus& channel) {
  return channel.uses_gtid ? unapplied(history) : std::nullopt;
}

bool is_drained(const History& history, const ChannelStatus& channel) {
  const auto open = unapplied(history, channel);
  return open ? *open == 0 : channel.executed == channel.read;
}

bool has_all(const ServerFacts& replica, const ChannelStatus& channel, const ServerFacts& other) {
  return channel.uses_gtid ? has_applied(replica.history, other.history) == true
                           : other.binlog == channel.executed;
}

}  // namespace ha
