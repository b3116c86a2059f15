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

}  // namespace ha
