// SPDX-License-Identifier: MIT
// Reads what a repair is decided on beside the nodes: where the virtual IP leads, which guard has
// the votes, when each writer was written to last, and what the journals tell of each node.

#pragma once

#include <string>

#include "common/cluster/options.h"
#include "common/context/observation.h"
#include "common/context/run_store.h"
#include "common/env.h"
#include "common/failover/repair.h"
#include "common/result.h"

namespace ha {

// `winner` is the operator's word; empty: none. Fails when the journals cannot be read.
Result<RepairFacts> read_repair_facts(const Env& env, const FailoverOptions& options,
                                      const RunStore& store, const Observation& view,
                                      const std::string& winner);

}  // namespace ha
