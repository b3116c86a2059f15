// SPDX-License-Identifier: MIT
// The commands that change which server is the primary, each from the first probe to its outcome:
// what handle_mysql_failover and mysql_ha both do. One file carries out each of them, from top to
// bottom.

#pragma once

#include <string>

#include "common/cluster/options.h"
#include "common/context/lease_watch.h"
#include "common/context/observation.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/failover/plan.h"

namespace ha {

// The nodes as they are now, and what a failover would do with them.
struct Outlook {
  Observation view;  // with what the journals tell
  Plan plan = {};
};

// Returns what a failover would do now, and changes nothing. `assume_dead` names the primary that
// is to be taken for dead; empty: the view decides.
Outlook look_ahead(const Env& env, const FailoverOptions& options, const std::string& assume_dead);
Plan plan_now(const Env& env, const FailoverOptions& options, const std::string& assume_dead);

// Promotes a replica to replace the dead primary, or refuses. A run that was interrupted is resumed
// or rolled back first. `plan_hash`: refuse unless the plan has it; empty: any. `vigil` has watched
// the lease of the primary before; null: there is none.
FailoverOutcome run_failover(const Env& env, const FailoverOptions& options,
                             const std::string& plan_hash, const Log& log,
                             const LeaseVigil* vigil = nullptr);

// Promotes `to` (empty: the best replica) to replace the live primary.
FailoverOutcome run_switchover(const Env& env, const FailoverOptions& options,
                               const std::string& to, const Log& log);

// Makes a replica of `node`, which was the primary or follows the wrong one. Transactions that only
// it has are saved first, and then it is refused.
FailoverOutcome run_rejoin(const Env& env, const FailoverOptions& options, const std::string& node,
                           const Log& log);

}  // namespace ha
