// SPDX-License-Identifier: MIT
#include "common/failover/returning.h"

namespace ha {

std::vector<std::string> find_returning(const Topology& topology, const Context& context) {
  const auto writers = topology.writers();
  if (writers.size() != 1) return {};
  const History& all = topology.nodes[writers[0]].facts->latest_history();
  std::vector<std::string> returning;
  for (const Node& node : topology.nodes) {
    if (!node.facts || node.facts->read_only != true || !node.facts->channels ||
        !node.channels().empty() || !context.runs.replaced.contains(node.name))
      continue;
    const auto more = extra(node.facts->history, all);
    if (more && !more->any()) returning.push_back(node.name);
  }
  return returning;
}

}  // namespace ha
