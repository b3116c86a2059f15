// SPDX-License-Identifier: MIT
// A node of a cluster as an operator named it.

#pragma once

#include <string>
#include <vector>

namespace ha {

// How much an operator wants a node to become the primary.
enum class Promotion { kNever, kAllowed, kPreferred };

struct NodeAddress {
  std::string name = {};
  std::string host = {};
  unsigned port = 0;
  Promotion promotion = Promotion::kAllowed;
  std::vector<std::string> aliases = {};  // HOST:PORT, further addresses by which replicas name it

  bool operator==(const NodeAddress&) const = default;
};

}  // namespace ha
