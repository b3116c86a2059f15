// SPDX-License-Identifier: MIT
#include "common/execute/failover.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/context/guard_files.h"
#include "common/execute/hung_watch.h"
#include "common/execute/lease_wait.h"
#include "common/execute/resumption.h"
#include "common/execute/stragglers.h"
#include "common/text.h"

namespace ha {

namespace {

// Whether another plan may take the place of one that failed, or the operator wants just that.
enum class Choice { kFree, kFixed };

class Failover {
 public:
  Failover(Workflow& workflow, const LeaseVigil* vigil)
      : workflow_(workflow), vigil_(vigil), hung_(workflow) {}

  FailoverOutcome run(const std::string& plan_hash) {
    if (auto obstacle = finish_interrupted(plan_hash)) return *obstacle;
    Plan plan = decide();
    hung_.observe(plan.primary);
    if (!try_again(plan)) return refuse_plan(plan, "asked to stop");
    await_hung(plan);
    ask_silent_nodes_again(plan);
    await_lease_of(plan);
    if (plan.possible()) {
      const auto taken = take_votes(workflow_);
      if (!taken) return refuse_plan(plan, taken.error().text);
      if (*taken) {
        hung_.observe(plan.primary);
        plan = decide();
      }
    }
    if (plan.possible() && !plan_hash.empty() && plan.hash != plan_hash)
      return refuse_plan(
          plan, fmt::format("the cluster has changed: the plan hash is now {}, not {}", plan.hash,
                            sanitize(plan_hash)));
    return carry_out_in_turn(std::move(plan), plan_hash.empty() ? Choice::kFree : Choice::kFixed);
  }

 private:
  // Probes the nodes, and resumes or rolls back what an earlier run has left. Returns the outcome
  // when the failover ends here.
  std::optional<FailoverOutcome> finish_interrupted(const std::string& plan_hash) {
    if (workflow_.interrupted && !plan_hash.empty() &&
        plan_hash != workflow_.interrupted->plan.hash)
      return refuse(fmt::format(
          "failover refused: the cluster has changed: run {} was interrupted, and its plan hash is "
          "{}, not {}; see: mysql_ha plan",
          workflow_.interrupted->id, workflow_.interrupted->plan.hash, sanitize(plan_hash)));
    workflow_.probe();
    if (!workflow_.interrupted) return std::nullopt;
    const RunReport report = resume_interrupted(workflow_);
    // What was rolled back leaves the question open whether a node has to be promoted now.
    if (report.outcome.end != FailoverEnd::kRefused || !workflow_.settled) return report.outcome;
    remember_stuck(report);
    workflow_.probe();
    return std::nullopt;
  }

  Plan decide() {
    Context& context = workflow_.view.context;
    if (const auto added = add_history(workflow_.store, workflow_.options.cluster.nodes,
                                       workflow_.env.clock.moment(), context);
        !added)
      return {.refusal = Refusal::kNotReady, .reason = added.error().text};
    context.own_closing = GuardFiles(workflow_.env.files, workflow_.store.path())
                              .find_reopenable(workflow_.env.clock.moment());
    context.stuck = stuck_;
    lease_.add_to(context);
    if (const auto seconds = hung_.seconds()) context.primary_hung_s = seconds;
    return plan_failover(workflow_.view.topology, workflow_.options.policy, context, "");
  }

  void probe_and_decide(Plan& plan) {
    workflow_.probe();
    hung_.observe(plan.primary);
    plan = decide();
  }

  // Tries a dead primary again. Replicas take a while to notice that their primary is gone, so
  // their word is tried again too. False when the program is asked to stop.
  bool try_again(Plan& plan) {
    const FailoverOptions& options = workflow_.options;
    const auto undecided = [&](unsigned tries) {
      const bool known = plan.primary == options.tried.name;
      if (plan.possible()) return tries + (known ? options.tried.times : 0) < options.retries;
      return plan.refusal == Refusal::kStillReceives && tries < options.retries;
    };
    for (unsigned tries = 1; undecided(tries); ++tries) {
      workflow_.log(fmt::format("try {} of {}: {}", tries, options.retries,
                                plan.possible() ? describe_cause(plan) : plan.reason));
      if (!workflow_.env.clock.sleep(options.retry_interval_s)) return false;
      probe_and_decide(plan);
    }
    return true;
  }

  // Watches while the primary gives no answer and its replicas receive no event, only heartbeats,
  // until it counts as hung; unless that cannot be reached in the time that is left.
  void await_hung(Plan& plan) {
    if (!hung_.seconds() || !only_receives(plan)) return;
    plan = decide();
    if (!hung_.is_worth_waiting(plan)) return;
    const FailoverOptions& options = workflow_.options;
    workflow_.log(
        fmt::format("{} answers no query: it counts as dead when nothing comes from it for {}",
                    plan.primary, format_duration(options.policy.hung_after_s)));
    while (hung_.is_worth_waiting(plan) && workflow_.env.clock.sleep(options.retry_interval_s))
      probe_and_decide(plan);
  }

