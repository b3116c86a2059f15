// SPDX-License-Identifier: MIT
// What a failover does when the primary is not lost: a former primary that came back writable is
// closed (command "close"), and a primary that was restarted read-only, or that its own guard has
// closed for want of votes, is opened again ("reopen").
// Pure; plan_failover() asks these first.

#pragma once

#include <optional>

#include "common/failover/plan.h"

namespace ha {

// Plans to close every node that accepts writes although the node that accepts them too has
// replaced it: by the journal, or by what was seen last, or because the histories prove it.
// plan.primary is the first of them, plan.candidate the one that stays open. When nothing proves
// it, the plan is a refusal. nullopt: there are no two nodes that accept writes.
std::optional<Plan> plan_close(const Topology& topology, const Policy& policy,
                               const Context& context);

// Plans to open the primary when no server takes writes and it answers: when its option file or its
// guard closed it, everything that answers follows it, and that is one node at least (or the
// operator vouches for the others), and nothing has more; with a lease, a former primary that it
// has replaced and that has nothing else need not have returned yet; else the plan is a refusal
// that says why not. When its guard closed it, any node that does not answer may have been promoted
// since, so that all have to answer, or be vouched for; else they are told as warnings. nullopt:
// some server takes writes, or the primary is not known, or does not answer.
std::optional<Plan> plan_reopen(const Topology& topology, const Policy& policy,
                                const Context& context);

}  // namespace ha
