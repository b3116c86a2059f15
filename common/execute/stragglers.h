// SPDX-License-Identifier: MIT
// Nodes that a change of the primary has left behind, because they were silent or failed to follow
// the new one.

#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/execute/workflow.h"

namespace ha {

// Returns the nodes that a change has left behind, as far as it knew at its own end: those of its
// steps that are `not_repointed`, and those of no step. `before` is the view on which it was
// carried out. Pure.
std::vector<std::string> find_stragglers(const std::set<std::string>& not_repointed,
                                         const Plan& plan, const Topology& before);

// Probes once more after a complete change of the primary and lets the stragglers follow. Each that
// does not follow in the end is a warning. Any other report is returned as it is.
RunReport pick_up_stragglers(Workflow& workflow, const Plan& plan, RunReport report);

}  // namespace ha
