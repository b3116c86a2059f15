// SPDX-License-Identifier: MIT
// check_failover_ready: if the primary died now, which node would be promoted, which transactions
// would be lost, and what would block the failover?
//
// CRITICAL is what a failover would end at: there is no plan, or something without which it cannot
// be begun or finished. WARNING is what would be left undone, and what is not known.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/cluster/options.h"
#include "common/context/guard_files.h"
#include "common/context/lease_watch.h"
#include "common/context/preconditions.h"
#include "common/context/vote_view.h"
#include "common/deadline.h"
#include "common/mysql/memory_file.h"
#include "common/mysql/topology.h"
#include "common/mysql/write_probe.h"

namespace ha {

struct ReadyFacts {
  Topology topology = {};
  Witnesses witnesses = Witnesses::kNotAsked;
  std::vector<std::string> silent_witnesses = {};
  StateDirectory state = {};
  Recollection known = {};  // what was seen of the nodes, as far as it would be known then
  double now_s = 0;         // since the epoch
  std::map<std::string, Result<NodeAnswers>> answers = {};  // by node
  std::string account_trouble = {};  // why the replication account could not be tried
  Troubles accounts = {};            // by node
  Troubles vip_hosts = {};           // by node: why the virtual IP could not be moved there
  Troubles programs = {};
  Troubles files = {};
  FenceTrial fence = {};
  std::size_t votes = 0;        // servers that vote beside the nodes; 0: no votes are needed
  VoteView voters = {};         // who has the votes now
  Troubles silent_voters = {};  // of these, by name: why they would not vote
  GuardReport guard = {};       // of this state directory
  LeaseWord lease = {};         // of the primary
  LeaseSummary guards = {};     // which run, as the voters tell
  std::string watchdog = {};    // that the guards feed; empty: none
};

struct ReadyLimits {
  // For the seconds that the candidate would need to apply what it has received: 0 when it has
  // applied all, else its own lag; unknown while its applier does not run.
  Thresholds drain = {};
  State unprivileged = State::kOk;  // when our account could not carry it out
  double deadline_s = 120;  // of a failover; half of it is the most that the drain should take
};

// Returns what a failover would know of the moment.
Context context_of(const ReadyFacts& facts);

// Judges by the plan of the moment, with the primary taken for dead.
CheckResult evaluate(const ReadyFacts& facts, const Policy& policy, const ReadyLimits& limits);

// Reads nodes, accounts, witnesses and what is on this machine at the same time; then asks `write`
// of the writer.
ReadyFacts gather(const Env& env, const FailoverOptions& options, const WriteProbe& write,
                  const Deadline& deadline);

}  // namespace ha
