// SPDX-License-Identifier: MIT
// The part of the primary's lease in a plan: who has it speaks against a takeover, and a node is
// opened only with it. Pure.

#pragma once

#include <string>

#include "common/failover/decision.h"
#include "common/failover/step.h"

namespace ha {

// Refuses while the guard of the primary has the lease.
void judge_held_lease(Decision& d);

// Returns the step that takes the votes of a primary for `node`, and gives them back when it is
// rolled back; and, once that is open, the one that hands them over to its guard.
Step take_lease(const std::string& node);
Step hand_lease(const std::string& node);

}  // namespace ha
