// SPDX-License-Identifier: MIT
// What mysql_ha status shows: the cluster as it is now.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/cluster/options.h"
#include "common/context/vote_view.h"
#include "common/env.h"
#include "common/mysql/memory_file.h"
#include "common/mysql/topology.h"
#include "common/mysql/topology_text.h"
#include "common/mysql/topology_view.h"
#include "common/vip/local_address.h"

namespace ha {

// The virtual IP as it is seen from here.
struct VipView {
  std::string address = {};
  std::optional<LocalAddress> held = {};  // by this machine
  std::vector<std::string> nodes = {};    // that it leads to; several when they look alike
  std::string trouble = {};
};

struct Status {
  Topology topology = {};
  Recollection known = {};
  double now_s = 0;  // since the epoch
  TopologyView view = {};
  std::optional<VipView> vip = {};
  VoteView votes = {};
  LeaseSummary lease = {};
  std::vector<std::string> lease_troubles = {};  // with what to type
  // Likewise, of the guard of this state directory; nullopt: that is not ours to read.
  std::optional<std::vector<std::string>> guard_troubles = {};
  State state = State::kOk;
};

// Reads all nodes, the server that the virtual IP leads to, and the votes, at the same time; then
// judges the lease.
Status read_status(const Env& env, const FailoverOptions& options);

// Returns the table of the nodes and what is wrong, in lines.
std::string render_text(const Status& status, Colours colours);

// Returns the same as one line of JSON.
std::string render_json(const Status& status);

}  // namespace ha
