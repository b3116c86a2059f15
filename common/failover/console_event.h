// SPDX-License-Identifier: MIT
// The event of a change in Pandora FMS's console, which shows the rows of `tevento`. The columns
// and their values are those of pandora_event() in Pandora's Core.pm (7.0.770) for an event of no
// agent. Pure.

#pragma once

#include <string>
#include <vector>

#include "common/failover/plan.h"
#include "common/failover/policy.h"
#include "common/mysql/topology.h"

namespace ha {

// Returns the step that inserts one event of the plan's change on `node`, the primary after it,
// into Pandora's `database`. It may fail: no change depends on it.
Step console_event_step(const std::string& database, const Plan& plan, std::string node);

// Returns the steps that tell Pandora, as far as the policy names its places, of the `primary`
// after the plan's change: the file that server and console read, and the event.
std::vector<Step> tell_pandora(const Policy& policy, const Plan& plan, const Node& primary);

}  // namespace ha
