// SPDX-License-Identifier: MIT
#include "common/execute/rejoin.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/execute/copy_mark.h"
#include "common/execute/crash_record.h"
#include "common/execute/resumption.h"
#include "common/execute/workflow.h"

namespace ha {

Plan refuse_return(const Topology& topology, Plan plan, const std::string& reason) {
  const Node* const node = find_node(topology, plan.candidate);
  if (node == nullptr || !node->writable()) plan.steps.clear();
  std::erase_if(plan.steps, [](const Step& step) {
    return step.action != Action::kLock && step.action != Action::kFence;
  });
  plan.refusal = Refusal::kNotReady;
  plan.reason = reason;
  return plan;
}

namespace {

// Returns why a node cannot be asked, or holds no complete copy; empty: neither.
std::string find_obstacle(const Workflow& workflow, const std::string& node, bool is_copy) {
  const Observation& view = workflow.view;
  SqlSession* const session = find_session(view, node);
  if (session == nullptr) return describe_silence(view, node);
  if (is_copy) return "";
  const auto whole = expect_whole(workflow.env.files, *find_node(view.topology, node), *session,
                                  view.sessions, workflow.options);
  return whole ? "" : whole.error().text;
}

// Closes a node that may not return all the same, and saves the transactions that only it has.
FailoverOutcome close_refused(Workflow& workflow, Plan plan) {
  const std::string why = std::exchange(plan.reason, ""), node = plan.candidate;
  plan.refusal = Refusal::kNone;
  const bool saves = std::ranges::any_of(
      plan.steps, [](const Step& step) { return step.action == Action::kSaveExtra; });
  FailoverOutcome outcome = carry_out(workflow, std::move(plan)).outcome;
  const bool done = outcome.end != FailoverEnd::kRefused;
  outcome.end = FailoverEnd::kRefused;
  if (!saves)
    outcome.text = fmt::format(
        "rejoin refused: {}. {}", why,
        done ? node + " is read-only now" : node + " could not be closed: " + outcome.text);
  else
    outcome.text = fmt::format(
        "rejoin refused: {}. {}", why,
        done ? fmt::format("The extra transactions are saved, and {0} is read-only now; to make "
                           "{0} a copy of another node, run: mysql_ha resync {0}",
                           node)
             : "The extra transactions could not be saved: " + outcome.text);
  return outcome;
}

}  // namespace

FailoverOutcome rejoin(const Env& env, const FailoverOptions& options, const std::string& node,
                       const std::optional<CrashRecord>& copied, const Log& log) {
  auto workflow = begin_workflow(env, options, log);
  if (!workflow) return refuse(workflow.error().text);
  if (auto ended = prepare_change(*workflow)) return *ended;
  Observation& view = workflow->view;
  std::string obstacle = find_obstacle(*workflow, node, copied.has_value());
  const auto record =
      copied ? Result<std::optional<CrashRecord>>(copied)
             : find_crash_record(env.connector, workflow->store, node, view.topology, options);
  if (!record && obstacle.empty()) obstacle = record.error().text;
  if (const auto added =
          add_history(workflow->store, options.cluster.nodes, env.clock.moment(), view.context);
      !added)
    return refuse("rejoin refused: " + added.error().text);
  Plan plan = plan_rejoin(view.topology, options.policy, view.context, node,
                          record ? *record : std::nullopt);
  if (!obstacle.empty()) plan = refuse_return(view.topology, std::move(plan), obstacle);
  if (plan.possible() || plan.steps.empty()) return carry_out(*workflow, std::move(plan)).outcome;
  return close_refused(*workflow, std::move(plan));
}

FailoverOutcome run_rejoin(const Env& env, const FailoverOptions& options, const std::string& node,
                           const Log& log) {
  return rejoin(env, options, node, std::nullopt, log);
}

}  // namespace ha
