// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "common/failover/plan.h"
#include "common/text.h"

namespace ha {

namespace {

// Returns why a node's data are not to be copied, empty when they may be.
std::string why_no_donor(const Topology& topology, const Node& donor, const Node& primary,
                         bool by_gtid) {
  if (!donor.facts) return donor.error;
  const ServerFacts& facts = *donor.facts;
  if (facts.version.flavour != primary.facts->version.flavour) return "it is of another flavour";
  if (!facts.log_bin.value_or(false)) return "it has no binlog";
  if (&donor == &primary) return "";
  if (!by_gtid)
    return "without GTIDs only the primary's own binlog shows where replication continues";
  const ChannelStatus* const channel =
      channel_to(donor, static_cast<std::size_t>(&primary - topology.nodes.data()));
  if (channel == nullptr || !channel->io.running() || !channel->sql.running() ||
      !channel->uses_gtid)
    return "it does not replicate from " + primary.name;
  if (!channel->filters.empty()) return "it replicates with a filter, " + channel->filters[0];
  if (channel->sql_delay_s > 0) return "it applies with a delay";
  if (!facts.log_replica_updates.value_or(false)) return "it does not log what it replicates";
  const auto more = extra(facts.history, primary.facts->latest_history());
  if (!more || more->any()) return "it may have transactions that " + primary.name + " lacks";
  return "";
}

}  // namespace

Result<std::size_t> choose_donor(const Topology& topology, const Plan& plan,
                                 std::string_view from) {
  const auto named = [&](std::string_view name) {
    return std::ranges::find(topology.nodes, name, &Node::name);
  };
  const Node& primary = *named(plan.primary);
  if (!from.empty()) {
    const auto donor = named(from);
    if (donor == topology.nodes.end())
      return Error{Errc::kUsage, fmt::format("no node is called '{}'", sanitize(from))};
    if (donor->name == plan.candidate)
      return Error{Errc::kUsage, donor->name + " cannot be a copy of itself"};
    if (const auto why = why_no_donor(topology, *donor, primary, plan.by_gtid); !why.empty())
      return Error{Errc::kUsage, fmt::format("{} cannot be copied: {}", donor->name, why)};
    return static_cast<std::size_t>(donor - topology.nodes.begin());
  }
  std::string why;
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    const Node& node = topology.nodes[i];
    if (node.name == plan.candidate) continue;
    const std::string obstacle = why_no_donor(topology, node, primary, plan.by_gtid);
    if (&node == &primary) why = obstacle;
    if (obstacle.empty() && (!best || &topology.nodes[*best] == &primary)) best = i;
  }
  if (!best) return Error{Errc::kUsage, fmt::format("{} cannot be copied: {}", plan.primary, why)};
  return *best;
}

}  // namespace ha
