// SPDX-License-Identifier: MIT
#include "common/failover/lease_decision.h"

namespace ha {

namespace {

// Returns for how long a server may be writable before it has a majority. A guard that was started
// just now waits for voters that were, too, which vote within lease and margin.
double patience_s(const LeaseView& view, const LeaseLimits& limits) {
  return view.had_lease ? limits.margin_s : 2 * (limits.lease_s + limits.margin_s);
}

// When the server has no majority of votes and never had one.
LeaseAct decide_first(const LeaseView& view, const LeaseLimits& limits) {
  // Another primary has them, and this one was not told.
  if (view.given_away) return LeaseAct::kClose;
  const double writable_s = view.now_s - view.writable_since_s;
  return writable_s >= patience_s(view, limits) ? LeaseAct::kClose : LeaseAct::kTake;
}

}  // namespace

LeaseAct decide_lease(const LeaseView& view, const LeaseLimits& limits) {
  if (view.stopping || view.server != LeaseView::Server::kWritable) return LeaseAct::kRelease;
  if (view.silent_since_s && view.now_s - *view.silent_since_s >= limits.hung_after_s)
    return LeaseAct::kKill;
  if (!view.majority_s) return decide_first(view, limits);
  const double age_s = view.now_s - *view.majority_s;
  // A clock that was set back does not tell how old it is.
  if (age_s < 0 || age_s >= limits.lease_s) return LeaseAct::kKill;
  if (age_s >= limits.lease_s - limits.margin_s || view.given_away) return LeaseAct::kClose;
  return LeaseAct::kHold;
}

bool is_safe(LeaseAct act) { return act != LeaseAct::kClose && act != LeaseAct::kKill; }

}  // namespace ha
