// SPDX-License-Identifier: MIT
// The options of the lease of a primary (common/execute/lease_keeper.h).

#pragma once

#include <string>
#include <vector>

#include "common/cli.h"
#include "common/result.h"

namespace ha {

struct LeaseOptions {
  int lease_s = 0;            // for which a primary may take writes without a majority; 0: no lease
  double margin_s = 1;        // before the lease's end the primary is closed
  std::string pid_file = {};  // of the server beside the guard; empty: as the server tells
  std::string watchdog = {};  // device that is fed while that server may take writes; empty: none
  std::vector<std::string> kill_command = {};  // kills that server; empty: SIGKILL

  bool operator==(const LeaseOptions&) const = default;
};

// Adds how long a lease is. The target must outlive parse().
void add_lease_time_options(Cli& cli, LeaseOptions& options);

// Adds these and what a guard does with its server and its machine. The target must outlive
// parse().
void add_lease_options(Cli& cli, LeaseOptions& options);

// Fails with kUsage where the options do not go together.
Result<Done> check_lease_options(const LeaseOptions& options);

}  // namespace ha
