// SPDX-License-Identifier: MIT
// Whole commands, from the first probe to the outcome: what each situation comes to.
#include "common/execute/failover.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/text.h"
#include "tests/fakes/live_stage.h"
#include "tests/fakes/simulated_cluster.h"

namespace ha::sim {
namespace {

using Servers = std::set<int>;

const Kind kKinds[] = {{false, true, false}, {false, false, false}, {true, true, false},
                       {true, false, false}, {false, true, true},   {true, true, true},
                       {false, false, true}};

std::string describe(const Kind& kind) {
  return std::string(kind.mariadb ? "MariaDB" : "MySQL") + (kind.gtid ? " GTID" : " position") +
         (kind.semi_sync ? " semi-sync" : "");
}

// The other replica follows the new primary.
void expect_replaced(SimulatedCluster& cluster, const FailoverOutcome& outcome) {
  EXPECT_NE(outcome.end, FailoverEnd::kRefused) << outcome.text;
  EXPECT_EQ(outcome.failed, "db1");
  const int now = outcome.successor == "db2" ? 2 : 3;
  EXPECT_EQ(cluster.writers(), Servers{now});
  EXPECT_TRUE(cluster.follows(5 - now, now)) << outcome.text;
}

TEST(RunFailoverTest, ADeadPrimaryIsReplaced) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(describe(kind));
    SimulatedCluster cluster(cluster_of(3, kind));
    cluster.db(1).crash(false);
    expect_replaced(cluster, cluster.run(Errand::kFailover).outcome());
    EXPECT_TRUE(cluster.db(1).fenced());
    if (kind.semi_sync) {
      EXPECT_EQ(std::min(cluster.lacks(2), cluster.lacks(3)), 0u);
    }
  }
}

TEST(RunFailoverTest, ALivePrimaryIsNot) {
  SimulatedCluster cluster(cluster_of(3));
  const Manager& manager = cluster.run(Errand::kFailover);
  EXPECT_EQ(manager.outcome().end, FailoverEnd::kRefused);
  EXPECT_EQ(manager.outcome().run_id, "");
  EXPECT_EQ(cluster.changes.count(manager.id()), 0u);
  EXPECT_EQ(cluster.writers(), Servers{1});
}

TEST(RunFailoverTest, WithoutAFenceEverythingIsAsItWas) {
  for (const FenceNature nature : {FenceNature::kFails, FenceNature::kHangs}) {
    History history = cluster_of(3);
    history.fence_nature = nature;
    SimulatedCluster cluster(history);
    cluster.db(1).crash(false);
    const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
    EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
    EXPECT_NE(outcome.run_id, "");
    EXPECT_EQ(cluster.writers(), Servers{});
    cluster.db(1).start(true);
    cluster.wait(5);
    EXPECT_TRUE(cluster.follows(2, 1));
    EXPECT_TRUE(cluster.follows(3, 1));
  }
}

TEST(RunFailoverTest, AFenceThatMayFailIsAWarning) {
  History history = cluster_of(3);
  history.fence = Fence::kBestEffort;
  history.fence_nature = FenceNature::kFails;
  SimulatedCluster cluster(history);
  cluster.db(1).crash(false);
  const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
  EXPECT_EQ(outcome.end, FailoverEnd::kWarnings);
  expect_replaced(cluster, outcome);
}

// It is fenced when it has not answered for long, and not before.
TEST(RunFailoverTest, APrimaryThatHangsIsReplaced) {
  History history = cluster_of(3);
  history.deadline = 120 * kSecond;
  SimulatedCluster cluster(history);
  cluster.db(1).stick();
  const Manager& manager = cluster.run(Errand::kFailover);
  expect_replaced(cluster, manager.outcome());
  EXPECT_GT(manager.end() - manager.began(), 30 * kSecond);
  EXPECT_TRUE(cluster.db(1).fenced());
}

TEST(RunFailoverTest, APrimaryThatHangsIsLeftAloneWhereTimeIsShort) {
  History history = cluster_of(3);
  history.deadline = 20 * kSecond;
  SimulatedCluster cluster(history);
  cluster.db(1).stick();
  const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
  EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
  EXPECT_FALSE(cluster.db(1).fenced());
}

TEST(RunFailoverTest, APrimaryThatWasRestartedReadOnlyIsOpened) {
  const std::vector<std::int8_t> star = {-1, 0, 0}, chain = {-1, 0, 1};
  for (const auto& sources : {star, chain}) {
    for (const bool mariadb : {false, true}) {
      History history = cluster_of(3, {mariadb});
      history.sources = sources;
      SimulatedCluster cluster(history);
      cluster.run(Errand::kPlan);
      cluster.db(1).crash(false);
      cluster.wait(1);
      cluster.db(1).start(false);
      cluster.wait(20);
      EXPECT_EQ(cluster.writers(), Servers{});
      const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
      EXPECT_EQ(cluster.writers(), Servers{1}) << outcome.text;
    }
  }
}

