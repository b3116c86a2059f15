// SPDX-License-Identifier: MIT
// What a failover would do if a primary that may be alive died now. Pure.

#pragma once

#include <string_view>

#include "common/failover/plan.h"
#include "common/failover/policy.h"
#include "common/mysql/topology.h"

namespace ha {

// Plans for the death of the node called `name`; empty: the only writer, else the one that the
// replicas tell. Only what would be left then counts; what the primary says now is used for the
// loss alone.
Plan forecast(const Topology& topology, const Policy& policy, Context context,
              std::string_view name);

}  // namespace ha
