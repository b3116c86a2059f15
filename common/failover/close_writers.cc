// SPDX-License-Identifier: MIT
#include "common/failover/close_writers.h"

#include <utility>

#include "common/failover/console_event.h"
#include "common/failover/lock_steps.h"
#include "common/failover/plan_hash.h"
#include "common/failover/role_statements.h"

namespace ha {

namespace {

void add(Plan& plan, Step step) {
  step.number = static_cast<int>(plan.steps.size()) + 1;
  plan.steps.push_back(std::move(step));
}

// The others may have the address, too.
void move_vip(Plan& plan, const Policy& policy, const Node& winner,
              const std::vector<const Node*>& others) {
  if (policy.vip.empty()) return;
  for (const Node* const node : others)
    add(plan,
        {.action = Action::kVipDown, .node = node->name, .text = policy.vip, .may_fail = true});
  add(plan, {.action = Action::kVipUp, .node = winner.name, .text = policy.vip, .may_fail = true});
}

}  // namespace

Plan plan_closing(const Topology& topology, const Policy& policy, const Context& context,
                  const Node& winner, const std::vector<const Node*>& others) {
  Plan plan{.command = PlanCommand::kClose, .primary = others[0]->name, .candidate = winner.name};
  if (!context.lock_holder.empty()) {
    plan.refusal = Refusal::kLocked;
    plan.reason = "another run holds the lock: " + context.lock_holder;
    return plan;
  }
  for (Step& step : lock_steps(topology.nodes)) add(plan, std::move(step));
  for (const Node* const node : others)
    add(plan, {.action = Action::kFence,
               .node = node->name,
               .statements = {close_server(node->facts->version)},
               .text = "and end its clients' connections"});
  move_vip(plan, policy, winner, others);
  for (Step& step : tell_pandora(policy, plan, winner)) add(plan, std::move(step));
  plan.hash = hash_of(plan, topology);
  return plan;
}

}  // namespace ha
