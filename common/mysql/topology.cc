// SPDX-License-Identifier: MIT
#include "common/mysql/topology.h"

#include <algorithm>
#include <string_view>

#include "common/address.h"
#include "common/text.h"

namespace ha {

const std::vector<ChannelStatus>& Node::channels() const {
  static const std::vector<ChannelStatus> kNone;
  return facts && facts->channels ? *facts->channels : kNone;
}

std::optional<std::size_t> find_place(const Topology& topology, std::string_view name) {
  const auto found = std::ranges::find(topology.nodes, name, &Node::name);
  if (found == topology.nodes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - topology.nodes.begin());
}

const Node* find_node(const Topology& topology, std::string_view name) {
  const auto place = find_place(topology, name);
  return place ? &topology.nodes[*place] : nullptr;
}

const ChannelStatus* channel_to(const Node& node, std::size_t source) {
  const auto found = std::ranges::find(node.sources, source);
  return found == node.sources.end()
             ? nullptr
             : &node.channels()[static_cast<std::size_t>(found - node.sources.begin())];
}

std::vector<std::size_t> Topology::writers() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].writable()) places.push_back(i);
  return places;
}

std::vector<std::size_t> Topology::active_writers() const {
  std::vector<std::size_t> places = writers();
  std::erase_if(places, [this](std::size_t i) { return !nodes[i].takes_writes(); });
  return places;
}

SourceLoss loss_of_source(const ChannelStatus& channel, const Node& source) {
  if (!source.facts)
    return judge_source_loss(channel, channel.source_server_id.value_or(0), std::nullopt);
  return judge_source_loss(channel, source.facts->server_id, source.facts->binlog);
}

