// SPDX-License-Identifier: MIT
// The options of everything that plans or carries out a failover: the cluster, the policy, where
// the journal is, and how long anything may take. All may stand in the --cluster file.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/cli.h"
#include "common/cluster/lease_options.h"
#include "common/cluster/node_options.h"
#include "common/failover/policy.h"
#include "common/result.h"
#include "common/vip/vip_options.h"

namespace ha {

// A node that was tried before a run, and how often it has failed to answer.
struct TriedNode {
  std::string name = {};
  unsigned times = 0;
};

struct FailoverOptions {
  ClusterOptions cluster = {};
  Policy policy = {};
  std::optional<std::string> repl_password = {};
  std::vector<HostPort> witnesses = {};
  std::vector<HostPort> votes = {};  // servers that vote beside the nodes; empty: no votes needed
  unsigned retries = 3;              // how often the primary is tried before it counts as dead
  TriedNode tried = {};              // counts among these tries when it is the primary
  double retry_interval_s = 1;       // between two tries
  double probe_timeout_s = 3;        // for the answers of all nodes
  double deadline_s = 120;           // of the whole run
  double hook_timeout_s = 30;        // of one command of the operator's
  std::string cluster_name = "mysql";
  unsigned keep_runs = 100;    // journals of the last runs
  std::string state_dir = {};  // set by add_failover_options to its default
  VipOptions vip = {};
  LeaseOptions lease = {};
  std::vector<std::string> binlog_command = {};  // empty: mysqlbinlog or mariadb-binlog

  // Where the journals, the memory and the files of the guard of this cluster are.
  std::string cluster_directory() const { return state_dir + "/" + cluster_name; }
  // The name of the lock on each node.
  std::string node_lock() const { return "monitoring-plugins-ha:" + cluster_name; }
  // True when a change of the cluster needs votes.
  bool needs_votes() const { return !votes.empty() || lease.lease_s > 0; }
  // The names of the locks that are votes (common/context/ballot.h): for changing the cluster, and
  // of the primary.
  std::string vote_lock() const { return node_lock() + ":vote"; }
  std::string lease_lock() const { return node_lock() + ":primary"; }
  // Beside a vote of the primary's: for which node it was given. And of each guard: that it runs.
  std::string lease_node_lock(std::string_view node) const { return name_lock('p', node); }
  std::string guard_lock(std::string_view node) const { return name_lock('g', node); }
  // The locks whose sessions are ours, and no clients'.
  std::vector<std::string> session_locks() const;
  // The store of resyncs, which is apart: failovers do not wait for them.
  std::string resync_store() const { return cluster_name + ".resync"; }

  // Left by parse() for complete_failover_options().
  unsigned given_retries = 0;  // 0: not given
  std::optional<double> given_retry_interval_s = {};
  std::string repl_defaults_file = {}, repl_group = "client";
  std::vector<std::string> preferred = {}, never = {}, assumed_replicas = {};

 private:
  // A lock's name has at most 64 characters, too few for a node's name.
  std::string name_lock(char kind, std::string_view node) const;
};

// Adds the node options and all of the above. The target must outlive parse().
void add_failover_options(Cli& cli, FailoverOptions& options);

// Completes what parse() left: the nodes, the replication account out of its file, which nodes are
// preferred. Fails with kUsage.
Result<Done> complete_failover_options(const Cli& cli, FailoverOptions& options);

}  // namespace ha
