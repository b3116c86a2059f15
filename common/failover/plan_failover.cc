// SPDX-License-Identifier: MIT
// The order in which a failover is judged. All that stands in the way is named at once, as far as
// it can be judged.
#include <optional>
#include <utility>

#include "common/failover/candidates.h"
#include "common/failover/choose.h"
#include "common/failover/decision.h"
#include "common/failover/forecast.h"
#include "common/failover/known_primary.h"
#include "common/failover/lease_steps.h"
#include "common/failover/loss.h"
#include "common/failover/objections.h"
#include "common/failover/plan_hash.h"
#include "common/failover/plan_roles.h"
#include "common/failover/plan_steps.h"

namespace ha {

namespace {

void name_candidate(Decision& d) { d.plan.candidate = d.candidate_node().name; }

}  // namespace

Plan decide_failover(Decision d, std::string_view primary) {
  find_primary(d, primary);
  if (!d.refused()) judge_primary(d);
  if (d.plan.refusal == Refusal::kUnknownPrimary || d.plan.refusal == Refusal::kPrimaryAlive)
    return std::move(d.plan);
  judge_context(d);
  judge_held_lease(d);
  // Each of these needs what those before it have found.
  const std::size_t before = d.plan.further.size() + d.refused();
  constexpr void (*kJudgements[])(Decision&) = {
      collect_candidates, choose, name_candidate, judge_unread, compare_versions, forecast_loss};
  for (const auto judge : kJudgements)
    if (d.plan.further.size() + d.refused() == before) judge(d);
  judge_fence(d);
  judge_vouched(d);
  if (d.refused()) return std::move(d.plan);
  StepWriter(d.topology, d.policy, d.context,
             {d.primary, d.candidate, d.ahead, d.left_behind, d.revoked}, d.plan)
      .write_failover();
  d.plan.hash = hash_of(d.plan, d.topology);
  return std::move(d.plan);
}

Plan plan_failover(const Topology& topology, const Policy& policy, const Context& context,
                   std::string_view primary) {
  if (context.assume_dead) return forecast(topology, policy, context, primary);
  if (primary.empty()) {
    if (auto plan = plan_close(topology, policy, context)) return *std::move(plan);
    if (auto plan = plan_reopen(topology, policy, context)) {
      if (plan->possible()) return *std::move(plan);
      // Others may have made another one the primary, which is lost now.
      Plan other = decide_failover({topology, policy, context}, "");
      return other.possible() && other.primary != plan->primary ? other : *std::move(plan);
    }
  }
  return decide_failover({topology, policy, context}, primary);
}

}  // namespace ha
