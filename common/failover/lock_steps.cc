// SPDX-License-Identifier: MIT
#include "common/failover/lock_steps.h"

#include <algorithm>
#include <tuple>

namespace ha {

std::vector<Step> lock_steps(const std::vector<Node>& nodes) {
  std::vector<const Node*> alive;
  for (const Node& node : nodes)
    if (node.facts) alive.push_back(&node);
  std::ranges::sort(alive, {}, [](const Node* node) { return std::tuple(node->host, node->port); });
  std::vector<Step> steps;
  for (const Node* node : alive)
    steps.push_back({0, Action::kLock, node->name, {}, {}, "so that no other run acts"});
  return steps;
}

}  // namespace ha
