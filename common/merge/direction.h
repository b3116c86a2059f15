// SPDX-License-Identifier: MIT
// Whether rows may go from one node to another: from the one that has lost its role to the one that
// replication shows as the primary. Pure.

#pragma once

#include <string>
#include <vector>

#include "common/mysql/topology.h"

namespace ha {

struct MergeDirection {
  std::string objection = {};              // why not; empty: it may be
  std::vector<std::string> warnings = {};  // what is not as it should be
};

// Judges the way from the node `from` to the node `to`.
MergeDirection judge_direction(const Topology& topology, const std::string& from,
                               const std::string& to);

// Returns why a node cannot take rows; empty: it can. Precondition: its facts are known.
std::string object_to_winner(const Node& to);

}  // namespace ha
