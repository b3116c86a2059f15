// SPDX-License-Identifier: MIT
// Closes nodes that accept writes beside the node that is to be the only one. Pure.

#pragma once

#include <vector>

#include "common/failover/plan.h"

namespace ha {

// Plans to close `others`, end their clients' connections and bring the virtual IP to `winner`:
// plan.primary is the first of them, plan.candidate the winner. All have facts, and are nodes of
// the topology.
Plan plan_closing(const Topology& topology, const Policy& policy, const Context& context,
                  const Node& winner, const std::vector<const Node*>& others);

}  // namespace ha
