// SPDX-License-Identifier: MIT
// The return of a node as a replica.

#pragma once

#include <optional>
#include <string>

#include "common/execute/failover.h"

namespace ha {

// Makes a replica of `node`. `copied`: the node is a copy made just now, which no journal tells;
// nullopt: the journals tell how it was replaced.
FailoverOutcome rejoin(const Env& env, const FailoverOptions& options, const std::string& node,
                       const std::optional<CrashRecord>& copied, const Log& log);

// Turns the plan of a return into a refusal for another reason, which only closes the node, if it
// accepts writes. Pure.
Plan refuse_return(const Topology& topology, Plan plan, const std::string& reason);

}  // namespace ha
