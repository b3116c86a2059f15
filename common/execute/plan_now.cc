// SPDX-License-Identifier: MIT
// What a failover would do now; nothing is changed.
#include <fmt/format.h>

#include <optional>

#include "common/context/preconditions.h"
#include "common/context/run_store.h"
#include "common/context/situation.h"
#include "common/execute/failover.h"
#include "common/failover/resume.h"

namespace ha {

namespace {

// Returns what becomes of a run that was interrupted.
Plan plan_interrupted(Files& files, const FailoverOptions& options, const std::string& id,
                      const Situation& situation, const Moment& now) {
  const auto store = RunStore::open(files, options.state_dir, options.cluster_name);
  const auto run = store ? store->read(id) : Result<Run>(store.error());
  if (!run) return {.refusal = Refusal::kInterrupted, .reason = run.error().text};
  return plan_resume(*run, decide_resume(*run, situation.topology, options.policy,
                                         situation.circumstances, age_of(run->last, now)));
}

}  // namespace

Plan plan_now(const Env& env, const FailoverOptions& options, const std::string& assume_dead) {
  Situation situation = look(env, options);
  situation.circumstances.assume_dead = !assume_dead.empty();
  const Moment now = env.clock.moment();
  const StateDirectory state = look_at_state(env.files, options, now);
  state.add_to(situation.circumstances);
  std::optional<Plan> resumed;
  if (!state.interrupted_run.empty())
    resumed = plan_interrupted(env.files, options, state.interrupted_run, situation, now);
  if (resumed && assume_dead.empty()) {
    add_next_command(*resumed);
    return *resumed;
  }
  Plan plan =
      plan_failover(situation.topology, options.policy, situation.circumstances, assume_dead);
  // An account that may not read the journal can still be told what would be done.
  if (!state.trouble.empty()) plan.reservations.push_back("--state-dir: " + state.trouble);
  if (resumed)
    plan.reservations.push_back(fmt::format(
        "run {} was interrupted: it is resumed or rolled back first; see: mysql_ha plan",
        resumed->interrupted_run));
  add_next_command(plan);
  return plan;
}

}  // namespace ha
