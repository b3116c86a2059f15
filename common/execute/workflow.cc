// SPDX-License-Identifier: MIT
#include "common/execute/workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/context/mha_call.h"
#include "common/context/operator_program.h"
#include "common/execute/live_actions.h"
#include "common/execute/tool_login.h"
#include "common/mysql/memory_file.h"

namespace ha {

Result<Workflow> begin_workflow(const Env& env, const FailoverOptions& options, const Log& log) {
  const Deadline deadline = Deadline::after(env.clock, options.deadline_s);
  auto store = RunStore::open(env.files, options.state_dir, options.cluster_name);
  if (!store) return Error{store.error().code, "--state-dir: " + store.error().text};
  if (const auto locked = store->lock(env.clock); !locked)
    return Error{locked.error().code,
                 locked.error().code == Errc::kRefused
                     ? "refused: another run is at work: " + locked.error().text
                     : locked.error().text};
  remove_login_files(env.files, store->path());
  const auto runs = store->recent_runs(options.cluster.nodes);
  if (!runs) return runs.error();
  auto interrupted = find_interrupted(*runs, env.clock.moment());
  if (!interrupted) return interrupted.error();
  if (*interrupted)
    if (const auto shortened = store->shorten((*interrupted)->id); !shortened)
      log(shortened.error().text);
  return Workflow{env, options, log, deadline, std::move(*store), std::move(*interrupted)};
}

Executor make_executor(const Workflow& workflow, Journal& journal, const Plan& plan,
                       const std::string& id) {
  std::optional<std::weak_ptr<const Votes>> votes;
  if (workflow.options.needs_votes()) votes = workflow.votes;
  return {std::make_shared<LiveActions>(workflow.env, workflow.options, workflow.view, plan, id,
                                        workflow.store.path(), std::move(votes), workflow.lease),
          journal, workflow.env.clock, workflow.env.workers, workflow.log};
}

namespace {

// No probe may ever see it: the new primary may die before a replica follows it.
void remember_change(const Workflow& workflow, const Plan& plan, const RunOutcome& run) {
  const Node* const primary = find_node(workflow.view.topology, plan.candidate);
  if (!plan.changes_primary() || !run.facts.opened || primary == nullptr || !primary->facts) return;
  const FailoverOptions& options = workflow.options;
  const MemoryFile file(workflow.env.files, options.state_dir, options.cluster_name);
  Recollection known = file.read(options.cluster.nodes);
  file.record_primary(known, *primary, workflow.env.clock.now_s());
  if (!known.trouble.empty()) workflow.log(known.trouble);
}

std::string describe_beginning(const Plan& plan, const std::string& id) {
  if (plan.command == PlanCommand::kClose || plan.command == PlanCommand::kReopen)
    return fmt::format("{}: {} (run {})", command_name(plan.command), describe_cause(plan), id);
  return fmt::format("{}: {} (run {})", command_name(plan.command), describe_change(plan), id);
}

// A step of the plan reports one that has succeeded.
void report_failure(const Workflow& workflow, const Plan& plan, const RunOutcome& run,
                    const std::string& reason) {
  const FailoverOptions& options = workflow.options;
  const Node* const old = find_node(workflow.view.topology, plan.primary);
  const MhaScripts& mha = options.policy.mha;
  if (plan.command != PlanCommand::kFailover || run.facts.opened || mha.report.empty() ||
      old == nullptr)
    return;
  // An event handler has little time left by now.
  constexpr double kMost_s = 10;
  const Deadline deadline =
      Deadline::after(workflow.env.clock, std::min(kMost_s, options.hook_timeout_s));
  const auto argv =
      expand_mha_call(workflow.env, mha_report_failure(mha, *old, reason), {}, deadline);
  const auto outcome = workflow.env.process.run({argv}, deadline);
  if (!outcome)
    workflow.log("report_script: " + outcome.error().text);
  else if (!outcome->succeeded())
    workflow.log("report_script: " + describe_end(argv, *outcome));
}

}  // namespace

RunReport end_run(const Workflow& workflow, const Plan& plan, const std::string& id,
                  const RunOutcome& run) {
  remember_change(workflow, plan, run);
  RunReport report = report_run(plan, id, run);
  report_failure(workflow, plan, run, report.outcome.text);
  return report;
}

Result<bool> take_votes(Workflow& workflow) {
  if (!workflow.options.needs_votes()) return false;
  if (workflow.votes && workflow.votes->confirm()) return false;
  const bool lost = std::exchange(workflow.votes, nullptr) != nullptr;
  auto taken = Votes::take(workflow.env, workflow.options, change_terms(workflow.options),
                           workflow.view.topology, workflow.deadline);
  if (!taken) return taken.error();
  workflow.votes = std::move(taken->votes);
  const bool old = taken->waited || lost;
  if (old) workflow.probe();
  return old;
}

RunReport carry_out(Workflow& workflow, Plan plan) {
  if (!plan.possible()) return {refuse_plan(plan, describe_refusal(plan))};
  const auto old = take_votes(workflow);
  if (!old) return {refuse_plan(plan, old.error().text)};
  if (*old)
    return {refuse_plan(plan,
                        "another manager may have changed the cluster while this one waited for "
                        "its votes; to see how it is now, run: mysql_ha status")};
  const auto id = workflow.store.new_id(workflow.env.clock.now_s());
  if (!id) return {refuse_plan(plan, id.error().text)};
  auto journal = workflow.store.journal(*id);
  if (!journal) return {refuse_plan(plan, journal.error().text)};
  Executor executor = make_executor(workflow, *journal, plan, *id);
  if (const auto begun = executor.begin(plan); !begun)
    return {refuse_plan(plan, begun.error().text)};
  workflow.log(describe_beginning(plan, *id));
  for (const std::string& one : workflow.options.policy.unheeded) workflow.log("note: " + one);
  const RunOutcome run = executor.carry_out(workflow.deadline);
  const auto pruned = workflow.store.prune(workflow.options.keep_runs, workflow.env.clock.moment());
  if (!pruned) workflow.log(pruned.error().text);
  RunReport report = end_run(workflow, plan, *id, run);
  // The roles have changed, and are to be remembered in case that one of the nodes dies now.
  if (plan.command != PlanCommand::kFailover && report.outcome.end != FailoverEnd::kRefused)
    observe(workflow.env, workflow.options);
  return report;
}

SqlSession* find_session(const Observation& view, const std::string& name) {
  const auto place = find_place(view.topology, name);
  return place ? view.sessions[*place].get() : nullptr;
}

std::string describe_silence(const Observation& view, const std::string& name) {
  const Node* const node = find_node(view.topology, name);
  if (node == nullptr || !node->facts) return "";
  return name + " answers too slowly; run this again with a longer --probe-timeout";
}

}  // namespace ha
