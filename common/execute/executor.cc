// SPDX-License-Identifier: MIT
#include "common/execute/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kGrace_s = 0.3;
// For rolling one step back, beyond the deadline that made it necessary: one that hangs takes
// nothing from the others, above all not from the opening of the old primary.
constexpr double kUndo_s = 5;
// At least so long for what is left to do when the new primary is open.
constexpr double kForward_s = 15;

// Returns how a step ended, also of one that was abandoned.
Result<StepResult> result_of(const std::optional<std::optional<Result<StepResult>>>& answer) {
  if (answer && *answer) return **answer;
  return Error{Errc::kUnreachable, "no answer in time"};
}

// What holds only for the process that did it. Receivers may have got more since a drain, and then
// the record is another one too, as long as nothing was built on them.
bool is_volatile(const Step& step, const Run& run) {
  switch (step.action) {
    case Action::kLock:
    case Action::kConfirmDead:
    case Action::kRevoke:
    case Action::kFence:
    case Action::kRecheck:
    case Action::kLease:
      return true;
    case Action::kDrain:
      return std::ranges::none_of(run.plan.steps, [&](const Step& one) {
        return (one.action == Action::kPromote || one.action == Action::kRepoint) &&
               one.node == step.node && run.state_of(one) != StepState::kOpen;
      });
    case Action::kRecord:
      return !run.has_begun(Action::kRescue) && !run.has_begun(Action::kPromote);
    default:
      return false;
  }
}

// True for a step that only asks, or whose effect ends with this process: a power cut that takes
// its records takes all of it.
bool leaves_nothing(const Step& step) {
  switch (step.action) {
    case Action::kLock:
    case Action::kConfirmDead:
    case Action::kRecheck:
      return true;
    case Action::kDrain:
    case Action::kWaitEqual:
    case Action::kRecord:
      return step.statements.empty();
    default:
      return false;
  }
}

// Returns what a step has done to the world that no step rolls back, for people; empty: nothing.
std::string effect_of(const Step& step, const Run& run) {
  const bool done = run.state_of(step) == StepState::kDone;
  switch (step.action) {
    case Action::kHook:
    case Action::kMhaScript:
    case Action::kStartService:
      return step.argv[0] + (done ? " has run" : " was called and failed");
    case Action::kFence:
      if (step.argv.empty()) return run.facts.closed ? step.node + " is read-only" : "";
      if (run.facts.fenced) return step.node + " has been fenced";
      return fmt::format("{} {}", step.argv[0],
                         done ? "has run for " + step.node : "was called and failed");
    case Action::kRescue:
      return done ? step.node + " has the rescued transactions" : "";
    default:
      return "";
  }
}

std::string name_of(const Step& step) {
  return fmt::format("{} {}", action_name(step.action), step.node.empty() ? "here" : step.node);
}

// Adjacent steps of one action on different nodes. Locks are taken one after the other: two
// managers that begin together would each get some of them, and none would act.
bool same_group(const Step& a, const Step& b) {
  return a.action == b.action && a.action != Action::kLock && !a.node.empty() && !b.node.empty() &&
         a.node != b.node;
}

}  // namespace

JournalRecord Executor::record(std::string event, const Step& step, std::string text) const {
  JournalRecord record = make_record(clock_.moment(), std::move(event));
  record.emplace_back("number", std::to_string(step.number));
  if (!text.empty()) record.emplace_back("text", std::move(text));
  return record;
}

std::vector<JournalRecord> Executor::take_pending(std::vector<JournalRecord> more) {
  std::vector<JournalRecord> records = std::move(pending_);
  pending_.clear();
  std::ranges::move(more, std::back_inserter(records));
  return records;
}

Result<Done> Executor::flush(std::vector<JournalRecord> more) {
  auto records = take_pending(std::move(more));
  return records.empty() ? Result<Done>(Done{}) : journal_.append_all(std::move(records));
}

Result<StepResult> Executor::call(const Step& step, const RunFacts& known,
                                  const Deadline& limit) const {
  return result_of(run_each<std::optional<Result<StepResult>>>(
      workers_, 1, limit, [actions = actions_, step, known, limit](std::size_t) {
        return std::optional(actions->perform(step, known, limit));
      })[0]);
}

