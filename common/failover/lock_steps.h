// SPDX-License-Identifier: MIT
// The one order in which managers lock the nodes of a cluster. Pure.

#pragma once

#include <vector>

#include "common/failover/step.h"
#include "common/mysql/topology.h"

namespace ha {

// Returns the steps that lock all nodes which answer: in one order for all managers, however each
// lists the nodes, so that of two that begin together one wins. They are carried out one after the
// other.
std::vector<Step> lock_steps(const std::vector<Node>& nodes);

}  // namespace ha
