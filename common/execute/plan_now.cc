// SPDX-License-Identifier: MIT
// What a failover would do now; nothing is changed.
#include <fmt/format.h>

#include <optional>

#include "common/context/guard_files.h"
#include "common/context/lease_watch.h"
#include "common/context/observation.h"
#include "common/context/preconditions.h"
#include "common/execute/failover.h"
#include "common/failover/known_primary.h"
#include "common/failover/resume.h"

namespace ha {

namespace {

// Returns the primary when it gives no answer; empty: it does, or is not known.
std::string find_silent_primary(const Observation& view) {
  const Node* const last = last_primary(view.topology, view.context);
  return last == nullptr || !last->silent() ? "" : last->name;
}

}  // namespace

Outlook look_ahead(const Env& env, const FailoverOptions& options, const std::string& assume_dead) {
  Outlook outlook{observe(env, options)};
  Observation& observation = outlook.view;
  observation.context.assume_dead = !assume_dead.empty();
  const Moment now = env.clock.moment();
  const StateDirectory state = probe_state_directory(env.files, options, now);
  state.add_to(observation.context);
  observation.context.own_closing =
      GuardFiles(env.files, options.cluster_directory()).find_reopenable(now);
  const std::string primary = assume_dead.empty() ? find_silent_primary(observation) : assume_dead;
  look_at_lease(env, options, observation.topology, primary,
                Deadline::after(env.clock, options.probe_timeout_s))
      .add_to(observation.context);
  std::optional<Plan> resumed;
  if (const auto& run = state.interrupted)
    resumed = plan_resume(*run, decide_resume(*run, observation.topology, options.policy,
                                              observation.context, age_of(run->last, now)));
  if (resumed && assume_dead.empty()) {
    outlook.plan = *std::move(resumed);
    add_next_command(outlook.plan);
    return outlook;
  }
  Plan& plan = outlook.plan;
  plan = plan_failover(observation.topology, options.policy, observation.context, assume_dead);
  // An account that may not read the journal can still be told what would be done.
  if (!state.trouble.empty()) plan.warnings.push_back("--state-dir: " + state.trouble);
  if (resumed)
    plan.warnings.push_back(fmt::format(
        "run {} was interrupted: it is resumed or rolled back first; see: mysql_ha plan",
        resumed->interrupted_run));
  add_next_command(plan);
  return outlook;
}

Plan plan_now(const Env& env, const FailoverOptions& options, const std::string& assume_dead) {
  return look_ahead(env, options, assume_dead).plan;
}

}  // namespace ha