namespace {

// Cheap where it can be: a large cluster compares every channel with every node.
bool same_host_name(const std::string& a, const std::string& b, const Addresses& addresses) {
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

// Which server a node is, as far as it tells or has told.
struct Identity {
  std::uint32_t server_id = 0;        // 0: not known
  std::string_view server_uuid = {};  // empty: not known, or there is none
};

Identity identity_of(const Node& node, const Memory& memory) {
  if (node.facts) return {node.facts->server_id, node.facts->server_uuid};
  const SeenNode* const seen = memory.find(node.name);
  return seen == nullptr ? Identity{} : Identity{seen->server_id, seen->server_uuid};
}

bool has_address(const Node& node, const HostPort& place, const Addresses& addresses) {
  if (node.port == place.port && same_host_name(node.host, place.host, addresses)) return true;
  return std::ranges::any_of(node.aliases, [&](const std::string& alias) {
    const auto one = parse_host_port(alias);
    return one && one->port == place.port && same_host_name(one->host, place.host, addresses);
  });
}

// Finds the sources of one channel; each way is tried when those before it tell nothing.
class SourceFinder {
 public:
  SourceFinder(const Topology& topology, const Memory& memory, const Node& replica,
               const ChannelStatus& channel)
      : topology_(topology), memory_(memory), replica_(replica), channel_(channel) {}

  std::optional<std::size_t> find() const {
    if (const auto told = by_uuid()) return told;
    if (connected_by_id())
      if (const auto told = by_server_id()) return told;
    if (const auto seen = by_memory()) return seen;
    if (const auto named = by_address()) return named;
    // MariaDB tells the server_id of the last connection even when it has another source since.
    return by_server_id();
  }

 private:
  bool connected_by_id() const { return channel_.source_uuid.empty() && channel_.io.running(); }

  std::optional<std::size_t> by_uuid() const {
    if (channel_.source_uuid.empty()) return std::nullopt;
    return only(topology_, [&](const Node& node) {
      return identity_of(node, memory_).server_uuid == channel_.source_uuid;
    });
  }

  std::optional<std::size_t> by_server_id() const {
    const std::uint32_t id = channel_.source_server_id.value_or(0);
    if (id == 0 || !channel_.source_uuid.empty()) return std::nullopt;
    return only(topology_, [&](const Node& node) {
      return &node != &replica_ && identity_of(node, memory_).server_id == id;
    });
  }

  // A node whose identity is known and differs from what a connected source told is not the one,
  // whatever its address.
  bool is_another(const Node& node) const {
    if (!channel_.io.running()) return false;
    const Identity own = identity_of(node, memory_);
    if (!channel_.source_uuid.empty())
      return !own.server_uuid.empty() && own.server_uuid != channel_.source_uuid;
    const std::uint32_t told = channel_.source_server_id.value_or(0);
    return told != 0 && own.server_id != 0 && own.server_id != told;
  }

  std::optional<std::size_t> by_memory() const {
    const SeenNode* const seen = memory_.find(replica_.name);
    if (seen == nullptr) return std::nullopt;
    for (const SeenChannel& one : seen->channels)
      if (one.name == channel_.name && one.address == channel_.source() && !one.source.empty())
        return only(topology_,
                    [&](const Node& node) { return node.name == one.source && !is_another(node); });
    return std::nullopt;
  }

  std::optional<std::size_t> by_address() const {
    const HostPort place{channel_.source_host, channel_.source_port};
    const auto named = only(topology_, [&](const Node& node) {
      return &node != &replica_ && !is_another(node) &&
             has_address(node, place, topology_.addresses);
    });
    if (named) return named;
    return only(topology_, [&](const Node& node) {
      const SeenNode* const seen = memory_.find(node.name);
      return &node != &replica_ && seen != nullptr && !is_another(node) &&
             std::ranges::count(seen->addresses, channel_.source()) > 0;
    });
  }

  const Topology& topology_;
  const Memory& memory_;
  const Node& replica_;
  const ChannelStatus& channel_;
};

}  // namespace

void link_sources(Topology& topology, const Memory& memory) {
  for (Node& node : topology.nodes) {
    node.sources.clear();
    for (const ChannelStatus& channel : node.channels())
      node.sources.push_back(SourceFinder(topology, memory, node, channel).find());
  }
}

namespace {

// The server that a channel leads to, as far as the channel tells.
std::string source_told(const ChannelStatus& channel) {
  if (!channel.source_uuid.empty()) return channel.source_uuid;
  const std::uint32_t id = channel.source_server_id.value_or(0);
  return id != 0 ? std::to_string(id) : channel.source();
}

}  // namespace

History own_transactions(const ServerFacts& facts) {
  if (const auto* mysql = std::get_if<MysqlHistory>(&facts.history))
    return MysqlHistory{mysql->executed.of_server(facts.server_uuid)};
  if (const auto* mariadb = std::get_if<MariadbHistory>(&facts.history)) {
    MariadbHistory own{facts.server_id, {}};
    for (const MariadbGtid& gtid : mariadb->binlog_state.list())
      if (gtid.server == facts.server_id) own.binlog_state.add(gtid);
    return own;
  }
  return {};
}

Extra lost_own(const Node& node, const History& other) {
  if (!node.facts || node.facts->history_outdated) return {};
  const auto* mariadb = std::get_if<MariadbHistory>(&node.facts->latest_history());
  const bool by_position =
      !node.channels().empty() && std::ranges::none_of(node.channels(), &ChannelStatus::uses_gtid);
  if (mariadb != nullptr && by_position && mariadb->binlog_state.empty() &&
      mariadb->applied_position.empty())
    return {};
  return lost_own(node.facts->latest_history(), node.facts->server_uuid, other);
}

namespace {

// A ring brings back to a writer what it wrote after it had told what that was.
bool seems_to_lack(const Node& node, const Node& other) {
  const auto more = extra(other.facts->history, node.facts->latest_history());
  return (more && more->any()) || lost_own(node, other.facts->history).any();
}

}  // namespace

std::vector<std::size_t> read_too_early(const Topology& topology) {
  const bool has_writer = !topology.writers().empty();
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    const Node& node = topology.nodes[i];
    if (!node.facts || (has_writer && !node.writable())) continue;
    if (std::ranges::any_of(topology.nodes, [&](const Node& other) {
          return &other != &node && other.facts && seems_to_lack(node, other);
        }))
      places.push_back(i);
  }
  return places;
}

void mark_outdated_histories(Topology& topology) {
  for (const std::size_t i : read_too_early(topology)) {
    ServerFacts& facts = *topology.nodes[i].facts;
    if (!std::holds_alternative<std::monostate>(facts.history_later)) continue;
    facts.history_outdated = true;
    facts.unread.push_back(
        "its history could not be read a second time, so it is not judged by that of the others");
  }
}

void follow_word(const std::string& primary, Topology& topology) {
  const Node* const named = find_node(topology, primary);
  if (named == nullptr || named->facts) return;
  std::vector<Node*> orphans;
  std::set<std::string> told;
  for (Node& node : topology.nodes) {
    if (!node.facts || node.writable() || node.sources.size() != 1 || node.sources[0]) continue;
    orphans.push_back(&node);
    told.insert(source_told(node.channels()[0]));
  }
  if (told.size() != 1) return;
  for (Node* const node : orphans)
    node->sources[0] = static_cast<std::size_t>(named - topology.nodes.data());
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
