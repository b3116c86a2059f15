// SPDX-License-Identifier: MIT
// Nodes and topologies of a healthy world, to be spoilt by each test in the one place that it is
// about. Servers are numbered: number 2 is db2, server_id 2, and its UUID ends in 2.

#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/topology.h"

namespace ha {

inline std::string uuid_of(int number) {
  return fmt::format("00000000-0000-0000-0000-{:012}", number);
}

// Replaces "#2" by server 2's UUID.
inline GtidSet gtids(std::string_view text) {
  std::string full;
  for (std::size_t i = 0; i < text.size(); ++i)
    full += text[i] == '#' ? uuid_of(text[++i] - '0') : std::string(1, text[i]);
  return *GtidSet::parse(full);
}

inline ChannelStatus channel_from(int source, Flavour flavour = Flavour::kMysql) {
  ChannelStatus channel;
  channel.source_host = fmt::format("db{}", source);
  channel.source_port = 3306;
  channel.source_server_id = static_cast<std::uint32_t>(source);
  if (flavour == Flavour::kMysql) channel.source_uuid = uuid_of(source);
  channel.io.state = channel.sql.state = ThreadState::kRunning;
  channel.uses_gtid = true;
  return channel;
}

// A writer without channels. `history` is a GTID set as gtids() reads it, or for MariaDB a binlog
// state.
inline Node writer(int number, std::string_view history = "#1:1-100",
                   Flavour flavour = Flavour::kMysql) {
  Node node{fmt::format("db{}", number), fmt::format("db{}", number), 3306, Reach::kAnswers};
  ServerFacts& facts = node.facts.emplace();
  facts.version.flavour = flavour;
  facts.server_id = static_cast<std::uint32_t>(number);
  if (flavour == Flavour::kMysql) facts.server_uuid = uuid_of(number);
  facts.read_only = false;
  facts.log_bin = facts.log_replica_updates = true;
  facts.binlog = BinlogPosition{"binlog.000001", 1000};
  facts.channels.emplace();
  if (flavour == Flavour::kMysql)
    facts.history = MysqlHistory{gtids(history)};
  else
    facts.history = MariadbHistory{facts.server_id, *MariadbGtids::parse(history)};
  return node;
}

// A read-only replica with one running channel from server `source`.
inline Node replica(int number, int source, std::string_view history = "#1:1-100",
                    Flavour flavour = Flavour::kMysql) {
  Node node = writer(number, history, flavour);
  node.facts->read_only = true;
  node.facts->channels->push_back(channel_from(source, flavour));
  return node;
}

inline Node lost(int number, Reach reach = Reach::kUnreachable) {
  return {fmt::format("db{}", number), fmt::format("db{}", number), 3306, reach, "no answer"};
}

// What a change does to a node: cases are a healthy node with such changes.
using Change = void (*)(Node&);

inline Node with(Node node, std::initializer_list<Change> changes) {
  for (const Change change : changes) change(node);
  return node;
}

template <class OneChange>
Node with(Node node, const OneChange& change) {
  change(node);
  return node;
}

inline ChannelStatus& channel(Node& node, std::size_t place = 0) {
  return (*node.facts->channels)[place];
}

inline void io_connecting(Node& node) { channel(node).io.state = ThreadState::kConnecting; }
inline void read_further(Node& node) { channel(node).read.offset = 2000; }
inline void writable(Node& node) { node.facts->read_only = false; }
inline void unknown_channels(Node& node) { node.facts->channels.reset(); }

inline Topology linked(std::vector<Node> nodes, const Memory& memory = {}) {
  Topology topology{std::move(nodes)};
  link_sources(topology, memory);
  return topology;
}

}  // namespace ha
