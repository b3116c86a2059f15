// SPDX-License-Identifier: MIT
// By which an operator's word for a plan is held against what would be done now. Pure.

#pragma once

#include <string>

#include "common/failover/plan.h"
#include "common/mysql/topology.h"

namespace ha {

// Returns the hash of a plan, what rolls its steps back included, and of the facts that it rests
// on: which node is reachable, which follows which, what each has received. 16 hexadecimal digits.
std::string hash_of(const Plan& plan, const Topology& topology);

}  // namespace ha
