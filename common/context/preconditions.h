// SPDX-License-Identifier: MIT
// What a failover needs beside a plan, looked at while there is still time to put it right. No
// server is changed, and of what is looked at on this machine nothing stays.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/plan.h"
#include "common/failover/readiness.h"
#include "common/failover/run.h"
#include "common/moment.h"
#include "common/mysql/probe.h"

namespace ha {

// What is wrong, by the name of a node, program or file.
using Troubles = std::map<std::string, std::string>;

// Logs in to every node with the replication account and returns where that failed, or where it may
// not replicate (with the GRANT to run).
Troubles try_replication_account(const Env& env, const FailoverOptions& options,
                                 const Deadline& deadline);

// What a node says beside its facts.
struct NodeAnswers {
  std::string lock_holder = {};  // the connection that holds the lock of a run, empty: none
  std::string grant = {};        // what our account lacks for a failover, as the GRANT to run
  // What it said again because it lacked what the primary had and was receiving; nullopt: it was
  // not asked.
  std::optional<ServerFacts> later = {};
};

// Asks the nodes that were probed, by name; an error where the answer is not known. A replica on
// its way to what the writer had gets a moment to arrive: what is in flight is no loss to report.
std::map<std::string, Result<NodeAnswers>> ask_nodes(const Env& env, const FailoverOptions& options,
                                                     const Probe& probe, const Deadline& deadline);

// Asks every node's machine for its addresses, in the way that would move the virtual IP, and
// returns where that failed; nothing without a virtual IP.
Troubles try_vip_hosts(const Env& env, const FailoverOptions& options, const Deadline& deadline);

// Returns which programs of the policy's commands cannot be started.
Troubles find_missing_programs(Process& process, const FailoverOptions& options);

// Asks the fence command whether it could be used: runs it as a failover of the plan would, with
// HA_FENCE_ACTION=status in place of off. A program in which this name does not stand is not run,
// it would fence.
FenceTrial try_fence(const Env& env, const FailoverOptions& options, const Topology& topology,
                     const Plan& plan, const Deadline& deadline);

// Asks MHA's script that moves the address whether it could be used, as MHA does when it begins to
// watch; empty: it could, or there is none.
std::string try_mha_address(const Env& env, const FailoverOptions& options,
                            const Topology& topology, const Plan& plan, const Deadline& deadline);

// Returns which of the files that a failover writes cannot be.
Troubles find_unwritable_files(Files& files, const Policy& policy);

// Where a run keeps its journal.
struct StateDirectory {
  std::string trouble = {};             // why a run could not write there, or read what is there
  std::string absence = {};             // that it is not there and can be created, and how
  std::string lock_holder = {};         // empty: the lock is free
  std::optional<Run> interrupted = {};  // that has to be resumed or rolled back first
  RunHistory runs = {};

  // Adds to what a plan knows of the moment.
  void add_to(Context& context) const;
};

// Reads it, and writes and removes a file; does not create directories.
StateDirectory probe_state_directory(Files& files, const FailoverOptions& options,
                                     const Moment& now);

}  // namespace ha
