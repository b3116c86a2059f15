// SPDX-License-Identifier: MIT
#include "common/failover/contradiction.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/received.h"
#include "common/failover/role_statements.h"
#include "common/failover/unread.h"
#include "common/text.h"

namespace ha {

namespace {

std::size_t place_of(const Topology& view, const std::string& name) {
  return find_place(view, name).value_or(view.nodes.size());
}

// Gives a candidate that follows no server any more the channel that it had.
Topology with_old_channel(Topology view, const PlanAtWork& work, std::size_t candidate,
                          std::size_t primary) {
  Node& node = view.nodes[candidate];
  const BinlogPosition applied = work.known.applied.value_or(BinlogPosition());
  if (channel_to(node, primary) != nullptr || applied.file.empty()) return view;
  if (!node.facts->channels) node.facts->channels.emplace();
  ChannelStatus channel;
  channel.name = work.plan.channel;
  channel.uses_gtid = work.plan.by_gtid;
  channel.read = channel.executed = applied;
  node.sources.resize(node.facts->channels->size());
  node.facts->channels->push_back(std::move(channel));
  node.sources.emplace_back(primary);
  return view;
}

// The candidate fetches what this node has, so it must have all of that in the end.
bool is_fetched_from(const Plan& plan, const std::string& node) {
  return std::ranges::any_of(plan.steps, [&](const Step& step) {
    return step.action == Action::kCatchUp && step.other == node;
  });
}

std::string choose_again(std::string text) {
  return text + ". To make a new plan, run: mysql_ha failover";
}

// By position a replica begins where the candidate's binlog ends, so it must have received the
// same.
std::string object_to_place(const PlanAtWork& work, const Node& node, std::size_t primary,
                            const Node& candidate) {
  const bool begins_there = std::ranges::any_of(work.plan.steps, [&](const Step& step) {
    return step.action == Action::kRepoint && step.node == node.name &&
           need(step.statements, Placeholder::kBinlogEnd);
  });
  const ChannelStatus *const own = channel_to(node, primary), *const other =
                                                                  channel_to(candidate, primary);
  if (!begins_there || other == nullptr || own->read == other->read) return "";
  return choose_again(
      fmt::format("{} has received, since the plan was made, up to {}:{} of {}, and {} up to {}:{}",
                  node.name, own->read.file, own->read.offset, work.plan.primary, candidate.name,
                  other->read.file, other->read.offset));
}

// Returns why a node that answers again and is closed speaks against an opening; empty: it does
// not.
std::string object_to_replica(const PlanAtWork& work, const Takeover& now, std::size_t i) {
  const Node& node = now.nodes()[i];
  const ChannelStatus* const channel = now.channel(i);
  if (work.plan.command == PlanCommand::kFailover && !work.known.fenced && channel != nullptr &&
      channel->io.running())
    return choose_again(
        fmt::format("{} answers again and still receives from {}", node.name, work.plan.primary));
  const auto lead = lead_over_candidate(work, now.topology, i);
  if (lead && lead->any())
    return choose_again(fmt::format("{} answers again and has transactions that {} lacks: {}",
                                    node.name, work.plan.candidate, lead->text));
  if (!lead && now.forbids_incomparable(i))
    return choose_again(
        fmt::format("{0} answers again and cannot be compared with {1}: {0} may have received more "
                    "transactions",
                    node.name, work.plan.candidate));
  return "";
}

}  // namespace

std::optional<Extra> lead_over_candidate(const PlanAtWork& work, const Topology& view,
                                         std::size_t i) {
  const std::size_t candidate = place_of(view, work.plan.candidate),
                    primary = place_of(view, work.plan.primary);
  if (candidate == view.nodes.size() || primary == view.nodes.size() ||
      !view.nodes[candidate].facts || !view.nodes[i].facts)
    return std::nullopt;
  // No place in the old primary's binlog tells of what was rescued from its end.
  if (!work.plan.by_gtid && work.known.rescued.value_or(0) > 0) return Extra{};
  const Topology comparable = with_old_channel(view, work, candidate, primary);
  return lead_of({comparable, work.policy, work.context, primary}, {}, i, candidate);
}

std::string object_to_lead(const PlanAtWork& work, const Topology& before, const Topology& now) {
  const std::size_t candidate = place_of(now, work.plan.candidate),
                    primary = place_of(now, work.plan.primary);
  const auto lead_in = [&](const Topology& view, std::size_t i) {
    return lead_over_candidate(work, view, i).value_or(Extra{});
  };
  for (std::size_t i = 0; i < now.nodes.size(); ++i) {
    const Node& node = now.nodes[i];
    if (i == candidate || i == primary || channel_to(node, primary) == nullptr) continue;
    const Extra lead = lead_in(now, i);
    // What the plan leaves behind, it says.
    if (lead.any() && (!lead_in(before, i).any() || is_fetched_from(work.plan, node.name)))
      return choose_again(
          fmt::format("{} has received, since the plan was made, transactions that {} lacks: {}",
                      node.name, work.plan.candidate, lead.text));
    if (std::string why = object_to_place(work, node, primary, now.nodes[candidate]); !why.empty())
      return why;
  }
  return "";
}

std::string object_to_return(const PlanAtWork& work, const Topology& before, const Topology& now,
                             std::size_t i) {
  const Node& node = now.nodes[i];
  const Takeover takeover{now, work.policy, work.context, place_of(now, work.plan.primary)};
  if (!node.alive()) return "";
  if (node.writable())
    return fmt::format(
        "{} answers again and accepts writes. To end the writes, run there: {}; then run: "
        "mysql_ha {}",
        node.name, close_server(node.facts->version).sql, command_name(work.plan.command));
  if (std::string why = object_to_unread(takeover, i); !why.empty()) return why;
  if (node.facts)
    return work.plan.command == PlanCommand::kSwitchover ? ""
                                                         : object_to_replica(work, takeover, i);
  // The plan says so of one that could not be read when it was made.
  if (before.nodes[i].alive() || !takeover.forbids_loss()) return "";
  return fmt::format(
      "{} is alive again and cannot be read ({}): it may have transactions that {} lacks. Correct "
      "that. To accept the loss instead, run: mysql_ha failover --allow-loss",
      node.name, sanitize(node.error), work.plan.candidate);
}

}  // namespace ha
