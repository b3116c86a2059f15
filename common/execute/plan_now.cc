// SPDX-License-Identifier: MIT
// What a failover would do now; nothing is changed.
#include <fmt/format.h>

#include <optional>

#include "common/context/observation.h"
#include "common/context/preconditions.h"
#include "common/execute/failover.h"
#include "common/failover/resume.h"

namespace ha {

Plan plan_now(const Env& env, const FailoverOptions& options, const std::string& assume_dead) {
  Observation observation = observe(env, options);
  observation.context.assume_dead = !assume_dead.empty();
  const Moment now = env.clock.moment();
  const StateDirectory state = probe_state_directory(env.files, options, now);
  state.add_to(observation.context);
  std::optional<Plan> resumed;
  if (const auto& run = state.interrupted)
    resumed = plan_resume(*run, decide_resume(*run, observation.topology, options.policy,
                                              observation.context, age_of(run->last, now)));
  if (resumed && assume_dead.empty()) {
    add_next_command(*resumed);
    return *resumed;
  }
  Plan plan = plan_failover(observation.topology, options.policy, observation.context, assume_dead);
  // An account that may not read the journal can still be told what would be done.
  if (!state.trouble.empty()) plan.warnings.push_back("--state-dir: " + state.trouble);
  if (resumed)
    plan.warnings.push_back(fmt::format(
        "run {} was interrupted: it is resumed or rolled back first; see: mysql_ha plan",
        resumed->interrupted_run));
  add_next_command(plan);
  return plan;
}

}  // namespace ha
