// SPDX-License-Identifier: MIT
// What makes a failover that can be planned lose, wait or end badly all the same, said while there
// is time to put it right, with what to configure or to type. Pure.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/failover/lease_summary.h"
#include "common/failover/plan.h"
#include "common/failover/policy.h"
#include "common/mysql/topology.h"

namespace ha {

struct Concern {
  State state;
  std::string text;
  std::vector<std::size_t> nodes = {};  // the nodes that it is about; empty: the whole
};

// What the fence command answered when it was asked whether it could be used.
struct FenceTrial {
  enum class End {
    kNotRun,   // there is none, or it may not be run
    kUnasked,  // a program that does not know the question, and might fence
    kUsable,
    kAccepts,  // it would not prove anything, the operator accepts
    kUnusable,
  };
  End end = End::kNotRun;
  std::string text = {};  // how it ended and what it printed, or why it was not asked
};

// Judges the replicas of the plan's primary: which receive, which apply, how long it takes until
// they notice its death. `topology` is the live one.
std::vector<Concern> judge_replicas(const Topology& topology, const Policy& policy,
                                    const Plan& plan);

// Judges what keeps the plan's primary from taking writes beside the new one.
std::vector<Concern> judge_fencing(const Policy& policy, const Plan& plan, const FenceTrial& trial);

// Returns what keeps the plan's primary from taking writes beside another one, or that nothing
// does, for people; empty: the plan knows no primary.
std::string describe_protection(const Plan& plan);

// Judges whether the guard of each node that takes writes has its lease, where there is to be one,
// and whether the guards of the other nodes run.
std::vector<Concern> judge_lease_keeping(const std::vector<std::string>& primaries,
                                         const LeaseSummary& summary);

// Judges whether the host of a guard that is stopped is taken down, where there is a lease.
std::vector<Concern> judge_watchdog(const Policy& policy, const std::string& watchdog);

// Judges whether a majority of votes is left when the plan's primary is gone: `votes` servers vote
// beside the nodes (0, and no lease: no votes are needed), of which the `silent` ones would not,
// for the reason.
std::vector<Concern> judge_votes(const Topology& topology, const Policy& policy, const Plan& plan,
                                 std::size_t votes,
                                 const std::map<std::string, std::string>& silent);

}  // namespace ha
