// SPDX-License-Identifier: MIT
// What an operator allows a failover to do, and what is known of the moment besides the topology.
// Plain values for the planner.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/failover/mha_scripts.h"
#include "common/failover/own_closing.h"
#include "common/mysql/memory.h"
#include "common/mysql/node_address.h"

namespace ha {

enum class Fence {
  kRequired,
  kRevoke,  // no acknowledgement is left to the old primary: revocation.h
  kBestEffort,
  kNone,
};

struct Policy {
  std::map<std::string, Promotion> promotion = {};  // by node; absent: kAllowed
  Fence fence = Fence::kRequired;
  std::vector<std::string> fence_command = {};   // argv; empty: none
  std::vector<std::string> rescue_command = {};  // argv; prints the dead primary's binlog events
  std::optional<std::uint64_t> max_lost_transactions = {};
  std::optional<double> max_lag_s = {};  // of the candidate behind the primary
  double min_interval_s = 3600;          // between two failovers
  double hung_after_s = 30;  // a primary that answers no query for so long counts as dead, fenced
  std::string primary = {};  // the operator's word for which node the primary was; empty: none
  std::set<std::string> assume_replica = {};  // silent nodes that the operator vouches for
  // Nodes that are no objection when they cannot be read, unless they were seen as no replica.
  std::set<std::string> ignore_fail = {};
  bool auto_open = true;       // a primary that is closed by no operator is opened again
  bool allow_loss = false;     // promote although others have, or may have, what is then lost
  std::string repl_user = {};  // of the replication account; empty: none was given
  std::string vip = {};        // address; empty: none
  std::vector<std::vector<std::string>> pre_failover = {};  // argv each
  std::vector<std::vector<std::string>> post_failover = {};
  std::vector<std::vector<std::string>> pre_switchover = {};
  std::vector<std::vector<std::string>> post_switchover = {};
  std::vector<std::vector<std::string>> start_services = {};
  std::string hosts_file = {};        // Pandora's pandora_ha_hosts.conf; empty: none
  std::string console_database = {};  // Pandora's, whose console tells of changes; empty: none
  std::string flag_file = {};         // written after a failover, as MHA does; empty: none
  MhaScripts mha = {};                // those that are called
  // What other tools' files ask for, is not done and would change an outcome.
  std::vector<std::string> unheeded = {};
  int lease_s = 0;  // of the primary; 0: a node is opened without one

  bool has_fence_program() const { return !fence_command.empty() || !mha.shutdown.empty(); }
};

enum class Witnesses { kNotAsked, kReached, kUnreached };

// What the journals of this machine tell of the runs that it has made; see run_history.h.
struct RunHistory {
  std::string primary = {};             // that the newest change made; empty: there was none
  std::string run = {};                 // in which that was
  double since_s = 0;                   // since the epoch
  std::set<std::string> replaced = {};  // that were the primary before, and are none any more
  bool acknowledged = false;            // the newest change is
  std::optional<double> last_failover_age_s = {};  // of the last one that is not acknowledged
  // The run of that failover, when its age is not known because the clock was set back since.
  std::string undated_run = {};
  // By node: when the run began that has replaced it, and has fenced it or, in the last day,
  // revoked its acknowledgements, since the epoch; not of those that have returned.
  std::map<std::string, double> fenced = {};

  // The primary that the newest change made, unless that is acknowledged; empty: none.
  std::string binding_primary() const { return acknowledged ? "" : primary; }
};

struct Context {
  bool assume_dead = false;  // forecast what follows if the primary dies now
  Witnesses witnesses = Witnesses::kNotAsked;
  std::string lock_holder = {};  // the run that holds the lock; empty: it is free
  RunHistory runs = {};
  Memory memory = {};                         // what was last seen of the nodes
  std::string memory_trouble = {};            // why that is not all; empty: it is
  double now_s = 0;                           // since the epoch; 0: not known
  std::optional<double> primary_hung_s = {};  // how long the primary was seen to answer no query
  // Nodes that could not apply what they received or follow, a moment ago, and why.
  std::map<std::string, std::string> stuck = {};
  // What the voters tell of the old primary's lease: how many votes its guard has, empty: no
  // majority; that they have expired before our eyes, or that its guard is there and has none, so
  // that the primary takes no writes; that they have ended otherwise; that too few voters answer to
  // tell whether its guard has the lease; and until when its guard may think that it still has
  // them, by the uptime of this machine; nullopt: as far as is known it does not.
  std::string primary_lease_held = {};
  std::optional<std::string> primary_lease_expired = {};
  bool primary_lease_broken = false, primary_lease_unknown = false;
  std::optional<double> primary_lease_until_s = {};
  // What the guard of this machine has left of the closing of its own server; nullopt: nothing.
  std::optional<OwnClosing> own_closing = {};
};

}  // namespace ha
