// SPDX-License-Identifier: MIT
// Which transactions of a node came through the cluster. A replica may have a second channel from a
// server outside of it; what that one sends is no other server's, and no node lacks it. Pure.

#pragma once

#include <cstddef>

#include "common/mysql/memory.h"
#include "common/mysql/topology.h"

namespace ha {

// True when the node has a channel from a server outside the cluster.
bool follows_outside(const Node& node);

// Returns the history of the node at place `i`, which has facts, without what only a server outside
// the cluster can have sent: transactions of servers that are no members, and that no node without
// such a channel has. What cannot be told apart counts as the cluster's. `memory` tells who the
// silent members are.
History cluster_history(const Topology& topology, const Memory& memory, std::size_t i);

}  // namespace ha
