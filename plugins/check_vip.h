// SPDX-License-Identifier: MIT
// check_vip: does exactly one node hold the virtual IP, and is it the writable one?

#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/cluster/node_options.h"
#include "common/deadline.h"
#include "common/mysql/server_identity.h"
#include "common/mysql/write_probe.h"
#include "common/result.h"
#include "common/vip/local_address.h"
#include "common/vip/vip_options.h"

namespace ha {

enum class Expect { kAny, kHeld, kAbsent };

// What is asked, from the options.
struct VipQuestion {
  VipOptions vip = {};
  bool ask_network = false;     // --arping
  ClusterOptions cluster = {};  // without nodes no server is asked
  Expect expect = Expect::kAny;
  Thresholds holders = {};
  WriteProbe write = {};  // asked through the address
};

struct VipNode {
  NodeAddress address;
  Result<ServerIdentity> server;
};

struct VipFacts {
  std::optional<LocalAddress> held = {};  // the address on this machine
  // It is where no neighbour hears of it, as on the servers behind a load balancer (LVS).
  bool hidden = false;
  // The hardware address that this machine had for it before anything was asked.
  std::optional<std::string> neighbour = {};
  // The hardware addresses of the other machines that answer for it; unset: they were not asked.
  std::optional<Result<std::set<std::string>>> others = {};
  std::optional<Result<ServerIdentity>> leads_to = {};  // unset: no nodes are known
  std::vector<VipNode> nodes = {};
};

CheckResult evaluate(const VipFacts& facts, const VipQuestion& question);

// Asks this machine, the network, the address and all nodes at the same time; what does not answer
// is a fact.
Result<VipFacts> gather(const VipQuestion& question, const Deadline& deadline);

}  // namespace ha
