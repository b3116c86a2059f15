// SPDX-License-Identifier: MIT
// Decides a failover: a topology and a policy in, a plan or a refusal out. Pure and deterministic.
// The plan is data: numbered steps with the exact SQL or argv, the rejected candidates with
// reasons, the expected loss, and a hash of all this and of the facts it rests on. Whenever the
// view is ambiguous the answer is a refusal: a wrong failover is worse than none.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/failover/policy.h"
#include "common/mysql/topology.h"

namespace ha {

enum class Refusal {
  kNone,
  kUnknownPrimary,  // which node the primary is, or was, cannot be told
  kPrimaryAlive,    // it answers, or refuses us, which only the living do
  kStillReceives,   // a reachable replica receives from it
  kIsolated,        // no witness is reachable: we are the ones cut off
  kSecondWriter,    // another node accepts writes already
  kTooSoon,         // the last failover is too young and not acknowledged
  kLocked,          // another run is at work
  kNoCandidate,     // nobody may be promoted
  kIncomparable,    // two candidates each have what the other lacks
  kTooMuchLoss,     // more than the policy allows
  kCannotFence,     // fencing is required and there is no way to do it
};

// Returns the refusal's name, as in kPrimaryAlive: "primary-alive".
std::string_view refusal_name(Refusal refusal);

enum class Action {
  kLock,          // take the lock on a node, so that no second manager acts
  kConfirmDead,   // probe the primary once more
  kHook,          // run a program of the operator's
  kFence,         // make sure that the old primary takes no writes
  kStopReceiver,  // so that a primary that comes back feeds nobody
  kStartApplier,  // it was stopped without an error
  kDrain,         // wait until everything received is applied
  kCatchUp,       // follow a sibling that has more, until equal
  kRecord,        // write the crash record: who had what
  kPromote,       // stop being a replica
  kRepoint,       // follow the new primary
  kVipDown,
  kVipUp,
  kMakeWritable,  // the point of no return
  kStartService,
  kNotify,
};

// Returns the action's name, as in kStopReceiver: "stop-receiver".
std::string_view action_name(Action action);

struct Step {
  int number = 0;  // from 1
  Action action;
  std::string node;                    // on which, empty: here
  std::vector<std::string> sql = {};   // in this order
  std::vector<std::string> argv = {};  // the program to run instead
  std::string text = {};               // for people: what it is for or waits for
};

struct Rejection {
  std::string node, reason;
};

struct LossForecast {
  std::optional<std::uint64_t> transactions = {};  // that are known to exist; nullopt: no telling
  bool at_least = true;                            // the dead primary may have had more
  std::optional<double> seconds = {};              // of the candidate behind the primary
  std::string text = {};
};

struct Plan {
  Refusal refusal = Refusal::kNone;
  std::string reason = {};  // of the refusal, with names
  std::string primary = {}, candidate = {};
  std::vector<Step> steps = {};
  std::vector<Rejection> rejected = {};
  std::vector<std::string> reservations = {};  // it can be done, but
  LossForecast loss = {};
  std::string hash = {};  // 16 hexadecimal digits

  bool possible() const { return refusal == Refusal::kNone; }
};

// Plans what to do now that `primary` is dead; empty: the plan finds out which node that is.
Plan plan_failover(const Topology& topology, const Policy& policy,
                   const Circumstances& circumstances, std::string_view primary);

// Prints a plan for people; the last line is "plan hash: HEX". A refusal is printed with its
// reason and the rejected candidates, without a hash.
std::string render(const Plan& plan);

}  // namespace ha
