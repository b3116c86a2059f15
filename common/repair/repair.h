// SPDX-License-Identifier: MIT
// Makes one primary with replicas of a cluster in which several nodes accept writes, or a replica
// is broken: closes the others, keeps what only they have, brings rows of them to the primary where
// that is asked for, and lets them return. Each part is a run of its own, and can be repeated.

#pragma once

#include <functional>
#include <string>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/failover/repair.h"
#include "common/merge/merge_options.h"
#include "common/result.h"
#include "common/resync/copy_options.h"

namespace ha {

struct RepairOptions {
  std::string winner = {};  // the operator's word; empty: the evidence decides
  RepairScope scope = RepairScope::kAll;
  ResyncOptions resync = {};
  // Without tables nothing is merged. Without --since rows count from an hour before the first
  // change that only the loser has, without --until to an hour from now.
  MergeOptions merge = {};
};

// Fails with kUsage when the tables or times of a merge do not read.
Result<Done> check_repair_options(const RepairOptions& repair);

// Returns what a repair would do now, and changes nothing. Fails when the journals cannot be read.
Result<Repair> plan_repair(const Env& env, const FailoverOptions& options,
                           const RepairOptions& repair);

struct RepairReport {
  FailoverOutcome outcome = {};
  bool needed = false;  // there was something to repair, or it was refused
};

// Repairs the cluster. Calls `tell` at the end of each part, with how that went.
RepairReport run_repair(const Env& env, const FailoverOptions& options, const RepairOptions& repair,
                        const Log& log, const std::function<void(const FailoverOutcome&)>& tell);

}  // namespace ha
