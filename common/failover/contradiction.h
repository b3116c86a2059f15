// SPDX-License-Identifier: MIT
// What contradicts a plan while it is carried out: a node that was silent when the plan was made
// and answers again, or a replica that has received more since. Pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/failover/plan.h"
#include "common/failover/run_facts.h"

namespace ha {

// A plan at one of its steps.
struct PlanAtWork {
  const Plan& plan;
  const RunFacts& known;  // what its steps have found
  const Policy& policy;
  const Context& context;
};

// Returns what the node at place `i` has received and the candidate has not, apart from what the
// node wrote itself; nullopt when nothing tells. A candidate that follows no server any more counts
// as it followed the old primary, up to the place that the run recorded.
std::optional<Extra> lead_over_candidate(const PlanAtWork& work, const Topology& view,
                                         std::size_t i);

// Returns that a replica of the old primary has more than the candidate in the view `now`, and had
// not in the view `before`, or by position not the same, with what to type next; empty: none has.
std::string object_to_lead(const PlanAtWork& work, const Topology& before, const Topology& now);

// Returns why no node may be opened because of the node at place `i`, with what to type next: it
// gave no facts in the view `before`, and was asked again in the view `now`. Empty: it is as silent
// as it was, or speaks against nothing.
std::string object_to_return(const PlanAtWork& work, const Topology& before, const Topology& now,
                             std::size_t i);

}  // namespace ha
