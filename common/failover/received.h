// SPDX-License-Identifier: MIT
// Which node has received which transactions of the cluster, and what one has beyond another. Pure.
// Nodes are named by their place; those that are compared have facts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "common/failover/takeover.h"
#include "common/mysql/history.h"

namespace ha {

// Returns what `a` has received of the cluster's transactions and `b` has not; nullopt when nothing
// tells.
std::optional<Extra> ahead(const Takeover& t, std::size_t a, std::size_t b);

// Returns what a node that is none of the `candidates` has received beyond `other`, apart from what
// it wrote itself, which no other node misses; nullopt when nothing tells.
std::optional<Extra> lead_of(const Takeover& t, const std::vector<std::size_t>& candidates,
                             std::size_t i, std::size_t other);

// Returns what a node wrote itself and no other node has, nor the primary as far as it can be read.
Extra errant(const Takeover& t, std::size_t i);

// Returns what other nodes have of a node's own transactions and it has lost: it is incomplete for
// good.
Extra lost(const Takeover& t, std::size_t i);

// Returns whether the primary, as `primary` shows it, lacks what it wrote: by its numbers, or by
// what it has told a receiver.
SourceLoss loss_of_own(const Takeover& t, const Node& primary);

// True when the node has all that some node has which received until the primary died.
bool is_up_to_date(const Takeover& t, std::size_t i);

// False when a source's binlog does not hold what a server with this history has yet to receive by
// GTID, as far as the source tells.
bool has_in_binlog(const ServerFacts& source, const History& receiver);

// Returns a measure of what a node has yet to apply of what it has received. Without GTIDs, of
// nodes that have received the same, the one that has executed furthest has the least.
std::tuple<std::uint64_t, long long, std::int64_t> backlog(const Takeover& t, std::size_t i);

}  // namespace ha
