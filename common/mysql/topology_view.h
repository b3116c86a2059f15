// SPDX-License-Identifier: MIT
// What people are told of a topology: each node below the source that it follows, with its role,
// how far it is behind, and what troubles it. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/mysql/classify.h"
#include "common/mysql/topology.h"

namespace ha {

struct NodeView {
  std::optional<std::size_t> node;  // its place; unset: a source that is none of the nodes
  std::string name;
  std::size_t depth = 0;    // 0: it follows no node, or stands for a ring
  std::string role = {};    // one word: "primary", "replica", "hung" ...
  std::string writes = {};  // "read-write", "read-only" ...; "-" when it could not be asked
  bool follows = false;     // the next two are about its source
  std::optional<double> lag_s = {};
  std::vector<std::string> notes = {};    // threads that do not run, further sources, a delay
  std::vector<std::string> stopped = {};  // of the notes those on threads that do not run
  // Beside the only writer, or without one beside its source; nullopt when GTIDs do not tell.
  std::optional<std::uint64_t> transactions_behind = {};  // not received or not applied
  std::optional<std::uint64_t> errant_transactions = {};  // at least
  State state = State::kOk;                               // the worst of what is found of it
};

struct TopologyView {
  std::vector<NodeView> rows;     // in the order of the tree
  std::vector<Finding> findings;  // as classify() finds them
  State state = State::kOk;
};

// Describes a topology in which one node should accept writes. A replica of several sources stands
// below the first one that is a node; in a ring the writer stands on top.
TopologyView view_topology(const Topology& topology);

}  // namespace ha
