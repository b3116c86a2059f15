// SPDX-License-Identifier: MIT
// Makes a node, whatever it holds, a replica by a copy of another node.

#pragma once

#include <functional>
#include <string>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/result.h"
#include "common/resync/copy.h"

namespace ha {

// Is called when the node is closed and its extra transactions are saved, with how that went, and
// before anything of it is lost. A failure ends the resync.
using BeforeCopy = std::function<Result<Done>(const FailoverOutcome& prepared)>;

// Replaces everything that `node` has by a copy and makes it a replica. Transactions that only it
// has are saved first. Failovers of the others are not held up by the copying.
FailoverOutcome run_resync(const Env& env, const FailoverOptions& options,
                           const ResyncOptions& resync, const std::string& node, const Log& log,
                           const BeforeCopy& before = {});

}  // namespace ha