Result<Done> Executor::begin(const Plan& plan) {
  JournalRecord record = make_record(clock_.moment(), "begin");
  record.emplace_back("command", command_name(plan.command));
  record.emplace_back("primary", plan.primary);
  record.emplace_back("candidate", plan.candidate);
  record.emplace_back("plan", plan_to_json(plan));
  const auto written = journal_.append(std::move(record));
  if (written) resume(plan);
  return written;
}

Result<Done> Executor::take_locks(const Deadline& deadline) const {
  const Run now = run();
  for (const Step& step : plan_.steps) {
    if (step.action != Action::kLock) continue;
    const Deadline limit =
        deadline.from_now(std::min(deadline.remaining_s(), step_limit_s(step.action)));
    const auto locked = call(step, now.facts, limit);
    if (!locked && locked.error().code == Errc::kRefused)
      return Error{Errc::kRefused, fmt::format("{}: {}", name_of(step), locked.error().text)};
  }
  return Done{};
}

std::vector<Executor::Group> Executor::open_groups(const Run& run) const {
  const auto& steps = run.plan.steps;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool done = run.state_of(steps[i]) == StepState::kDone ||
                      (run.state_of(steps[i]) == StepState::kFailed && steps[i].may_fail);
    // A run that has opened the new primary needs no proof any more that it may.
    if (done && (run.opened() || !is_volatile(steps[i], run))) continue;
    const bool joins = !groups.empty() && groups.back().end == i &&
                       std::ranges::all_of(steps.begin() + static_cast<long>(groups.back().begin),
                                           steps.begin() + static_cast<long>(i),
                                           [&](const Step& s) { return same_group(s, steps[i]); });
    if (joins)
      groups.back().end = i + 1;
    else
      groups.push_back({i, i + 1});
  }
  return groups;
}

std::optional<std::string> Executor::perform(Run& run, const Group& group,
                                             const Deadline& deadline) {
  const std::vector<Step> steps(run.plan.steps.begin() + static_cast<long>(group.begin),
                                run.plan.steps.begin() + static_cast<long>(group.end));
  std::vector<JournalRecord> begins;
  for (const Step& step : steps) begins.push_back(record("step-begins", step));
  // Nothing is done that the journal could not tell of, until there is no way back.
  const auto written = std::ranges::all_of(steps, leaves_nothing)
                           ? journal_.append_passing(take_pending(std::move(begins)))
                           : flush(std::move(begins));
  if (!written) {
    if (!run.opened()) return written.error().text;
    warnings_.push_back(written.error().text);
  }
  for (const Step& step : steps) run.steps[step.number] = StepState::kBegun;

  const Deadline limit =
      deadline.from_now(std::min(deadline.remaining_s(), step_limit_s(steps[0].action)));
  // A step that keeps its limit has a moment to say what it waited for.
  const Deadline patience = deadline.from_now(limit.remaining_s() + kGrace_s);
  const auto results = run_each<std::optional<Result<StepResult>>>(
      workers_, steps.size(), patience,
      [actions = actions_, steps, known = run.facts, limit](std::size_t i) {
        return std::optional(actions->perform(steps[i], known, limit));
      });
  std::optional<std::string> obstacle;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto failed = record_result(run, steps[i], result_of(results[i]));
    if (failed && !obstacle) {
      obstacle = failed;
      // So is a sibling that is to acknowledge and cannot: another one may.
      if (steps[i].action == Action::kDrain || steps[i].action == Action::kRepoint)
        stuck_ = steps[i].node;
      contradicted_ = result_of(results[i]).error().code == Errc::kChanged;
    }
  }
  return obstacle;
}

std::optional<std::string> Executor::record_result(Run& run, const Step& step,
                                                   const Result<StepResult>& result) {
  const std::string text = result ? result->text : result.error().text;
  pending_.push_back(record(result ? "step-done" : "step-failed", step, text));
  if (result) record_facts(run, step, *result);
  const std::string line =
      text.empty() ? name_of(step) : fmt::format("{}: {}", name_of(step), text);
  log_(result ? line : "FAILED " + line);
  if (result) return std::nullopt;
  if (!step.may_fail) return line;
  add_failure(step, line);
  return std::nullopt;
}

