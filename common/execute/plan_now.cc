// SPDX-License-Identifier: MIT
// What a failover would do now; nothing is changed.
#include <fmt/format.h>

#include <optional>

#include "common/context/preconditions.h"
#include "common/context/situation.h"
#include "common/execute/failover.h"
#include "common/failover/resume.h"

namespace ha {

Plan plan_now(const Env& env, const FailoverOptions& options, const std::string& assume_dead) {
  Situation situation = look(env, options);
  situation.circumstances.assume_dead = !assume_dead.empty();
  const Moment now = env.clock.moment();
  const StateDirectory state = look_at_state(env.files, options, now);
  state.add_to(situation.circumstances);
  std::optional<Plan> resumed;
  if (const auto& run = state.interrupted)
    resumed = plan_resume(*run, decide_resume(*run, situation.topology, options.policy,
                                              situation.circumstances, age_of(run->last, now)));
  if (resumed && assume_dead.empty()) {
    add_next_command(*resumed);
    return *resumed;
  }
  Plan plan =
      plan_failover(situation.topology, options.policy, situation.circumstances, assume_dead);
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
