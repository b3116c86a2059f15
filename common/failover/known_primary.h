// SPDX-License-Identifier: MIT
// Which node the primary is, or was. Pure.

#pragma once

#include <string_view>

#include "common/failover/decision.h"

namespace ha {

// Returns the node that is known to have been the primary last: by the newest change that the
// journal tells of, or by what was seen later; null: none is known.
const Node* last_primary(const Topology& topology, const Context& context);

// Finds the node that is to be replaced: the one that was named, else the one that all replicas
// follow, else the last primary when it is silent. Refuses when nothing tells.
void find_primary(Decision& d, std::string_view name);

// Finds the primary of a switchover, the only node that accepts writes, or refuses.
void find_writer(Decision& d);

// Returns a channel of the node to a source that no node is known by; null: there is none.
const ChannelStatus* channel_to_stranger(const Node& node);

}  // namespace ha
