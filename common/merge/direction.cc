// SPDX-License-Identifier: MIT
#include "common/merge/direction.h"

#include <fmt/format.h>

#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

std::vector<std::string> followers(const Topology& topology, std::size_t source) {
  std::vector<std::string> names;
  for (const Node& node : topology.nodes) {
    const ChannelStatus* const channel = channel_to(node, source);
    if (channel != nullptr && channel->io.running()) names.push_back(node.name);
  }
  return names;
}

std::string swapped(const std::string& from, const std::string& to, const std::string& evidence) {
  return fmt::format(
      "{}: {} is the primary, so rows go to it and not from it; --from {} --to {} "
      "is the way",
      evidence, from, to, from);
}

// Judges a channel of the winner's to the loser. A node that was promoted by hand may keep one, so
// a channel that does not run is no evidence against a writer; nor are two that go both ways.
std::string object_to_channel(const Node& from, const Node& to, const ChannelStatus& channel,
                              bool mutual) {
  if (!mutual && (channel.io.running() || !to.writable()))
    return swapped(from.name, to.name, fmt::format("{} is a replica of {}", to.name, from.name));
  const Version& version = to.facts->version;
  return fmt::format(
      "{} still has a channel to {}{}, so replication does not show which of them is the primary; "
      "if it is {}, run there: {}; {}",
      to.name, from.name, mutual ? fmt::format(", and {} one to {}", from.name, to.name) : "",
      to.name, stop_replication(version, channel.name), forget_source(version, channel.name));
}

bool is_same_server(const ServerFacts& a, const ServerFacts& b) {
  if (!a.server_uuid.empty() || !b.server_uuid.empty()) return a.server_uuid == b.server_uuid;
  return a.server_id == b.server_id;
}

}  // namespace

std::string object_to_winner(const Node& to) {
  if (!to.writable())
    return fmt::format("{} is read-only; --to names the node that takes the writes now", to.name);
  if (!to.takes_writes())
    return fmt::format("{} takes no writes: {}", to.name, to.facts->obstacles.text());
  const SemiSync& semi = to.facts->semi_sync;
  constexpr std::int64_t kPatience_ms = 60'000;
  const std::int64_t needed = semi.wait_count.value_or(1), there = semi.clients.value_or(needed);
  if (semi.source_enabled == true && semi.source_active == true && there < needed &&
      semi.timeout_ms.value_or(0) > kPatience_ms)
    return fmt::format(
        "each commit on {} waits up to {} for replicas to acknowledge it (semi-sync: {} needed, {} "
        "there); start its replicas first",
        to.name, format_duration(static_cast<double>(*semi.timeout_ms) / 1000), needed, there);
  return "";
}

MergeDirection judge_direction(const Topology& topology, const std::string& from_name,
                               const std::string& to_name) {
  const auto from_place = find_place(topology, from_name), to_place = find_place(topology, to_name);
  if (!from_place || !to_place)
    return {fmt::format("no node is called '{}'", sanitize(from_place ? to_name : from_name))};
  const Node &from = topology.nodes[*from_place], &to = topology.nodes[*to_place];
  if (from_name == to_name) return {"--from and --to name the same node"};
  for (const Node* const node : {&from, &to})
    if (!node->facts) return {fmt::format("{} cannot be read: {}", node->name, node->error)};
  if (is_same_server(*from.facts, *to.facts))
    return {fmt::format("{} and {} are the same server or have the same server_id", from_name,
                        to_name)};
  const ChannelStatus* const theirs_to_us = channel_to(from, *to_place);
  if (const ChannelStatus* const channel = channel_to(to, *from_place))
    return {object_to_channel(from, to, *channel, theirs_to_us != nullptr)};
  if (std::string obstacle = object_to_winner(to); !obstacle.empty()) return {obstacle};
  const auto theirs = followers(topology, *from_place), ours = followers(topology, *to_place);
  if (from.writable() && !theirs.empty() && ours.empty())
    return {swapped(from_name, to_name,
                    fmt::format("{} {} {}", join(theirs, ", "),
                                theirs.size() == 1 ? "follows" : "follow", from_name))};
  MergeDirection direction;
  if (theirs_to_us != nullptr)
    direction.warnings.push_back(
        fmt::format("{} is a replica of {} already: rows that it has lost by that are not found",
                    from_name, to_name));
  if (from.writable())
    direction.warnings.push_back(fmt::format(
        "{} accepts writes: rows that are written there meanwhile may be left behind", from_name));
  if (from.writable() && ours.empty())
    direction.warnings.push_back(fmt::format(
        "replication does not show whether {} or {} is the primary", from_name, to_name));
  return direction;
}

}  // namespace ha
