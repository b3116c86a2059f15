// SPDX-License-Identifier: MIT
// Which node the primary is, or was. Pure.

#pragma once

#include <string_view>

#include "common/failover/decision.h"

namespace ha {

// Finds the node that is to be replaced: the one that was named, else the one that all replicas
// follow, else the one that was last seen as the primary. Refuses when nothing tells.
void find_primary(Decision& d, std::string_view name);

// Finds the primary of a switchover, the only node that accepts writes, or refuses.
void find_writer(Decision& d);

// Returns a channel of the node to a source that no node is known by; null: there is none.
const ChannelStatus* channel_to_stranger(const Node& node);

}  // namespace ha
