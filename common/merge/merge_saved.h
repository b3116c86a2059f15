// SPDX-License-Identifier: MIT
// Brings rows out of a diverged node's saved transactions to the primary. Nothing that is different
// there is overwritten.

#pragma once

#include <string>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/merge/saved_file.h"
#include "common/mysql/topology.h"

namespace ha {

// Brings the rows of some tables, or counts them. Running it again does what is left.
FailoverOutcome run_merge_saved(const Env& env, const FailoverOptions& options,
                                const SavedOptions& saved, const std::string& id, const Log& log);

// Returns the place of the one node that takes writes. Fails with kRefused when there is not
// exactly one.
Result<std::size_t> find_only_writer(const Topology& topology);

}  // namespace ha
