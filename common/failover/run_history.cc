// SPDX-License-Identifier: MIT
#include "common/failover/run_history.h"

#include <set>

#include "common/failover/revocation.h"
#include "common/text.h"

namespace ha {

namespace {

// How long a run that could not be rolled back is tried again before new ones are made.
constexpr double kPatience_s = 600;

// True when a run has proven that the node which it replaced takes no writes, and that still holds:
// where its acknowledgements were revoked, it waits for them for a day at least.
bool is_proven(const Run& run, const Moment& now) {
  if (run.facts.fenced) return true;
  return run.plan.evidence == Evidence::kRevocation &&
         age_of(run.begun, now).value_or(kSettingsAge_s) < kSettingsAge_s;
}

// Adds a change of the primary; newer ones were added before.
void add_change(RunHistory& history, const Run& run) {
  if (history.primary.empty()) {
    history.primary = run.plan.candidate;
    history.run = run.id;
    history.since_s = run.begun.now_s;
    history.acknowledged = run.acknowledged;
  }
  // Whatever came after an older change made another node the primary.
  for (const std::string& node : {run.plan.primary, run.plan.candidate})
    if (node != history.primary) history.replaced.insert(node);
}

void add_last_failover(RunHistory& history, const Run& run, const Moment& now) {
  history.last_failover_age_s = age_of(run.begun, now);
  if (!history.last_failover_age_s) history.undated_run = run.id;
}

}  // namespace

std::int64_t number_of_run(const std::string& id) {
  const std::size_t dash = id.rfind('-');
  return dash == id.npos ? 0 : parse_integer(id.substr(dash + 1)).value_or(0);
}

bool is_given_up(const Run& run, const Moment& now) {
  return run.end == RunEnd::kFailed &&
         age_of(run.failed.value_or(run.last), now).value_or(kPatience_s) >= kPatience_s;
}

Result<std::optional<Run>> find_interrupted(const Runs& runs, const Moment& now) {
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (!*run) return run->error();
    if ((**run).open() && !is_given_up(**run, now)) return std::optional(**run);
    // By their time alone, nothing tells which of two came later.
    if ((**run).opened() && number_of_run((**run).id) > 0) break;
  }
  return std::optional<Run>();
}

Result<std::optional<Run>> find_last_failover(const Runs& runs) {
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (!*run) return run->error();
    if ((**run).plan.command != PlanCommand::kFailover || !(**run).opened()) continue;
    return (**run).acknowledged ? std::optional<Run>() : std::optional(**run);
  }
  return std::optional<Run>();
}

Result<RunHistory> history_of(const Runs& runs, const Moment& now) {
  RunHistory history;
  std::set<std::string> judged;  // nodes of which a newer run has told whether they are fenced
  for (auto one = runs.rbegin(); one != runs.rend(); ++one) {
    if (!*one) return one->error();
    const Run& run = **one;
    const Plan& plan = run.plan;
    if (plan.changes_primary() && run.opened()) add_change(history, run);
    if (plan.command == PlanCommand::kFailover && run.opened()) {
      if (is_proven(run, now) && !judged.contains(plan.primary))
        history.fenced[plan.primary] = run.begun.now_s;
      judged.insert(plan.primary);
    }
    // Whatever else was begun with a node, it was there for it.
    judged.insert(plan.candidate);
  }
  const auto last = find_last_failover(runs);
  if (last && *last) add_last_failover(history, **last, now);
  return history;
}

bool HistoryReach::add(const Run& run) {
  const Plan& plan = run.plan;
  const bool opened = run.opened();
  has_numbered_opening_ = has_numbered_opening_ || (opened && number_of_run(run.id) > 0);
  if (plan.changes_primary() && opened)
    for (const std::string& node : {plan.primary, plan.candidate}) unchanged_.erase(node);
  if (plan.command == PlanCommand::kFailover && opened) {
    has_failover_ = true;
    unjudged_.erase(plan.primary);
  }
  unjudged_.erase(plan.candidate);
  return has_numbered_opening_ && has_failover_ && unchanged_.empty() && unjudged_.empty();
}

}  // namespace ha
