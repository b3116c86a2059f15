// SPDX-License-Identifier: MIT
// All nodes of a cluster and who follows whom. Plain values and pure functions; a node that cannot
// be reached is a fact like any other.

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/mysql/server_facts.h"

namespace ha {

enum class Reach {
  kAnswers,      // the facts are there
  kUnreadable,   // alive, but we may not log in or do not understand the answer
  kRefuses,      // alive, but takes no more connections, has blocked us, or TLS does not come about
  kUnreachable,  // no connection: refused, no route, unknown host, lost
  kHung,         // no answer in time
};

struct Node {
  std::string name;  // as texts and options call it
  std::string host;
  unsigned port = 0;
  Reach reach = Reach::kUnreachable;
  std::string error = {};                                // why there are no facts
  std::optional<ServerFacts> facts = {};                 // set when reach is kAnswers
  std::vector<std::optional<std::size_t>> sources = {};  // by channel: the node it follows

  bool alive() const { return reach != Reach::kUnreachable && reach != Reach::kHung; }
  bool writable() const { return facts && facts->writable(); }
  // The channels, none when they are unknown.
  const std::vector<ChannelStatus>& channels() const;
};

struct Topology {
  std::vector<Node> nodes;

  // Returns the places of the nodes that accept writes.
  std::vector<std::size_t> writers() const;
};

// Addresses by host name, for names that differ between the replicas' view and ours.
using Addresses = std::map<std::string, std::set<std::string>>;

// Finds for each channel the node that it follows and stores it in `sources`: by server_uuid or
// server_id when the source told them, else by host and port; nullopt for one outside the cluster.
void link_sources(Topology& topology, const Addresses& addresses);

// Returns the nodes that `node` receives from right now (the IO thread runs), at any distance,
// without itself unless it is in a ring.
std::set<std::size_t> upstream(const Topology& topology, std::size_t node);

// Returns the nodes that stand in a ring of channels, stopped ones aside; one set for each ring.
std::vector<std::set<std::size_t>> rings(const Topology& topology);

}  // namespace ha