// It answers when it is tried again, when it is asked once more, or when all is done.
TEST(RunFailoverTest, AReplicaThatIsBackInTimeFollowsTheNewPrimary) {
  int following = 0;
  for (Time back = 9; back <= 17; ++back) {
    History history = cluster_of(3);
    history.faults = {{FaultKind::kFreeze, 3500 * kMillisecond, back * kSecond, 2}};
    SimulatedCluster cluster(history);
    // Only of a node that was seen before it is known that it takes no writes.
    cluster.run(Errand::kPlan);
    cluster.wait(1);
    cluster.db(1).crash(false);
    const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
    EXPECT_EQ(outcome.successor, "db2") << outcome.text;
    EXPECT_EQ(cluster.writers(), Servers{2}) << back;
    EXPECT_TRUE(cluster.follows(3, 2) || outcome.end == FailoverEnd::kWarnings) << back;
    following += cluster.follows(3, 2);
  }
  EXPECT_GE(following, 4);
}

TEST(RunFailoverTest, AReplicaThatStaysAwayIsAWarning) {
  History history = cluster_of(3);
  history.faults = {{FaultKind::kFreeze, 3500 * kMillisecond, 500 * kSecond, 2}};
  SimulatedCluster cluster(history);
  cluster.run(Errand::kPlan);
  cluster.wait(1);
  cluster.db(1).crash(false);
  const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
  EXPECT_EQ(outcome.end, FailoverEnd::kWarnings);
  EXPECT_EQ(cluster.writers(), Servers{2});
  EXPECT_NE(join(outcome.details, "\n").find("mysql_ha rejoin db3"), std::string::npos)
      << join(outcome.details, "\n");
}

// What stands in the relay logs takes ten seconds.
History slow_appliers() {
  History history = cluster_of(3);
  for (const std::size_t i : {1u, 2u}) history.servers[i].apply_time = 200 * kMillisecond;
  return history;
}

TEST(RunFailoverTest, WhereTheCandidateDoesNotGetOnAnotherTakesItsPlace) {
  History history = slow_appliers();
  history.faults = {{FaultKind::kApplierStops, 16 * kSecond, 16 * kSecond, 1}};
  SimulatedCluster cluster(history);
  cluster.wait(8);
  cluster.db(1).crash(false);
  const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
  EXPECT_EQ(outcome.successor, "db3") << outcome.text;
  EXPECT_EQ(cluster.writers(), Servers{3}) << outcome.text;
  EXPECT_EQ(cluster.lacks(3), 0u);
}

TEST(RunFailoverTest, ACandidateThatCannotApplyIsPassedOver) {
  SimulatedCluster cluster(cluster_of(3));
  cluster.db(2).stop_threads(false);
  cluster.wait(1);
  cluster.db(1).crash(false);
  const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
  EXPECT_EQ(outcome.successor, "db3");
  EXPECT_EQ(cluster.writers(), Servers{3});
}

TEST(RunFailoverTest, AFullDiskOfTheCandidateIsNoEnd) {
  SimulatedCluster cluster(cluster_of(3));
  cluster.db(2).fill_disk();
  cluster.wait(1);
  cluster.db(1).crash(false);
  const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
  EXPECT_NE(outcome.end, FailoverEnd::kRefused) << outcome.text;
  EXPECT_EQ(cluster.writers(), Servers{3});
}

TEST(RunFailoverTest, ARunThatWasKilledIsFinishedOrRolledBack) {
  for (const Kind& kind : {Kind{}, Kind{true, false, true}}) {
    bool ended = false;
    for (std::uint32_t effect = 40; !ended; effect += 19) {
      SCOPED_TRACE(describe(kind) + " " + std::to_string(effect));
      SimulatedCluster cluster(cluster_of(3, kind));
      cluster.db(1).crash(false);
      ended = cluster.run(Errand::kFailover, 0, effect).ended();
      const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
      if (ended) {
        // What is done is not done again.
        EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
        continue;
      }
      EXPECT_EQ(cluster.writers().size(), 1u) << outcome.text;
      EXPECT_FALSE(cluster.writers().contains(1)) << outcome.text;
    }
  }
}

// It was started closed, as its option file says.
TEST(RunFailoverTest, WhatWasBegunIsRolledBackWhenThePrimaryIsBack) {
  int times = 0;
  for (std::uint32_t effect = 60;; effect += 4) {
    SimulatedCluster cluster(cluster_of(3));
    cluster.db(1).crash(false);
    if (cluster.run(Errand::kFailover, 0, effect).ended() || cluster.db(1).fenced()) break;
    cluster.db(1).start(true);
    cluster.wait(3);
    const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
    EXPECT_EQ(cluster.writers(), Servers{1}) << effect << " " << outcome.text;
    cluster.wait(5);
    EXPECT_TRUE(cluster.follows(2, 1) && cluster.follows(3, 1)) << effect << " " << outcome.text;
    ++times;
  }
  EXPECT_GT(times, 1);
}

