// SPDX-License-Identifier: MIT
// The view that a takeover is judged on: the nodes and one of them that is, or was, the primary.
// Answers what each node is to that primary. Pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/failover/policy.h"
#include "common/failover/receipt.h"
#include "common/mysql/topology.h"

namespace ha {

struct Takeover {
  const Topology& topology;
  const Policy& policy;
  const Context& context;
  std::size_t primary;  // its place; no place of a node: it is not known yet

  const std::vector<Node>& nodes() const { return topology.nodes; }
  const Node& primary_node() const { return nodes()[primary]; }

  // Returns the channel of the node at place `i` to the primary; null: it has none.
  const ChannelStatus* channel(std::size_t i) const;
  // What was last seen of that channel; null: nothing.
  const SeenChannel* seen_channel(std::size_t i) const;
  // How long the channel waits before it applies, in seconds.
  double channel_delay(std::size_t i) const;
  // Whether the node received from the primary until that died.
  Receipt receipt(std::size_t i) const;
  // What the primary writes into its binlog, or did when it was last seen.
  std::optional<BinlogScope> scope_of_primary() const;
  // The filters of the channel that leave out more than that.
  std::vector<std::string> filters_of(std::size_t i) const;

  // What the operator wants of the node.
  Promotion wish(std::size_t i) const;
  // Whether the node has ended an earlier try of this run.
  bool is_stuck(std::size_t i) const;
  // Whether the operator limits what may be lost.
  bool has_limit() const { return policy.max_lost_transactions || policy.max_lag_s; }
  // Whether what a node that cannot be read may have must not be lost.
  bool forbids_loss() const;

  // True when a node receives from one that can be read what that has from the primary, at any
  // distance, and so has no more; by position, as far as the binlog of that one shows it.
  bool is_downstream(std::size_t i) const;
  // True when the node has left replication, so that no position tells what it has.
  bool is_detached(std::size_t i) const;
  // True when the node has left replication, and had before the primary was last seen.
  bool is_bystander(std::size_t i) const;
  // Whether no other node may be promoted when nothing tells if this one has received more.
  bool forbids_incomparable(std::size_t i) const;

  // The following need a node with facts.
  bool numbers_transactions(std::size_t i) const;
  // True when GTIDs tell what a node that has left replication had received.
  bool shows_by_gtid(std::size_t i) const;
  bool follows_by_gtid(std::size_t i) const;

 private:
  // False when a source's binlog may lack what a channel has received from it by position.
  bool holds_received(std::size_t source, const ChannelStatus& channel) const;
};

}  // namespace ha
