// SPDX-License-Identifier: MIT
// The steps of a decided failover, in the one order that loses nothing: fence before anybody is
// promoted, drain before promotion, writable only when all that must be done is done.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/failover/plan.h"

namespace ha {

// Places in the topology.
struct Roles {
  std::size_t primary = 0;
  std::size_t candidate = 0;
  std::optional<std::size_t> ahead = {};  // has received more than the candidate
};

// Returns the steps; adds reservations to `plan` for siblings that cannot be repointed.
std::vector<Step> failover_steps(const Topology& topology, const Policy& policy, const Roles& roles,
                                 Plan& plan);

// Returns the hash of a plan and of the facts that it rests on: who is reachable, who follows whom,
// what each has received. 16 hexadecimal digits.
std::string hash_of(const Plan& plan, const Topology& topology);

}  // namespace ha
