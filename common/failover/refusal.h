// SPDX-License-Identifier: MIT
// Why a plan is refused: the kinds of refusals, their names, and what an operator is to type then.
// Where each is decided: known_primary.h and objections.h (the primary, the moment), lease_steps.h,
// candidates.h, choose.h, loss.h, forecast.h, plan_switchover.cc, plan_rejoin.cc, plan_roles.h,
// resume.h.

#pragma once

#include <string>
#include <string_view>

namespace ha {

enum class Refusal {
  kNone,
  kUnknownPrimary,  // which node the primary is, or was, cannot be told
  kPrimaryAlive,    // it answers, or refuses us, which only the living do
  kStillReceives,   // a reachable replica receives from it
  kIsolated,        // no witness is reachable: we are the ones cut off
  kSecondWriter,    // another node accepts writes already
  kUnreadNode,      // another node might take writes: it is neither read nor known as a replica
  kTooSoon,         // the last failover is too young and not acknowledged
  kLocked,          // another run is at work
  kNoCandidate,     // no node may be promoted
  kIncomparable,    // two candidates each have transactions that the other lacks
  kTooMuchLoss,     // more than the policy allows
  kCannotFence,     // fencing is required and there is no way to do it
  kNotReady,        // a planned change finds the cluster in no state for it
  kDiverged,        // the node that is to return has transactions of its own
  kInterrupted,     // an earlier run was interrupted, and only people can tell what becomes of it
  kNeedsResync,     // it cannot return as it is: it lacks what it wrote, or no position is known
};

// Returns the refusal's name, as in kPrimaryAlive: "primary-alive".
std::string_view refusal_name(Refusal refusal);

// Returns what to type after a refusal of this kind, "to ..., run: mysql_ha ...". `node`: the one
// that was to return or to be promoted; empty: none.
std::string next_command(Refusal refusal, std::string_view node);

// Why no node may be promoted.
struct Objection {
  Refusal refusal = Refusal::kNone;
  std::string reason = {};

  bool operator==(const Objection&) const = default;
};

}  // namespace ha
