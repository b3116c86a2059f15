// SPDX-License-Identifier: MIT
#include "common/execute/outcome.h"

#include <fmt/format.h>

#include <utility>

#include "common/commands.h"
#include "common/text.h"

namespace ha {

FailoverOutcome refuse(std::string text) { return {FailoverEnd::kRefused, std::move(text)}; }

FailoverOutcome refuse_plan(const Plan& plan, std::string text) {
  if (!plan.possible() && !names_command(text)) text += "; " + next_command(plan);
  FailoverOutcome outcome = refuse(fmt::format("{} refused: {}", command_name(plan.command), text));
  for (const Rejection& one : plan.rejected)
    outcome.details.push_back(fmt::format("not {}: {}", one.node, one.reason));
  outcome.failed = plan.primary;
  return outcome;
}

std::string describe_cause(const Plan& plan) {
  if (plan.command == PlanCommand::kClose)
    return plan.evidence_text.empty()
               ? fmt::format("{} accepts writes, and {} has replaced it", plan.primary,
                             plan.candidate)
               : fmt::format("{} accepts writes beside {}", plan.primary, plan.candidate);
  if (plan.command == PlanCommand::kReopen)
    return plan.primary + (plan.closed_by_guard
                               ? " was closed by its guard, and no other node has replaced it"
                               : " was restarted and is read-only");
  return plan.primary + " does not answer";
}

namespace {

std::string describe_done(const Plan& plan) {
  if (plan.command == PlanCommand::kClose)
    return fmt::format("{} is read-only now, {} stays the primary", plan.primary, plan.candidate);
  if (plan.command == PlanCommand::kReopen)
    return fmt::format("{} was {} and accepts writes again", plan.primary,
                       plan.closed_by_guard ? "closed by its guard" : "restarted read-only");
  return fmt::format("{} {} {}", plan.candidate,
                     plan.command == PlanCommand::kRejoin ? "follows" : "replaces", plan.primary);
}

// Returns what a run has left behind that ended without its aim.
std::string describe_undone(const Plan& plan) {
  if (plan.command == PlanCommand::kRejoin || plan.command == PlanCommand::kResync)
    return plan.candidate + " stays read-only";
  if (plan.command == PlanCommand::kReopen) return plan.primary + " stays read-only";
  if (plan.command == PlanCommand::kClose) return plan.primary + " may still accept writes";
  return "everything is as it was";
}

std::string describe_rolled_back(const Plan& plan, const RunOutcome& run) {
  if (run.remains.empty() || !plan.changes_primary())
    return fmt::format("{} ended, {}: {}", command_name(plan.command), describe_undone(plan),
                       run.text);
  return fmt::format("{} ended and is rolled back, but {}: {}", command_name(plan.command),
                     join(run.remains, ", "), run.text);
}

std::string describe_unfinished(const Plan& plan, const RunOutcome& run) {
  const std::string text =
      fmt::format("{} interrupted, run it again: {}", command_name(plan.command), run.text);
  if (!run.facts.opened) return text;
  return fmt::format("{} replaces {} and is open for writes, but not all is done; {}",
                     plan.candidate, plan.primary, text);
}

std::string describe_end(const Plan& plan, const RunOutcome& run) {
  switch (run.end) {
    case RunEnd::kDone:
    case RunEnd::kWarnings:
      break;
    case RunEnd::kUndone:
      return describe_rolled_back(plan, run);
    case RunEnd::kFailed:
      return fmt::format("{} ended, no node was opened{}: {}", command_name(plan.command),
                         run.remains.empty() ? "" : ", but " + join(run.remains, ", "), run.text);
    case RunEnd::kUnfinished:
      return describe_unfinished(plan, run);
  }
  return fmt::format("{} done: {}", command_name(plan.command), describe_done(plan));
}

// A run that opened the new primary has failed over, whatever else is left to do.
FailoverEnd rate(const RunOutcome& run) {
  if (run.end == RunEnd::kDone) return FailoverEnd::kDone;
  const bool opened = run.end == RunEnd::kUnfinished && run.facts.opened;
  return run.end == RunEnd::kWarnings || opened ? FailoverEnd::kWarnings : FailoverEnd::kRefused;
}

std::string describe_loss(const Plan& plan, const RunOutcome& run) {
  if (!run.facts.rescued) return "loss: " + render(plan.loss);
  return fmt::format("loss: none, {} transactions were rescued from {}'s disk", *run.facts.rescued,
                     plan.primary);
}

}  // namespace

RunReport report_run(const Plan& plan, const std::string& id, const RunOutcome& run) {
  RunReport report{
      {rate(run), describe_end(plan, run), {}, id, plan.primary, plan.candidate, plan.command},
      run.end == RunEnd::kDone || run.end == RunEnd::kWarnings};
  if (run.end == RunEnd::kUndone && !run.stuck.empty())
    report.stuck = Rejection{run.stuck, run.text};
  report.contradicted = run.end == RunEnd::kUndone && run.contradicted;
  report.not_repointed = run.not_repointed;
  FailoverOutcome& outcome = report.outcome;
  const bool achieved = outcome.end != FailoverEnd::kRefused;
  if (plan.command == PlanCommand::kFailover && achieved)
    outcome.details.push_back(describe_loss(plan, run));
  for (const std::string& one : run.warnings) outcome.details.push_back("warning: " + one);
  if (achieved && !plan.warnings.empty()) {
    for (const std::string& one : plan.warnings) outcome.details.push_back("warning: " + one);
    outcome.end = FailoverEnd::kWarnings;
  }
  return report;
}

}  // namespace ha
