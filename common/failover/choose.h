// SPDX-License-Identifier: MIT
// Which of the candidates is promoted: the one that lacks least. Pure.

#pragma once

#include <cstddef>

#include "common/failover/decision.h"

namespace ha {

// Chooses the best of the candidates, and the node from which it fetches what it lacks; refuses
// when two cannot be compared, or more would be lost than is known to be allowed.
void choose(Decision& d);

// True when the node at place `a` is the better one of two that have received the same.
bool ranks_before(const Decision& d, std::size_t a, std::size_t b);

// Warns of what is odd about the candidate.
void describe_candidate(Decision& d);

// Warns of replicas that may not understand what the candidate writes.
void compare_versions(Decision& d);

}  // namespace ha
