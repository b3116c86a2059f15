// SPDX-License-Identifier: MIT
#include "common/execute/resumption.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "common/execute/stragglers.h"
#include "common/failover/resume.h"

namespace ha {

namespace {

// Writes into the journal of an interrupted run that it is resumed now.
Result<Done> record_resumption(const Workflow& workflow, const Resume& resume, Journal& journal) {
  std::vector<JournalRecord> records = {make_record(workflow.env.clock.moment(), "resumed")};
  if (resume.not_opened) records.push_back(make_record(workflow.env.clock.moment(), "not-opened"));
  return journal.append_all(std::move(records));
}

std::string describe_left(const Run& run, const Error& obstacle) {
  return fmt::format("run {} was interrupted and is neither resumed nor rolled back: {}", run.id,
                     obstacle.text);
}

RunReport resume_or_roll_back(Workflow& workflow, const Run& run) {
  const Moment now = workflow.env.clock.moment();
  Context context = workflow.view.context;
  if (const auto added = add_history(workflow.store, workflow.options.cluster.nodes, now, context);
      !added)
    return {refuse(added.error().text)};
  const Resume resume = decide_resume(run, workflow.view.topology, workflow.options.policy, context,
                                      age_of(run.last, now));
  workflow.settled = resume.settles;
  if (resume.kind == Resume::Kind::kRefuse) return {refuse(resume.reason)};
  auto journal = workflow.store.journal(run.id);
  if (!journal) return {refuse(journal.error().text)};
  const bool back = resume.kind == Resume::Kind::kRollBack;
  workflow.log(fmt::format("run {} was interrupted, {}", run.id,
                           back ? "rolling it back: " + resume.reason : "resuming it"));
  Executor executor = make_executor(workflow, *journal, run.plan, run.id);
  executor.resume(run.plan);
  // Another manager may be at work on what this run has begun.
  if (const auto locked = executor.take_locks(workflow.deadline); !locked) {
    workflow.settled = false;
    return {refuse(describe_left(run, locked.error()))};
  }
  if (const auto recorded = record_resumption(workflow, resume, *journal); !recorded)
    return {refuse(recorded.error().text)};
  const RunOutcome ended =
      back ? executor.roll_back(resume.reason) : executor.carry_out(workflow.deadline);
  return end_run(workflow, run.plan, run.id, ended);
}

}  // namespace

RunReport resume_interrupted(Workflow& workflow) {
  const Run& run = *workflow.interrupted;
  if (const auto taken = take_votes(workflow); !taken)
    return {refuse(describe_left(run, taken.error()))};
  // Nodes that were silent when it was planned are in none of its steps.
  return pick_up_stragglers(workflow, run.plan, resume_or_roll_back(workflow, run));
}

std::optional<FailoverOutcome> prepare_change(Workflow& workflow) {
  workflow.probe();
  if (!workflow.interrupted) return std::nullopt;
  const FailoverOutcome outcome = resume_interrupted(workflow).outcome;
  if (!workflow.settled) return outcome;
  if (outcome.end != FailoverEnd::kRefused)
    for (const std::string& line : outcome.details) workflow.log(line);
  workflow.probe();
  return std::nullopt;
}

}  // namespace ha