void Executor::add_failure(const Step& step, std::string line) {
  warnings_.push_back(std::move(line));
  if (step.action == Action::kRepoint) not_repointed_.insert(step.node);
}

// The last time that a step is done counts.
void Executor::record_facts(Run& run, const Step& step, const StepResult& result) {
  RunFacts found = result.facts;
  if (!result.warning.empty() || run.facts.warnings.contains(step.number))
    found.warnings[step.number] = result.warning;
  std::ranges::copy(to_fields(found), std::back_inserter(pending_.back()));
  add_facts(run.facts, found);
}

RunOutcome Executor::carry_out(const Deadline& deadline) {
  auto now = run();
  for (const Step& step : now.plan.steps)
    if (step.may_fail && now.state_of(step) == StepState::kFailed && now.opened())
      add_failure(step, name_of(step) + " failed before");
  std::optional<Deadline> forward;
  for (const Group& group : open_groups(now)) {
    std::optional<std::string> obstacle;
    if (now.opened() && !forward && deadline.remaining_s() < kForward_s)
      forward = deadline.from_now(kForward_s);
    const Deadline& limit = forward ? *forward : deadline;
    if (!now.opened() && clock_.stopping()) obstacle = "asked to stop";
    if (!obstacle && limit.passed()) obstacle = "the deadline has passed";
    if (!obstacle) obstacle = perform(now, group, limit);
    if (!obstacle) continue;
    if (!now.opened()) return roll_back(*obstacle);
    // It may be open, or not: only a look at the world tells, which the next run takes.
    if (const auto written = flush(); !written) log_(written.error().text);
    return {RunEnd::kUnfinished, *obstacle, warnings_, std::move(now.facts)};
  }
  for (const auto& [number, warning] : now.facts.warnings)
    if (!warning.empty()) warnings_.push_back(warning);
  RunOutcome outcome =
      finish(warnings_.empty() ? RunEnd::kDone : RunEnd::kWarnings, join(warnings_, "; "));
  outcome.facts = std::move(now.facts);
  outcome.not_repointed = not_repointed_;
  return outcome;
}

std::string Executor::undo(const Step& step, const RunFacts& known) const {
  std::string failed;
  for (const Step& one : step.undo) {
    const auto result = call(one, known, Deadline::after(clock_, kUndo_s));
    if (!result) failed = result.error().text;
  }
  return failed;
}

RunOutcome Executor::roll_back(std::string why) {
  // A later run must not resume what is rolled back from here on.
  if (const auto written = flush({make_record(clock_.moment(), "rolling-back")}); !written)
    log_(written.error().text);
  const auto now = run();
  std::vector<std::string> left;
  for (auto step = now.plan.steps.rbegin(); step != now.plan.steps.rend(); ++step) {
    const StepState state = now.state_of(*step);
    if (step->undo.empty() || state == StepState::kOpen || state == StepState::kUndone) continue;
    const std::string failed = undo(*step, now.facts);
    log_(fmt::format("{} {}{}{}", failed.empty() ? "undone" : "NOT UNDONE", name_of(*step),
                     failed.empty() ? "" : ": ", failed));
    if (!failed.empty()) left.push_back(fmt::format("{}: {}", name_of(*step), failed));
    const auto written = flush({record(failed.empty() ? "undone" : "undo-failed", *step, failed)});
    if (!written) log_(written.error().text);
  }
  RunOutcome outcome =
      left.empty() ? finish(RunEnd::kUndone, std::move(why))
                   : finish(RunEnd::kFailed,
                            fmt::format("{}; could not be rolled back: {}", why, join(left, "; ")));
  for (const Step& step : now.plan.steps)
    if (const std::string effect = effect_of(step, now);
        now.state_of(step) != StepState::kOpen && !effect.empty())
      outcome.remains.push_back(effect);
  outcome.stuck = stuck_;
  outcome.contradicted = contradicted_;
  return outcome;
}

RunOutcome Executor::finish(RunEnd end, std::string text) {
  JournalRecord record = make_record(clock_.moment(), "end");
  record.emplace_back("outcome", run_end_name(end));
  record.emplace_back("text", text);
  if (const auto written = flush({std::move(record)}); !written) log_(written.error().text);
  return {end, std::move(text), warnings_};
}

}  // namespace ha
