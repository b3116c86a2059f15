// SPDX-License-Identifier: MIT
#include "common/mysql/topology.h"

#include <algorithm>

#include "common/text.h"

namespace ha {

const std::vector<ChannelStatus>& Node::channels() const {
  static const std::vector<ChannelStatus> kNone;
  return facts && facts->channels ? *facts->channels : kNone;
}

std::vector<std::size_t> Topology::writers() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].writable()) places.push_back(i);
  return places;
}

namespace {

// Cheap where it can be: a large cluster compares every channel with every node.
bool same_address(const std::string& a, const std::string& b, const Addresses& addresses) {
  if (a == b || (a.size() == b.size() && to_lower(a) == to_lower(b))) return true;
  if (addresses.empty()) return false;
  const auto of_a = addresses.find(a), of_b = addresses.find(b);
  if (of_a == addresses.end() || of_b == addresses.end()) return false;
  return std::ranges::any_of(of_a->second,
                             [&](const std::string& one) { return of_b->second.contains(one); });
}

// Returns the only node for which `matches` holds.
template <class Predicate>
std::optional<std::size_t> only(const Topology& topology, Predicate matches) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    if (!matches(topology.nodes[i])) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

std::optional<std::size_t> find_source(const Topology& topology, const Node& replica,
                                       const ChannelStatus& channel, const Addresses& addresses) {
  const auto by_uuid = only(topology, [&](const Node& node) {
    return !channel.source_uuid.empty() && node.facts &&
           node.facts->server_uuid == channel.source_uuid;
  });
  if (by_uuid) return by_uuid;
  const auto by_address = only(topology, [&](const Node& node) {
    // A node whose identity is known and differs is not the one, whatever its address.
    const bool known_other = node.facts && !channel.source_uuid.empty() && channel.io.running() &&
                             !node.facts->server_uuid.empty();
    return &node != &replica && !known_other && node.port == channel.source_port &&
           same_address(node.host, channel.source_host, addresses);
  });
  if (by_address) return by_address;
  return only(topology, [&](const Node& node) {
    return &node != &replica && node.facts && channel.source_uuid.empty() &&
           channel.source_server_id == node.facts->server_id;
  });
}

}  // namespace

void link_sources(Topology& topology, const Addresses& addresses) {
  for (Node& node : topology.nodes) {
    node.sources.clear();
    for (const ChannelStatus& channel : node.channels())
      node.sources.push_back(find_source(topology, node, channel, addresses));
  }
}

namespace {

// Adds to `seen` what `start` leads to by the channels that `counts` accepts.
template <class Predicate>
void walk(const Topology& topology, std::size_t start, Predicate counts,
          std::set<std::size_t>& seen) {
  std::vector<std::size_t> todo = {start};
  while (!todo.empty()) {
    const Node& node = topology.nodes[todo.back()];
    todo.pop_back();
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (node.sources[c] && counts(node.channels()[c]) && seen.insert(*node.sources[c]).second)
        todo.push_back(*node.sources[c]);
  }
}

}  // namespace

std::set<std::size_t> upstream(const Topology& topology, std::size_t node) {
  std::set<std::size_t> seen;
  walk(
      topology, node, [](const ChannelStatus& channel) { return channel.io.running(); }, seen);
  return seen;
}

std::vector<std::set<std::size_t>> rings(const Topology& topology) {
  const auto follows = [](const ChannelStatus& channel) {
    return channel.io.state != ThreadState::kStopped;
  };
  std::vector<std::set<std::size_t>> reached(topology.nodes.size());
  for (std::size_t i = 0; i < reached.size(); ++i) walk(topology, i, follows, reached[i]);
  std::vector<std::set<std::size_t>> rings;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    std::set<std::size_t> ring;
    if (!reached[i].contains(i)) continue;
    for (const std::size_t other : reached[i])
      if (reached[other].contains(i)) ring.insert(other);
    if (std::ranges::find(rings, ring) == rings.end()) rings.push_back(std::move(ring));
  }
  return rings;
}

}  // namespace ha
