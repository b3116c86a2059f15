// SPDX-License-Identifier: MIT
// The rows of SHOW REPLICA STATUS.

#include "common/mysql/replica_status.h"

#include "tests/fuzz/scripted_session.h"

void ha::fuzz(std::string_view text) {
  ScriptedSession session(text);
  const auto channels = read_replica_status(session);
  if (!channels) return;
  for (const ChannelStatus& channel : *channels) {
    if (!channel.sql.running()) describe_stop("SQL", channel.sql);
    binlog_order(channel.read);
  }
  std::vector<std::string> missing;
  select_channels(*channels, {"a"}, missing);
}
