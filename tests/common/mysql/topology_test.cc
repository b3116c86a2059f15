// SPDX-License-Identifier: MIT
#include "common/mysql/topology.h"

#include <gtest/gtest.h>

#include "tests/topology_builders.h"

namespace ha {
namespace {

using Places = std::vector<std::size_t>;

Node maria_ring_node(int number, int source, std::string_view state, std::string_view received) {
  Node node = replica(number, source, state, Flavour::kMariadb);
  std::get<MariadbHistory>(node.facts->history).received_position = *MariadbGtids::parse(received);
  return node;
}

Node open_node(Node node) {
  node.facts->read_only = false;
  return node;
}

TEST(TopologyTest, WhatMustBeReadOnceMore) {
  EXPECT_EQ(read_too_early(linked({writer(1), replica(2, 1, "#1:1-90")})), Places{});
  EXPECT_EQ(read_too_early(linked({writer(1), replica(2, 1, "#1:1-103")})), Places{0});
  // Of replicas only where none is open.
  EXPECT_EQ(read_too_early(linked({writer(1), replica(2, 1), replica(3, 1, "#1:1-90")})), Places{});
  EXPECT_EQ(read_too_early(linked({lost(1), replica(2, 1), replica(3, 1, "#1:1-90")})), Places{2});
}

// A writer in a ring tells what it wrote, then what came back to it, which may be more.
TEST(TopologyTest, AnEchoIsNoProofThatAWriterHasWhatItWrote) {
  Topology ring = linked({open_node(maria_ring_node(1, 2, "0-1-100", "0-1-102")),
                          maria_ring_node(2, 1, "0-1-102", "0-1-102")});
  EXPECT_EQ(read_too_early(ring), Places{0});
  ServerFacts& facts = *ring.nodes[0].facts;
  facts.history_later = unite(MariadbHistory{1, *MariadbGtids::parse("0-1-102")}, facts.history);
  EXPECT_EQ(read_too_early(ring), Places{});
  facts.history_later = unite(MariadbHistory{1, *MariadbGtids::parse("0-1-100")}, facts.history);
  EXPECT_EQ(read_too_early(ring), Places{0}) << "what was lost stays so";
}

TEST(TopologyTest, OwnTransactionsBearTheServersIdentity) {
  const auto own = [](const char* history, Flavour flavour) {
    const ServerFacts facts = *replica(2, 1, history, flavour).facts;
    const History part = own_transactions(facts);
    if (const auto* mysql = std::get_if<MysqlHistory>(&part))
      return mysql->executed ==
                     std::get<MysqlHistory>(facts.history).executed.of_server(facts.server_uuid)
                 ? std::to_string(mysql->executed.count())
                 : "?";
    return std::get<MariadbHistory>(part).binlog_state.print();
  };
  EXPECT_EQ(own("#1:1-100,#2:1-3", Flavour::kMysql), "3");
  EXPECT_EQ(own("0-1-100,0-2-97", Flavour::kMariadb), "0-2-97");
  EXPECT_EQ(own_transactions({}), History{});
}

TEST(TopologyTest, WhatCouldNotBeReadOnceMoreIsAGap) {
  Topology topology = linked({writer(1), replica(2, 1, "#1:1-103")});
  EXPECT_TRUE(lost_own(topology.nodes[0], topology.nodes[1].facts->history).any());
  mark_outdated_histories(topology);
  EXPECT_TRUE(topology.nodes[0].facts->history_outdated);
  EXPECT_EQ(topology.nodes[0].facts->unread.size(), 1u);
  EXPECT_FALSE(lost_own(topology.nodes[0], topology.nodes[1].facts->history).any());
  Topology reread = linked({writer(1), replica(2, 1, "#1:1-103")});
  reread.nodes[0].facts->history_later = reread.nodes[0].facts->history;
  mark_outdated_histories(reread);
  EXPECT_FALSE(reread.nodes[0].facts->history_outdated) << "it was read, and has lost them";
}

using Place = std::optional<std::size_t>;

TEST(TopologyTest, ASourceIsFoundByItsUuidWhateverItsAddress) {
  Node follower = replica(2, 1);
  (*follower.facts->channels)[0].source_host = "vip.example";
  EXPECT_EQ(linked({writer(1), follower}).nodes[1].sources[0], Place(0));
}

TEST(TopologyTest, AnAddressWithAnotherUuidIsNotTheSource) {
  // Another server has taken over db1's address.
  Node follower = replica(2, 1);
  (*follower.facts->channels)[0].source_uuid = uuid_of(9);
  EXPECT_EQ(linked({writer(1), follower}).nodes[1].sources[0], Place());
}

TEST(TopologyTest, ALostSourceIsFoundByHostAndPort) {
  EXPECT_EQ(linked({lost(1), replica(2, 1)}).nodes[1].sources[0], Place(0));
  Node elsewhere = lost(1);
  elsewhere.port = 3307;
  EXPECT_EQ(linked({elsewhere, replica(2, 1)}).nodes[1].sources[0], Place());
}

TEST(TopologyTest, NamesAreComparedByAddressWhereTheyWereResolved) {
  Topology topology{{lost(1), replica(2, 1)}};
  (*topology.nodes[1].facts->channels)[0].source_host = "10.0.0.1";
  topology.addresses = {{"db1", {"10.0.0.1", "fd00::1"}}, {"10.0.0.1", {"10.0.0.1"}}};
  link_sources(topology, {});
  EXPECT_EQ(topology.nodes[1].sources[0], Place(0));
}

TEST(TopologyTest, MariadbSourcesAreFoundByServerIdBehindAProxy) {
  Node follower = replica(2, 1, "0-1-1", Flavour::kMariadb);
  (*follower.facts->channels)[0].source_host = "proxy";
  const Node source = writer(1, "0-1-1", Flavour::kMariadb);
  EXPECT_EQ(linked({source, follower}).nodes[1].sources[0], Place(0));
}

Node by_address(Node node, const char* host) {
  (*node.facts->channels)[0].source_host = host;
  return node;
}

Node connecting(Node node) {
  (*node.facts->channels)[0].io.state = ThreadState::kConnecting;
  return node;
}

Node maria_replica(int number, int source) {
  return replica(number, source, "0-1-1", Flavour::kMariadb);
}

TEST(TopologyTest, AConnectedServerIdWinsOverAnAddressThatContradictsIt) {
  // A tunnel to db2 has the address that the watcher knows as db1's.
  const Node tunnelled = by_address(maria_replica(3, 2), "db1");
  const Node source = writer(1, "0-1-1", Flavour::kMariadb);
  EXPECT_EQ(linked({source, maria_replica(2, 1), tunnelled}).nodes[2].sources[0], Place(1));
  EXPECT_EQ(linked({source, maria_replica(2, 1), by_address(maria_replica(3, 9), "db1")})
                .nodes[2]
                .sources[0],
            Place());
  // The number is that of the last connection: a new address that was never reached is newer.
  EXPECT_EQ(linked({source, maria_replica(2, 1), connecting(tunnelled)}).nodes[2].sources[0],
            Place(0));
}

TEST(TopologyTest, ADeadSourceIsKnownByWhatWasSeenOfIt) {
  for (const Flavour flavour : {Flavour::kMysql, Flavour::kMariadb}) {
    const auto follower = [&](int number) {
      return by_address(replica(number, 1, "", flavour), "10.88.0.1");
    };
    const Memory memory =
        remember({}, linked({writer(1, "", flavour), follower(2), follower(3)}), 1000);
    const std::vector<Node> left = {lost(1), connecting(follower(2)), connecting(follower(3))};
    EXPECT_EQ(linked(left, memory).nodes[1].sources[0], Place(0));
    EXPECT_EQ(linked(left).nodes[1].sources[0], Place());
    // A replica that was never seen uses an address that others have used.
    Memory of_one = memory;
    of_one.nodes.erase("db3");
    EXPECT_EQ(linked(left, of_one).nodes[2].sources[0], Place(0));
  }
}

TEST(TopologyTest, TheMemoryOfATunnelWinsOverAnAddress) {
  const auto tunnelled = [] { return by_address(maria_replica(3, 2), "db1"); };
  const Memory memory = remember(
      {}, linked({writer(1, "0-1-1", Flavour::kMariadb), maria_replica(2, 1), tunnelled()}), 1000);
  EXPECT_EQ(linked({lost(1), lost(2), connecting(tunnelled())}, memory).nodes[2].sources[0],
            Place(1));
}

TEST(TopologyTest, AnAliasIsAnotherAddress) {
  Node source = lost(1);
  source.aliases = {"10.88.0.1:3306", "[fd00::1]:3306"};
  for (const char* address : {"10.88.0.1", "fd00::1"})
    EXPECT_EQ(linked({source, connecting(by_address(replica(2, 1), address))}).nodes[1].sources[0],
              Place(0));
}

TEST(TopologyTest, AnOperatorsWordLinksReplicasOfOneUnknownServer) {
  const auto orphan = [](int number, int source) {
    return connecting(by_address(replica(number, source), "10.88.0.1"));
  };
  Topology topology = linked({lost(1), orphan(2, 9), orphan(3, 9)});
  follow_word("", topology);
  EXPECT_EQ(topology.nodes[1].sources[0], Place());
  follow_word("db1", topology);
  EXPECT_EQ(topology.nodes[1].sources[0], Place(0));
  EXPECT_EQ(topology.nodes[2].sources[0], Place(0));
  Topology two = linked({lost(1), orphan(2, 8), orphan(3, 9)});
  follow_word("db1", two);
  EXPECT_EQ(two.nodes[1].sources[0], Place());
  Topology alive = linked({writer(1), orphan(2, 9)});
  follow_word("db1", alive);
  EXPECT_EQ(alive.nodes[1].sources[0], Place());
}

TEST(TopologyTest, UpstreamFollowsRunningChannelsAndSurvivesRings) {
  const Topology chain = linked({writer(1), replica(2, 1), replica(3, 2)});
  EXPECT_EQ(upstream(chain, 2), (std::set<std::size_t>{0, 1}));
  EXPECT_TRUE(upstream(chain, 0).empty());
  const Topology ring = linked({replica(1, 2), replica(2, 1)});
  EXPECT_EQ(upstream(ring, 0), (std::set<std::size_t>{0, 1}));
  EXPECT_EQ(rings(ring), (std::vector<std::set<std::size_t>>{{0, 1}}));
  EXPECT_TRUE(rings(chain).empty());
}

TEST(TopologyTest, WhoFollowsARingIsNotInIt) {
  EXPECT_EQ(rings(linked({replica(1, 2), replica(2, 1), replica(3, 1)})),
            (std::vector<std::set<std::size_t>>{{0, 1}}));
}

}  // namespace
}  // namespace ha
