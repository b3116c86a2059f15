// SPDX-License-Identifier: MIT
// A guard in a whole world of servers: what it makes of what befalls them.
#include <gtest/gtest.h>

#include "tests/fakes/simulated_cluster.h"

namespace ha::sim {
namespace {

using Servers = std::set<int>;

TEST(GuardSimulatedTest, ADeadPrimaryIsReplacedAtOnce) {
  for (const Kind& kind : {Kind{false, true}, Kind{true, true}, Kind{true, false},
                           Kind{false, true, true}, Kind{true, true, true}}) {
    SCOPED_TRACE(kind.mariadb ? "MariaDB" : "MySQL");
    SimulatedCluster cluster(cluster_of(3, kind));
    const Manager& guard = cluster.guard(30);
    cluster.wait(3);
    EXPECT_EQ(cluster.writers(), Servers{1});
    cluster.db(1).crash(false);
    cluster.wait(3);
    const Servers writers = cluster.writers();
    ASSERT_EQ(writers.size(), 1u) << guard.outcome().text;
    EXPECT_FALSE(writers.contains(1));
    EXPECT_TRUE(cluster.follows(5 - *writers.begin(), *writers.begin()));
    cluster.wait(30);
    EXPECT_TRUE(guard.ended());
    EXPECT_EQ(cluster.writers(), writers);
  }
}

TEST(GuardSimulatedTest, AMomentOfSilenceIsNoDeath) {
  History history = cluster_of(3);
  for (Time at = 5; at < 25; at += 2)
    history.faults.push_back(
        {FaultKind::kFreeze, at * kSecond, at * kSecond + 700 * kMillisecond, 0});
  SimulatedCluster cluster(history);
  const Manager& guard = cluster.guard(30);
  cluster.wait(31);
  EXPECT_TRUE(guard.ended());
  EXPECT_EQ(cluster.writers(), Servers{1});
  EXPECT_EQ(cluster.changes.count(guard.id()), 0u);
}

TEST(GuardSimulatedTest, ARestartedPrimaryIsOpenedAgain) {
  History history = cluster_of(3);
  history.fence_nature = FenceNature::kFails;
  SimulatedCluster cluster(history);
  const Manager& guard = cluster.guard(60);
  cluster.wait(3);
  cluster.db(1).crash(false);
  cluster.wait(3);
  EXPECT_EQ(cluster.writers(), Servers{}) << "no fence, no failover";
  cluster.db(1).start(true);
  cluster.wait(30);
  EXPECT_EQ(cluster.writers(), Servers{1}) << guard.outcome().text;
}

TEST(GuardSimulatedTest, OfTwoGuardsOneActs) {
  History history = cluster_of(3);
  history.managers = 2;
  history.votes = 2;
  SimulatedCluster cluster(history);
  // Who was started just now gives no vote.
  cluster.wait(15);
  cluster.guard(60, 0);
  cluster.guard(60, 1);
  cluster.wait(3);
  cluster.db(1).crash(false);
  cluster.wait(45);
  EXPECT_EQ(cluster.writers().size(), 1u);
  EXPECT_EQ(cluster.changes.size(), 1u) << "one manager has changed servers";
}

}  // namespace
}  // namespace ha::sim
