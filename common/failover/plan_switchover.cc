// SPDX-License-Identifier: MIT
// Decides a switchover: the primary lives, so there is no hurry and nothing may be lost.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/failover/candidates.h"
#include "common/failover/choose.h"
#include "common/failover/decision.h"
#include "common/failover/known_primary.h"
#include "common/failover/plan_hash.h"
#include "common/failover/plan_steps.h"
#include "common/failover/received.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kMostPlannedLag_s = 10;

bool is_ready(const Decision& d, std::size_t i) {
  const ChannelStatus& channel = *d.channel(i);
  return channel.io.running() && channel.sql.running() && channel.sql_delay_s <= 0;
}

void choose_successor(Decision& d, std::string_view to) {
  if (to.empty()) {
    d.candidate = *std::ranges::min_element(d.candidates, [&d](std::size_t a, std::size_t b) {
      return is_ready(d, a) != is_ready(d, b) ? is_ready(d, a) : ranks_before(d, a, b);
    });
    return;
  }
  const auto named = std::ranges::find(d.nodes(), to, &Node::name);
  if (named == d.nodes().end())
    return d.refuse(Refusal::kNoCandidate, fmt::format("no node is called '{}'", sanitize(to)));
  d.candidate = static_cast<std::size_t>(named - d.nodes().begin());
  if (d.candidate == d.primary)
    return d.refuse(Refusal::kNotReady, fmt::format("{} is the primary already", named->name));
  if (std::ranges::find(d.candidates, d.candidate) != d.candidates.end()) return;
  const auto rejected = std::ranges::find(d.plan.rejected, named->name, &Rejection::node);
  d.refuse(
      Refusal::kNoCandidate,
      fmt::format("{} cannot be promoted: {}", named->name,
                  rejected == d.plan.rejected.end() ? "it is not a candidate" : rejected->reason));
}

// Nothing of a planned change may have to wait long or be lost, and there is no hurry.
void judge_successor(Decision& d) {
  const Node& node = d.candidate_node();
  const ChannelStatus& channel = *d.channel(d.candidate);
  const double most = d.policy.max_lag_s.value_or(kMostPlannedLag_s);
  if (!is_ready(d, d.candidate))
    return d.refuse(Refusal::kNotReady,
                    fmt::format("{} does not replicate: its IO or SQL thread does not run, or it "
                                "applies with a delay",
                                node.name));
  if (channel.seconds_behind.value_or(0) > most)
    return d.refuse(Refusal::kNotReady,
                    fmt::format("{} is {} behind, more than {}", node.name,
                                format_duration(*channel.seconds_behind), format_duration(most)));
  if (errant(d, d.candidate).any())
    return d.refuse(Refusal::kNotReady, fmt::format("{} has errant transactions: {}", node.name,
                                                    errant(d, d.candidate).text));
  if (const Extra gone = lost(d, d.candidate); gone.any())
    return d.refuse(Refusal::kNotReady,
                    node.name + " " + describe_lost(node.name, gone, d.plan.primary));
  // A receiver that was given a wrong position looks like a possible loss.
  if (loss_of_own(d, d.primary_node()) == SourceLoss::kProven)
    return d.refuse(
        Refusal::kNotReady,
        fmt::format("{} has lost transactions that it wrote and that its replicas have; they skip "
                    "new transactions with the same numbers; see: mysql_ha status",
                    d.plan.primary));
  if (d.policy.repl_user.empty())
    return d.refuse(Refusal::kNotReady,
                    fmt::format("{} could not become a replica: give the replication account "
                                "(--repl-username, --repl-defaults-file)",
                                d.plan.primary));
  if (const Node& primary = d.primary_node(); !knows_binlog(primary, channel))
    return d.refuse(Refusal::kNotReady,
                    fmt::format("{}: {}", primary.name, why_unknown_binlog(primary)));
  d.plan.loss = {0, false};
  describe_candidate(d);
}

}  // namespace

Plan plan_switchover(const Topology& topology, const Policy& policy, const Context& context,
                     std::string_view to) {
  Decision d(topology, policy, context);
  d.plan.command = PlanCommand::kSwitchover;
  find_writer(d);
  if (!d.refused()) collect_candidates(d);
  if (!d.refused()) choose_successor(d, to);
  if (!d.refused()) judge_successor(d);
  if (d.refused()) return std::move(d.plan);
  d.plan.candidate = d.candidate_node().name;
  StepWriter(topology, policy, context, {d.primary, d.candidate}, d.plan).write_switchover();
  d.plan.hash = hash_of(d.plan, topology);
  return std::move(d.plan);
}

}  // namespace ha