TEST(RunFailoverTest, OfTwoManagersOneIsAtWork) {
  History history = cluster_of(3);
  history.managers = 2;
  history.faults = {{FaultKind::kCrash, 3100 * kMillisecond, 300 * kSecond, 0}};
  history.runs = {{Errand::kFailover, 3500 * kMillisecond, 0},
                  {Errand::kFailover, 3501 * kMillisecond, 1}};
  SimulatedCluster cluster(history);
  cluster.wait(60);
  EXPECT_EQ(cluster.writers().size(), 1u);
  // Neither has anything left to do.
  EXPECT_EQ(cluster.run(Errand::kFailover).outcome().end, FailoverEnd::kRefused);
}

TEST(RunFailoverTest, AWitnessOutOfReachForbidsIt) {
  History history = cluster_of(3);
  history.witness = true;
  history.faults = {{FaultKind::kCut, 3100 * kMillisecond, 300 * kSecond, 0,
                     1u << history.host_of_witness() | 1u, 0}};
  SimulatedCluster cluster(history);
  cluster.wait(15);
  EXPECT_EQ(cluster.run(Errand::kFailover).outcome().end, FailoverEnd::kRefused);
  EXPECT_EQ(cluster.writers(), Servers{1});
}

// The operator wants the plan that he has seen, or none.
TEST(RunFailoverTest, AnotherPlanThanThatOfTheHashIsNotCarriedOut) {
  LiveStage stage;
  for (const char* const name : {"db1", "db2", "db3"})
    stage.options.cluster.nodes.push_back({name, name, 3306});
  stage.options.policy.fence = Fence::kNone;
  stage.db(2).id = 2;
  stage.db(3).id = 3;
  stage.kill(1);
  for (const int replica : {2, 3}) stage.set(replica, "Replica_IO_Running", "Connecting");
  const auto run = [&](const std::string& hash) {
    return run_failover(stage.world.env, stage.options, hash, [](const std::string&) {});
  };
  const FailoverOutcome another = run("0123456789abcdef");
  EXPECT_EQ(another.end, FailoverEnd::kRefused);
  EXPECT_NE(another.text.find("0123456789abcdef"), std::string::npos) << another.text;
  EXPECT_TRUE(stage.db(2).read_only);
  EXPECT_EQ(stage.db(2).count("STOP "), 0);
  // So it is where a run was interrupted.
  auto store = RunStore::open(stage.world.files, "/state", "mysql");
  Plan plan{.primary = "db1", .candidate = "db2", .hash = "fedcba9876543210"};
  plan.steps.push_back({1, Action::kMakeWritable, "db2"});
  auto journal = store->journal("1");
  Executor executor(nullptr, *journal, stage.world.clock, stage.world.workers,
                    [](const std::string&) {});
  ASSERT_TRUE(executor.begin(plan));
  stage.db(2).asked.clear();
  const FailoverOutcome interrupted = run("0123456789abcdef");
  EXPECT_EQ(interrupted.end, FailoverEnd::kRefused);
  EXPECT_NE(interrupted.text.find("fedcba9876543210"), std::string::npos) << interrupted.text;
  EXPECT_EQ(stage.db(2).asked.size(), 0u);
}

TEST(PlanNowTest, TellsWhatAFailoverWouldDo) {
  SimulatedCluster cluster(cluster_of(3));
  EXPECT_NE(cluster.run(Errand::kPlan).plan_refusal(), "");
  cluster.db(1).crash(false);
  cluster.wait(2);
  EXPECT_EQ(cluster.run(Errand::kPlan).plan_refusal(), "");
  EXPECT_EQ(cluster.writers(), Servers{});
}

TEST(PlanNowTest, TellsOfARunThatWasInterrupted) {
  SimulatedCluster cluster(cluster_of(3));
  cluster.db(1).crash(false);
  ASSERT_FALSE(cluster.run(Errand::kFailover, 0, 80).ended());
  const Manager& plan = cluster.run(Errand::kPlan);
  EXPECT_EQ(plan.plan_refusal(), "");
  EXPECT_EQ(cluster.changes.count(plan.id()), 0u);
}

