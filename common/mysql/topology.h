// SPDX-License-Identifier: MIT
// All nodes of a cluster and which follows which. Plain values and pure functions; a node that
// cannot be reached is a fact like any other.

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/lost_source.h"
#include "common/mysql/memory.h"
#include "common/mysql/server_facts.h"

namespace ha {

enum class Reach {
  kAnswers,      // the facts are there
  kUnreadable,   // alive, but we may not log in or do not understand the answer
  kRefuses,      // alive, but takes no more connections, has blocked us, or TLS does not come about
  kUnreachable,  // no connection: refused, no route, unknown host, lost
  kHung,         // no answer in time
  kNotAsked,     // an error of our own machine: says nothing of the node
};

struct Node {
  std::string name;  // as texts and options call it
  std::string host;
  unsigned port = 0;
  Reach reach = Reach::kUnreachable;
  std::string error = {};                                // why there are no facts
  std::optional<ServerFacts> facts = {};                 // set when reach is kAnswers
  std::vector<std::optional<std::size_t>> sources = {};  // by channel: the node it follows
  std::vector<std::string> aliases = {};  // HOST:PORT, further addresses by which replicas name it
  bool refused = false;                   // the connection: nothing listens there

  // Both are false of a node that could not be asked.
  bool alive() const { return !silent() && reach != Reach::kNotAsked; }
  bool silent() const { return reach == Reach::kUnreachable || reach == Reach::kHung; }
  // Not closed by read_only, whether or not something else refuses writes now.
  bool writable() const { return facts && facts->writable(); }
  bool takes_writes() const { return facts && facts->takes_writes(); }
  // The channels, none when they are unknown.
  const std::vector<ChannelStatus>& channels() const;
};

// Addresses by host name, for names that differ between the replicas' view and ours.
using Addresses = std::map<std::string, std::set<std::string>>;

struct Topology {
  std::vector<Node> nodes;
  Addresses addresses = {};  // of names that were resolved, to link channels by

  // Returns the places of the nodes that read_only does not close: they may take writes at any
  // time.
  std::vector<std::size_t> writers() const;
  // Returns the places of those of them that take writes now, as far as they tell.
  std::vector<std::size_t> active_writers() const;
};

// Returns the place of the node of this name; nullopt: there is none.
std::optional<std::size_t> find_place(const Topology& topology, std::string_view name);

// Returns the node of this name; null: there is none.
const Node* find_node(const Topology& topology, std::string_view name);

// Returns the channel of a node to the one at place `source`; null: it has none.
const ChannelStatus* channel_to(const Node& node, std::size_t source);

// Returns the transactions that bear the server's own identity, applied ones; empty: it numbers
// none.
History own_transactions(const ServerFacts& facts);

// Returns what `other` has of the node's own transactions and it has lost, see history.h. Nothing
// for a node without facts or with an outdated history, and for a MariaDB replica by position that
// has applied nothing yet: its copy tells no GTIDs.
Extra lost_own(const Node& node, const History& other);

// Returns the places of the nodes that seem to lack what another has, and should have it all: the
// open ones, or in the absence of one any. They were read before the other, or have lost it: read
// their histories once more (history_later).
std::vector<std::size_t> read_too_early(const Topology& topology);

// Marks those of them whose history was not read again as outdated, which is a gap in their facts.
void mark_outdated_histories(Topology& topology);

// Returns whether the receiver of a channel reports that `source`, which it follows, has lost what
// it had sent; see lost_source.h.
SourceLoss loss_of_source(const ChannelStatus& channel, const Node& source);

// Finds for each channel the node that it follows and stores it in `sources`: by server_uuid, or by
// the server_id that a connected source told, which win over an address that contradicts them; else
// where the same channel was last seen to lead; else by host and port, aliases and remembered
// addresses among them; else by the server_id of the last connection. nullopt for a server outside
// the cluster.
void link_sources(Topology& topology, const Memory& memory);

// Takes an operator's word that the node called `primary`, which cannot be read, was the primary:
// read-only nodes that follow a server outside the cluster, and no other, have followed it. Nothing
// is linked when they name different servers, or `primary` is empty or answers.
void follow_word(const std::string& primary, Topology& topology);

// Returns the nodes that `node` receives from right now (the IO thread runs), at any distance,
// without itself unless it is in a ring.
std::set<std::size_t> upstream(const Topology& topology, std::size_t node);

// Returns the nodes that stand in a ring of channels, stopped ones aside; one set for each ring.
std::vector<std::set<std::size_t>> rings(const Topology& topology);

}  // namespace ha
