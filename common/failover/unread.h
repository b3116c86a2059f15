// SPDX-License-Identifier: MIT
// What the nodes that cannot be read mean for a takeover: one that is not read is not harmless for
// that. Pure.

#pragma once

#include <cstddef>
#include <string>

#include "common/failover/takeover.h"

namespace ha {

// Returns why the node at place `i` might take writes unseen, with what to type next; empty when it
// was read, was the primary, is silent and was last seen as a read-only replica or is known to be
// fenced, is vouched for by the operator, or may_have_more().
std::string object_to_unread(const Takeover& takeover, std::size_t i);

// True for a node that cannot be read although it is alive (or that could not be asked), and that
// was last seen as a replica of the primary, directly or through others, or is vouched for as one:
// it takes no writes, and may have received what no other node has.
bool may_have_more(const Takeover& takeover, std::size_t i);

// Returns the place of the node from which the node at `source`, which cannot be read, was last
// seen to receive, at any distance: the root of the tree, as far as nothing newer contradicts it.
std::size_t find_root(const Topology& topology, const Policy& policy, const Context& context,
                      std::size_t source);

}  // namespace ha