TEST(RunSwitchoverTest, ChangesTheRolesAndLosesNothing) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(describe(kind));
    SimulatedCluster cluster(cluster_of(3, kind));
    const FailoverOutcome outcome = cluster.run(Errand::kSwitchover, 3).outcome();
    EXPECT_EQ(outcome.end, FailoverEnd::kDone) << outcome.text;
    EXPECT_EQ(cluster.writers(), Servers{3});
    EXPECT_TRUE(cluster.follows(1, 3));
    EXPECT_TRUE(cluster.follows(2, 3));
    cluster.wait(3);
    EXPECT_EQ(cluster.lacks(3), 0u);
  }
}

TEST(RunSwitchoverTest, IsRefusedToANodeThatIsDown) {
  SimulatedCluster cluster(cluster_of(2));
  cluster.db(2).crash(false);
  const FailoverOutcome outcome = cluster.run(Errand::kSwitchover, 2).outcome();
  EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
  EXPECT_EQ(cluster.writers(), Servers{1});
}

TEST(RunSwitchoverTest, OneThatWasKilledLeavesOneWriter) {
  for (const Kind& kind : {Kind{}, Kind{true, false, false}}) {
    bool ended = false;
    for (std::uint32_t effect = 40; !ended; effect += 19) {
      SCOPED_TRACE(describe(kind) + " " + std::to_string(effect));
      SimulatedCluster cluster(cluster_of(3, kind));
      ended = cluster.run(Errand::kSwitchover, 2, effect).ended();
      const FailoverOutcome outcome = cluster.run(Errand::kSwitchover, 2).outcome();
      EXPECT_EQ(cluster.writers(), Servers{2}) << outcome.text;
      EXPECT_TRUE(cluster.follows(1, 2)) << outcome.text;
      cluster.wait(3);
      EXPECT_EQ(cluster.lacks(2), 0u);
    }
  }
}

class RunRejoinTest : public testing::Test {
 protected:
  // db1 has died and is replaced.
  explicit RunRejoinTest() = default;

  static int replace(SimulatedCluster& cluster) {
    cluster.db(1).crash(false);
    const FailoverOutcome outcome = cluster.run(Errand::kFailover).outcome();
    EXPECT_NE(outcome.end, FailoverEnd::kRefused) << outcome.text;
    cluster.db(1).start(true);
    cluster.wait(5);
    return outcome.successor == "db2" ? 2 : 3;
  }
};

TEST_F(RunRejoinTest, TheOldPrimaryFollowsTheNewOne) {
  for (const Kind& kind : kKinds) {
    if (!kind.semi_sync) continue;  // it has nothing of its own then
    SCOPED_TRACE(describe(kind));
    SimulatedCluster cluster(cluster_of(3, kind));
    const int now = replace(cluster);
    const FailoverOutcome outcome = cluster.run(Errand::kRejoin, 1).outcome();
    EXPECT_EQ(outcome.end, FailoverEnd::kDone) << outcome.text;
    EXPECT_TRUE(cluster.follows(1, now)) << outcome.text;
    EXPECT_EQ(cluster.writers(), Servers{now});
  }
}

TEST_F(RunRejoinTest, OneThatFollowsAlreadyIsLeftAlone) {
  SimulatedCluster cluster(cluster_of(3));
  const Manager& manager = cluster.run(Errand::kRejoin, 2);
  EXPECT_EQ(manager.outcome().end, FailoverEnd::kRefused);
  EXPECT_EQ(cluster.changes.count(manager.id()), 0u);
  EXPECT_TRUE(cluster.follows(2, 1));
  EXPECT_EQ(cluster.writers(), Servers{1});
}

// The primary is cut off with a client and goes on.
TEST_F(RunRejoinTest, OneThatHasWrittenMeanwhileIsClosedAndItsTransactionsAreSaved) {
  for (const Kind& kind : {Kind{false, true, false}, Kind{true, true, false}}) {
    SCOPED_TRACE(describe(kind));
    History history = cluster_of(3, kind);
    history.fence = Fence::kNone;
    history.fence_nature = FenceNature::kNone;
    const std::uint32_t alone = 1u | 1u << history.host_of_client(0);
    history.faults = {{FaultKind::kCut, 3100 * kMillisecond, 40 * kSecond, 0, alone, 0}};
    SimulatedCluster cluster(history);
    cluster.wait(14);
    const FailoverOutcome failover = cluster.run(Errand::kFailover).outcome();
    ASSERT_NE(failover.end, FailoverEnd::kRefused) << failover.text;
    const int now = failover.successor == "db2" ? 2 : 3;
    cluster.wait(40);
    EXPECT_GT(cluster.lacks(now), 0u);
    const FailoverOutcome outcome = cluster.run(Errand::kRejoin, 1).outcome();
    EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
    EXPECT_NE(outcome.text.find("mysql_ha resync db1"), outcome.text.npos) << outcome.text;
    EXPECT_EQ(cluster.writers(), Servers{now});
    EXPECT_FALSE(cluster.follows(1, now));
  }
}

}  // namespace
}  // namespace ha::sim
