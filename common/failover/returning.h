// SPDX-License-Identifier: MIT
// Which former primaries may become replicas again without a word of an operator. Pure.

#pragma once

#include <string>
#include <vector>

#include "common/failover/policy.h"
#include "common/mysql/topology.h"

namespace ha {

// Returns the nodes that were replaced by a run of this machine, answer, are read-only and follow
// no server, while one node accepts writes that has all their transactions: none is lost when they
// follow it. Of those whose history tells no GTIDs that is not known.
std::vector<std::string> find_returning(const Topology& topology, const Context& context);

}  // namespace ha