  // A plan that has nothing but the want of evidence against it may get that from the lease.
  // Replicas take a while to notice that a primary is cut off: longer than a lease.
  void await_lease_of(Plan& plan) {
    if (workflow_.options.lease.lease_s == 0 || plan.command != PlanCommand::kFailover) return;
    const auto may_be_lifted = [](Refusal refusal) {
      return refusal == Refusal::kNone || refusal == Refusal::kCannotFence ||
             refusal == Refusal::kStillReceives;
    };
    if (!may_be_lifted(plan.refusal) ||
        !std::ranges::all_of(plan.further, may_be_lifted, &Objection::refusal))
      return;
    lease_ = await_lease(workflow_, plan.primary, vigil_);
    if (lease_.empty()) return;
    // Nothing was waited for when the votes were free at the first look.
    if (lease_.expired || lease_.broken || !lease_.held.empty())
      probe_and_decide(plan);
    else
      plan = decide();
  }

  // Returns how many nodes beside the primary gave no answer.
  static long count_silent(const Observation& view, const std::string& primary) {
    return std::ranges::count_if(view.topology.nodes, [&](const Node& node) {
      return node.name != primary && !node.alive();
    });
  }

  // A lost packet must not hide a node that has more, or that would acknowledge.
  void ask_silent_nodes_again(Plan& plan) {
    const auto silent = count_silent(workflow_.view, plan.primary);
    if (!plan.possible() || silent == 0) return;
    Observation again = observe(workflow_.env, workflow_.options);
    if (count_silent(again, plan.primary) >= silent) return;
    workflow_.view = std::move(again);
    plan = decide();
  }

  // Carries out a plan of failover. When a node that cannot apply what it received has ended it,
  // another that has received as much is tried in the time that is left; when the nodes have
  // changed, the plan is made anew.
  FailoverOutcome carry_out_in_turn(Plan plan, Choice choice) {
    for (std::optional<FailoverOutcome> before;;) {
      RunReport report = carry_out(workflow_, plan);
      // What was begun before counts for more than that nothing else can be begun.
      if (before && report.outcome.run_id.empty()) {
        before->details.push_back("no other node can be promoted: " + report.outcome.text);
        return *before;
      }
      if (!may_choose_again(report) || choice == Choice::kFixed || workflow_.deadline.passed() ||
          workflow_.env.clock.stopping())
        return pick_up_stragglers(workflow_, plan, std::move(report)).outcome;
      // One that has died meanwhile may have had more than all others.
      const bool equal = !plan.spare.empty() && stuck_.contains(plan.candidate);
      workflow_.probe();
      if (!equal && is_stuck_one_silent()) return report.outcome;
      plan = decide();
      if (!plan.possible()) {
        report.outcome.details.push_back(fmt::format("no other node can be promoted: {} ({})",
                                                     plan.reason, refusal_name(plan.refusal)));
        return report.outcome;
      }
      workflow_.log(report.outcome.text);
      before = std::move(report.outcome);
    }
  }

  // Nodes that come and go are not to keep it busy.
  bool may_choose_again(const RunReport& report) {
    if (remember_stuck(report)) return true;
    return report.outcome.end == FailoverEnd::kRefused && report.contradicted &&
           !std::exchange(chosen_again_, true);
  }

  // Remembers the node that has ended a run of which nothing is left; false: there is none, or it
  // was known.
  bool remember_stuck(const RunReport& report) {
    if (report.outcome.end != FailoverEnd::kRefused || !report.stuck) return false;
    return stuck_.emplace(report.stuck->node, report.stuck->reason).second;
  }

  bool is_stuck_one_silent() const {
    return std::ranges::any_of(workflow_.view.topology.nodes, [this](const Node& node) {
      return !node.facts && stuck_.contains(node.name);
    });
  }

  Workflow& workflow_;
  const LeaseVigil* const vigil_;  // null: there is none
  HungWatch hung_;
  LeaseWord lease_ = {};
  std::map<std::string, std::string> stuck_ = {};  // nodes that have ended a run, with the reason
  bool chosen_again_ = false;                      // because the nodes had changed
};

}  // namespace

FailoverOutcome run_failover(const Env& env, const FailoverOptions& options,
                             const std::string& plan_hash, const Log& log,
                             const LeaseVigil* vigil) {
  auto workflow = begin_workflow(env, options, log);
  if (!workflow) return refuse(workflow.error().text);
  return Failover(*workflow, vigil).run(plan_hash);
}

}  // namespace ha
