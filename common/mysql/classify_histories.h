// SPDX-License-Identifier: MIT
// The part of classify() that compares histories: nodes that have diverged, have errant
// transactions, or have lost some. Pure; for classify.cc only.

#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/mysql/classify.h"
#include "common/mysql/topology.h"
#include "common/text.h"

namespace ha {

// A topology with what every judgement asks of it. Refers to the topology.
struct ClusterView {
  explicit ClusterView(const Topology& topology_of_view);

  // Returns the names of nodes, separated by commas.
  template <class Places>
  std::string names(const Places& places) const {
    std::vector<std::string> names;
    for (const std::size_t i : places) names.push_back(nodes[i].name);
    return join(names, ", ");
  }

  const Topology& topology;
  const std::vector<Node>& nodes;
  std::vector<std::size_t> writers;             // that take writes now
  std::vector<std::set<std::size_t>> upstream;  // by node: those that it receives from
};

// Adds what is found, with the numbers of diverged nodes and errant transactions.
void judge_histories(const ClusterView& view, Assessment& assessment);

}  // namespace ha
