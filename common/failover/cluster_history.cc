// SPDX-License-Identifier: MIT
#include "common/failover/cluster_history.h"

#include <algorithm>
#include <set>
#include <string>

namespace ha {

namespace {

// The servers whose transactions are the cluster's.
struct Members {
  std::set<std::string> uuids = {};
  std::set<std::uint32_t> ids = {};
  MariadbGtids seen = {};  // by nodes that have no channel from outside
  std::set<std::uint32_t> domains = {};

  void add(const std::string& uuid, std::uint32_t id) {
    uuids.insert(uuid);
    ids.insert(id);
  }

  void add_servers(const GtidSet& set) {
    for (const std::string& uuid : set.servers()) uuids.insert(uuid);
  }

  void add_history(const History& history) {
    if (const auto* mysql = std::get_if<MysqlHistory>(&history)) {
      add_servers(mysql->executed);
      add_servers(mysql->retrieved);
    } else if (const auto* mariadb = std::get_if<MariadbHistory>(&history)) {
      for (const MariadbGtids* part :
           {&mariadb->binlog_state, &mariadb->binlog_position, &mariadb->applied_position,
            &mariadb->current_position, &mariadb->received_position})
        seen = unite(seen, *part);
    }
  }
};

Members find_members(const Topology& topology, const Memory& memory) {
  Members members;
  for (const Node& node : topology.nodes) {
    if (const SeenNode* const known = memory.find(node.name))
      members.add(known->server_uuid, known->server_id);
    if (!node.facts) continue;
    members.add(node.facts->server_uuid, node.facts->server_id);
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      const ChannelStatus& channel = node.channels()[c];
      if (!node.sources[c]) continue;
      members.add(channel.source_uuid, channel.source_server_id.value_or(0));
      // MariaDB's position of a connection holds the other connections' domains too.
      if (const auto set = GtidSet::parse(channel.received_gtids)) members.add_servers(*set);
    }
    if (!follows_outside(node)) members.add_history(node.facts->latest_history());
  }
  for (const MariadbGtid& gtid : members.seen.list()) members.domains.insert(gtid.domain);
  return members;
}

GtidSet keep(const GtidSet& set, const Members& members) {
  GtidSet kept;
  for (const std::string& uuid : set.servers())
    if (members.uuids.contains(uuid)) kept = unite(kept, set.of_server(uuid));
  return kept;
}

// True when a channel from outside has received further in a domain than those of the cluster.
bool came_from_outside(const Node& node, const MariadbGtid& gtid) {
  std::uint64_t outside = 0, inside = 0;
  for (std::size_t c = 0; c < node.sources.size(); ++c) {
    const auto received = MariadbGtids::parse(node.channels()[c].received_gtids);
    if (!received) continue;
    std::uint64_t& furthest = node.sources[c] ? inside : outside;
    furthest = std::max(furthest, received->last(gtid.domain, gtid.server).value_or(0));
  }
  return outside > inside;
}

MariadbGtids keep(const MariadbGtids& gtids, const Members& members, const Node& node) {
  MariadbGtids kept;
  for (const MariadbGtid& gtid : gtids.list()) {
    const bool member = members.ids.contains(gtid.server);
    // Another cluster may number its servers as this one does, but then in another domain.
    if (members.seen.last(gtid.domain, gtid.server) ||
        (member && (members.domains.contains(gtid.domain) || !came_from_outside(node, gtid))))
      kept.add(gtid);
  }
  return kept;
}

}  // namespace

bool follows_outside(const Node& node) {
  return std::ranges::any_of(node.sources, [](const auto& source) { return !source; });
}

History cluster_history(const Topology& topology, const Memory& memory, std::size_t i) {
  const Node& node = topology.nodes[i];
  if (!follows_outside(node)) return node.facts->history;
  const Members members = find_members(topology, memory);
  History history = node.facts->history;
  if (auto* mysql = std::get_if<MysqlHistory>(&history)) {
    for (GtidSet* part : {&mysql->executed, &mysql->purged, &mysql->retrieved})
      *part = keep(*part, members);
  } else if (auto* mariadb = std::get_if<MariadbHistory>(&history)) {
    for (MariadbGtids* part :
         {&mariadb->binlog_state, &mariadb->binlog_position, &mariadb->applied_position,
          &mariadb->current_position, &mariadb->received_position})
      *part = keep(*part, members, node);
  }
  return history;
}

}  // namespace ha
