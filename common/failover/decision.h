// SPDX-License-Identifier: MIT
// A failover or a switchover that is being decided: what each judgement hands on to the next, and
// the plan as far as it is made. The order of the judgements stands in plan_failover.cc and
// plan_switchover.cc. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/failover/plan.h"
#include "common/failover/revocation.h"
#include "common/failover/takeover.h"

namespace ha {

struct Decision : Takeover {
  // `alive`: the primary as it is now, while a failover is forecast on a view without it; null:
  // what is known of it stands in the topology.
  Decision(const Topology& all, const Policy& rules, const Context& now,
           const Node* alive = nullptr)
      : Takeover{all, rules, now, all.nodes.size()}, living(alive) {}

  bool refused() const { return !plan.possible(); }
  const Node& candidate_node() const { return nodes()[candidate]; }

  // The first refusal is the plan's; each that follows stands in the way beside it.
  void refuse(Refusal refusal, std::string reason) {
    if (refused()) {
      plan.further.push_back({refusal, std::move(reason)});
      return;
    }
    plan.refusal = refusal;
    plan.reason = std::move(reason);
  }

  void reject(std::size_t i, std::string reason) {
    plan.rejected.push_back({nodes()[i].name, std::move(reason)});
  }

  void warn(std::string warning) { plan.warnings.push_back(std::move(warning)); }

  const Node* living;
  std::vector<std::size_t> candidates = {};  // places of the nodes that may be promoted
  std::size_t candidate = 0;                 // of the best of them
  std::optional<std::size_t> ahead = {};     // of one that has more, and can hand it on
  std::set<std::size_t> left_behind = {};    // of those that have more, and cannot
  std::vector<std::string> unknown = {};     // why the loss may be greater than is known
  std::uint64_t known_loss = 0;              // transactions
  std::vector<Receiver> revoked = {};        // that are stopped as evidence
  Plan plan = {};
};

// Judges a failover from the node called `primary`, empty: it is found out; and writes its steps.
Plan decide_failover(Decision d, std::string_view primary);

}  // namespace ha
