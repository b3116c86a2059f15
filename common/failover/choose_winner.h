// SPDX-License-Identifier: MIT
// Which of several nodes that accept writes is to stay the primary, and what shows it. Pure.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/failover/policy.h"
#include "common/mysql/topology.h"

namespace ha {

// What bears on the choice beside the topology and the journals.
struct WriterFacts {
  std::string named = {};                   // the operator's word; empty: none
  std::string lease_holder = {};            // the node whose guard has the votes; empty: none
  std::string vip = {};                     // the virtual IP; empty: none
  std::vector<std::string> vip_nodes = {};  // that it leads to; several when they look alike
  std::map<std::string, double> last_write_s = {};  // by node: since a table was changed
};

// The votes of the lease decide; then the roles that the journal, the virtual IP and replication
// show, which must not contradict each other; then which node has all that the others have; then
// which was written to last, by a minute and more.
enum class Weight { kVotes, kRole, kContent, kTime };

struct Sign {
  Weight weight;
  std::string node = {};  // that it speaks for; empty: for none
  std::string text = {};
};

struct Winner {
  std::string node = {};    // empty: it cannot be told
  std::string reason = {};  // why not
  std::vector<Sign> signs = {};
};

// Precondition: several nodes accept writes.
Winner choose_winner(const Topology& topology, const Context& context, const WriterFacts& facts);

}  // namespace ha
