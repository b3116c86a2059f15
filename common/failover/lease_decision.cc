// SPDX-License-Identifier: MIT
#include "common/failover/lease_decision.h"

#include <fmt/format.h>

#include <algorithm>

namespace ha {

namespace {

// Returns for how long a server may be writable before it has a majority. A guard that was started
// just now waits for voters that were, too, which vote within lease and margin; one that was
// started again has to log in to them first, which takes many times as long as a word. Once these
// logins have failed there is nothing to wait for: another node may be open since that lease ended.
double patience_s(const LeaseView& view, const LeaseLimits& limits) {
  if (view.restarted) return view.cut_off ? 0 : limits.lease_s - limits.margin_s;
  return view.had_lease ? limits.margin_s : 2 * (limits.lease_s + limits.margin_s);
}

// True when the server is being closed for so long that it has to be killed. What is left of the
// lease of an earlier guard is not made longer by that: its end is known before the closing begins.
bool closes_in_vain(const LeaseView& view, const LeaseLimits& limits) {
  if (!view.closing_since_s) return false;
  const double since_s = *view.closing_since_s;
  const double left_s = view.recalled ? *view.majority_s + limits.lease_s - since_s : 0;
  return view.now_s - since_s >= (left_s > 0 ? std::min(left_s, limits.margin_s) : limits.margin_s);
}

// When the server has no majority of votes and never had one.
LeaseAct decide_first(const LeaseView& view, const LeaseLimits& limits) {
  const double writable_s = view.now_s - std::max(view.writable_since_s, view.awake_since_s);
  // Given away: another primary has them, and this one was not told.
  if (!view.given_away && writable_s < patience_s(view, limits)) return LeaseAct::kTake;
  return closes_in_vain(view, limits) ? LeaseAct::kKill : LeaseAct::kClose;
}

// When the server had a majority of votes, and the last one is too old. Closing comes before
// killing, and is given its time, however late the guard wakes.
LeaseAct decide_last(const LeaseView& view, const LeaseLimits& limits, double age_s) {
  const bool ended = age_s < 0 || age_s >= limits.lease_s;
  if (view.closing_since_s)
    return ended && closes_in_vain(view, limits) ? LeaseAct::kKill : LeaseAct::kClose;
  // After a pause of the guard the votes may well be ours: the voters are asked first.
  const bool asks = view.now_s - view.awake_since_s < limits.margin_s / 2;
  return ended || view.doubted || !asks ? LeaseAct::kClose : LeaseAct::kHold;
}

}  // namespace

LeaseAct decide_lease(const LeaseView& view, const LeaseLimits& limits) {
  if (view.stopping || view.server != LeaseView::Server::kWritable) return LeaseAct::kRelease;
  if (view.silent_since_s &&
      view.now_s - std::max(*view.silent_since_s, view.awake_since_s) >= limits.hung_after_s)
    return LeaseAct::kKill;
  if (!view.majority_s) return decide_first(view, limits);
  const double age_s = view.now_s - *view.majority_s;
  // A clock that was set back does not tell how old it is.
  if (age_s < 0 || age_s >= limits.lease_s - limits.margin_s)
    return decide_last(view, limits, age_s);
  return view.given_away ? LeaseAct::kClose : LeaseAct::kHold;
}

std::optional<double> recall_majority(const LastMajority& last, const Moment& now, int lease_s) {
  if (now.boot.empty() || last.at.boot != now.boot || last.at.uptime_s > now.uptime_s)
    return std::nullopt;
  return last.at.uptime_s - std::max(0, lease_s - last.lease_s);
}

bool is_safe(LeaseAct act) { return act != LeaseAct::kClose && act != LeaseAct::kKill; }

int watchdog_timeout_s(int lease_s) { return std::max(1, lease_s / 2); }

bool may_feed(const LeaseView& view, LeaseAct act, const LeaseLimits& limits) {
  if (act != LeaseAct::kHold || !view.majority_s) return is_safe(act);
  const double timeout_s = watchdog_timeout_s(static_cast<int>(limits.lease_s));
  return view.now_s - *view.majority_s <= limits.lease_s - timeout_s;
}

std::string describe(const LeaseView& view, LeaseAct act, std::string_view node,
                     std::string_view obstacle) {
  switch (act) {
    case LeaseAct::kHold:
      if (view.recalled)
        return fmt::format(
            "{} has what is left of the lease of the guard before this one, which asks for it "
            "again",
            node);
      return fmt::format("{} has the lease of the primary", node);
    case LeaseAct::kTake:
      return fmt::format("{} takes writes, and asks for the lease of the primary", node);
    case LeaseAct::kRelease:
      return fmt::format("{} takes no writes, and needs no lease", node);
    case LeaseAct::kClose:
      return fmt::format(
          "closing {}: it has no majority of votes: {}", node,
          obstacle.empty() ? "the last one is too old, this guard was stopped" : obstacle);
    case LeaseAct::kKill:
      break;
  }
  if (!view.closing_since_s)
    return fmt::format("killing {}: it was asked and gives no answer", node);
  if (!view.majority_s)
    return fmt::format("killing {}: it has no majority of votes, and it is not closed", node);
  return fmt::format("killing {}: its lease has ended{}", node,
                     obstacle.empty() ? ", and it is not closed" : fmt::format(": {}", obstacle));
}

}  // namespace ha
