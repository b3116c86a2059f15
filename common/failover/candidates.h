// SPDX-License-Identifier: MIT
// Which nodes may be promoted, and why each of the others may not. Pure.

#pragma once

#include <cstddef>
#include <string>

#include "common/failover/decision.h"

namespace ha {

// Collects the nodes that may be promoted and rejects the others, or refuses when there is none.
void collect_candidates(Decision& d);

// True when a node that has left replication can be promoted all the same: another manager, or a
// person, has begun to.
bool may_stand_in(const Takeover& t, std::size_t i);

// True when others can follow the node: without GTIDs they do by a position in its binlog.
bool knows_binlog(const Node& node, const ChannelStatus& channel);

// Returns why the end of the node's binlog is not known.
std::string why_unknown_binlog(const Node& node);

}  // namespace ha
