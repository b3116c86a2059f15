// SPDX-License-Identifier: MIT
// What speaks against a failover, whichever node is promoted. A new refusal goes here: a function
// that judges, and its place in the order of plan_failover.cc; its kind stands in refusal.h.
// What object_to_takeover() finds ends an interrupted run too, before it has opened a node.
// What speaks against one candidate stands in candidates.h, what against a loss in loss.h. Pure.

#pragma once

#include <vector>

#include "common/failover/decision.h"

namespace ha {

// Judges whether the node at place `primary` may be taken for dead, and whether it is certain that
// no other node takes writes (unread.h), whichever node is promoted; returns all that speaks
// against it.
std::vector<Objection> object_to_takeover(const Topology& topology, const Policy& policy,
                                          const Context& context, std::size_t primary);

// Refuses when the primary may not be taken for dead, or is perhaps not the primary any more. One
// that hangs may be, when it is fenced.
void judge_primary(Decision& d);

// Refuses while another run is at work, or too soon after the last failover.
void judge_context(Decision& d);

// Refuses when the primary must be fenced and cannot be.
void judge_fence(Decision& d);

// Warns of another node that was the primary, and for which only the operator vouches.
void judge_vouched(Decision& d);

}  // namespace ha
