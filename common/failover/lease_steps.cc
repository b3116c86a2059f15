// SPDX-License-Identifier: MIT
#include "common/failover/lease_steps.h"

#include <fmt/format.h>

namespace ha {

void judge_held_lease(Decision& d) {
  if (!d.context.primary_lease_held.empty() && !d.context.assume_dead)
    d.refuse(Refusal::kPrimaryAlive, fmt::format("{} still has the lease of the primary: {}",
                                                 d.plan.primary, d.context.primary_lease_held));
}

Step take_lease(const std::string& node) {
  Step step{.action = Action::kLease,
            .node = node,
            .text = "so that no other node takes writes while it does"};
  step.undo.push_back({.action = Action::kLease, .node = node, .text = "it is given back"});
  return step;
}

Step hand_lease(const std::string& node) {
  return {.action = Action::kHandLease,
          .node = node,
          .text = "to its guard, which closes it when it is cut off",
          .may_fail = true};
}

}  // namespace ha
