// SPDX-License-Identifier: MIT
#include "common/mysql/topology.h"

#include <gtest/gtest.h>

#include "tests/topology_builders.h"

namespace ha {
namespace {

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
  link_sources(topology, {{"db1", {"10.0.0.1", "fd00::1"}}, {"10.0.0.1", {"10.0.0.1"}}});
  EXPECT_EQ(topology.nodes[1].sources[0], Place(0));
}

TEST(TopologyTest, MariadbSourcesAreFoundByServerIdBehindAProxy) {
  Node follower = replica(2, 1, "0-1-1", Flavour::kMariadb);
  (*follower.facts->channels)[0].source_host = "proxy";
  const Node source = writer(1, "0-1-1", Flavour::kMariadb);
  EXPECT_EQ(linked({source, follower}).nodes[1].sources[0], Place(0));
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
