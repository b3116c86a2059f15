// SPDX-License-Identifier: MIT
// The steps of LiveActions that take the lease of a new primary and hand it over.
#include <fmt/format.h>

#include <algorithm>

#include "common/context/votes.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/text.h"

namespace ha {

Result<Done> LiveActions::confirm_lease() const {
  if (std::ranges::find(plan_.steps, Action::kLease, &Step::action) == plan_.steps.end())
    return Done{};
  const auto slot = lease_.lock();
  if (!slot) return failure("the lease of the primary was given back");
  const std::lock_guard guard(slot->mutex);
  return slot->votes ? slot->votes->confirm() : failure("the lease of the primary is not ours");
}

// A guard whose sessions have ended may have been started again, also before this run began to
// look: it keeps its server open for what is left of the lease. That of a process that has ended
// opens nothing, and what cannot be acknowledged is nobody's to read.
Result<Done> LiveActions::await_end_of_lease(const Deadline& deadline) const {
  const Node* const primary = find(plan_.primary);
  const double left_s = context_.primary_lease_until_s.value_or(0) - uptime_s(env_.clock);
  if (left_s <= 0 || plan_.evidence == Evidence::kRevocation) return Done{};
  if (primary != nullptr && primary->refused) return Done{};
  if (left_s < deadline.remaining_s() && env_.clock.sleep(left_s)) return Done{};
  return failure(
      fmt::format("the guard of {} may count on its lease for another {}; give a longer --deadline",
                  plan_.primary, format_duration(left_s)));
}

// The guard of a primary that takes no writes any more need not be heard of it first.
Result<StepResult> LiveActions::lease(const Step& step, const RunFacts& known,
                                      const Deadline& deadline) {
  const auto slot = lease_.lock();
  if (!slot) return failure("the run has ended");
  const std::lock_guard guard(slot->mutex);
  const bool rolls_back = step.number == 0;
  if (rolls_back) {
    if (slot->votes) slot->votes->give_back();
    slot->votes.reset();
    return StepResult{"given back"};
  }
  const VoteTerms terms = lease_terms(options_, step.node);
  const bool closed = known.closed || known.fenced || context_.primary_lease_expired;
  if (closed)
    end_holders(env_, options_, terms, topology_, deadline.from_now(options_.probe_timeout_s));
  auto taken = Votes::take(env_, options_, terms, topology_, deadline);
  if (!taken) return taken.error();
  if (!closed)
    if (const auto ended = await_end_of_lease(deadline); !ended) return ended.error();
  if (const auto ours = taken->votes->confirm(); !ours) return ours.error();
  slot->votes = std::move(taken->votes);
  return StepResult{fmt::format("{}", context_.primary_lease_expired.value_or("it was free"))};
}

Result<StepResult> LiveActions::hand_lease(const Step& step, const RunFacts&,
                                           const Deadline& deadline) {
  const auto slot = lease_.lock();
  if (!slot) return failure("the run has ended");
  const std::lock_guard guard(slot->mutex);
  if (!slot->votes) return StepResult{"its guard takes it, since this run was interrupted"};
  const auto handed = slot->votes->hand_over(options_.guard_lock(step.node), deadline);
  slot->votes.reset();
  if (!handed)
    return failure(
        fmt::format("{} has no lease: {}; to start its guard, run there: mysql_ha guard "
                    "--node {}",
                    step.node, handed.error().text, step.node));
  return StepResult{"its guard has it"};
}

}  // namespace ha
