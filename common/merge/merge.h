// SPDX-License-Identifier: MIT
// Brings the rows that a node wrote while it was cut off to the node that is the primary now. The
// former is never written to.

#pragma once

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/merge/merge_options.h"

namespace ha {

// Merges tables, or counts what a merge would bring. Running it again does what is left.
FailoverOutcome run_merge(const Env& env, const FailoverOptions& options, const MergeOptions& merge,
                          const Log& log);

}  // namespace ha
