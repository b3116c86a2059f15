// SPDX-License-Identifier: MIT
// What filters leave out: of a replica, and of the binlog that it gets. Pure.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/mysql/channel_status.h"
#include "common/mysql/server_facts.h"

namespace ha {

// Returns the filters of a channel that leave out more than the source's binlog does already;
// `source` is nullopt where that is not known.
std::vector<std::string> lossy_filters(const ChannelStatus& channel,
                                       const std::optional<BinlogScope>& source);

// Returns a warning when statements may never reach the binlog of `node`, which has this scope:
// it is filtered by the database that a statement is written from. Empty: none.
std::string describe_unlogged(const std::string& node, const BinlogScope& scope);

}  // namespace ha
