// SPDX-License-Identifier: MIT
// A planned change of the primary, from the lock of the cluster to the outcome.
#include "common/execute/failover.h"
#include "common/execute/resumption.h"
#include "common/execute/stragglers.h"
#include "common/execute/workflow.h"

namespace ha {

namespace {

Plan decide(const Workflow& workflow, const std::string& to) {
  const Observation& view = workflow.view;
  return plan_switchover(view.topology, workflow.options.policy, view.context, to);
}

}  // namespace

FailoverOutcome run_switchover(const Env& env, const FailoverOptions& options,
                               const std::string& to, const Log& log) {
  auto workflow = begin_workflow(env, options, log);
  if (!workflow) return refuse(workflow.error().text);
  if (auto ended = prepare_change(*workflow)) return *ended;
  Plan plan = decide(*workflow, to);
  // Replicas whose replication was started just now take a moment to be ready again.
  const Deadline moment = Deadline::after(env.clock, options.probe_timeout_s);
  while (workflow->settled && plan.refusal == Refusal::kNotReady && !moment.passed() &&
         env.clock.sleep(kMoment_s)) {
    workflow->probe();
    plan = decide(*workflow, to);
  }
  return pick_up_stragglers(*workflow, plan, carry_out(*workflow, plan)).outcome;
}

}  // namespace ha
