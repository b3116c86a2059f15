// SPDX-License-Identifier: MIT
// Makes a node, whatever it holds, a replica by a copy of another node.

#pragma once

#include <string>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/resync/copy.h"

namespace ha {

// Replaces everything that `node` has by a copy and makes it a replica. Transactions that only it
// has are saved first. Failovers of the others are not held up by the copying.
FailoverOutcome run_resync(const Env& env, const FailoverOptions& options,
                           const ResyncOptions& resync, const std::string& node, const Log& log);

}  // namespace ha
