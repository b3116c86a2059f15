// SPDX-License-Identifier: MIT
#include "common/merge/direction.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/topology_builders.h"

namespace ha {
namespace {

// db1 was replaced by db2, which db3 follows, and is read-only by now.
Topology split() {
  Topology topology{{writer(1), writer(2), replica(3, 2)}};
  topology.nodes[0].facts->read_only = true;
  link_sources(topology, {});
  return topology;
}

MergeDirection judge(const std::function<void(Topology&)>& spoil, const std::string& from = "db1",
                     const std::string& to = "db2") {
  Topology topology = split();
  spoil(topology);
  link_sources(topology, {});
  return judge_direction(topology, from, to);
}

TEST(DirectionTest, RowsGoFromTheLoserToThePrimary) {
  const auto direction = judge([](Topology&) {});
  EXPECT_EQ(direction.objection, "");
  EXPECT_TRUE(direction.warnings.empty());
}

TEST(DirectionTest, ALoserThatWritesOnIsToldOf) {
  const auto direction = judge([](Topology& t) { t.nodes[0].facts->read_only = false; });
  EXPECT_EQ(direction.objection, "");
  EXPECT_EQ(direction.warnings, std::vector<std::string>{
                                    "db1 accepts writes: rows that are written there meanwhile may "
                                    "be left behind"});
}

TEST(DirectionTest, APairOfWritersShowsNoPrimary) {
  const auto direction = judge([](Topology& t) {
    t.nodes[0].facts->read_only = false;
    t.nodes.pop_back();
  });
  EXPECT_EQ(direction.objection, "");
  ASSERT_EQ(direction.warnings.size(), 2u);
  EXPECT_EQ(direction.warnings[1], "replication does not show whether db1 or db2 is the primary");
}

TEST(DirectionTest, RefusesAnyOther) {
  struct Case {
    std::function<void(Topology&)> spoil;
    const char *from, *to, *want;
  };
  const auto nothing = [](Topology&) {};
  const Case kCases[] = {
      {nothing, "db1", "db9", "no node is called 'db9'"},
      {nothing, "db9", "db2", "no node is called 'db9'"},
      {nothing, "db2", "db2", "--from and --to name the same node"},
      {nothing, "db2", "db1", "db1 is read-only; --to names the node that takes the writes now"},
      {nothing, "db2", "db3",
       "db3 is a replica of db2: db2 is the primary, so rows go to it and not from it; --from db3 "
       "--to db2 is the way"},
      {[](Topology& t) { t.nodes[0].facts->read_only = false; }, "db2", "db1",
       "db3 follows db2: db2 is the primary, so rows go to it and not from it; --from db1 --to db2 "
       "is the way"},
      {[](Topology& t) {
         t.nodes[0].facts.reset();
         t.nodes[0].error = "db1: no answer";
       },
       "db1", "db2", "db1 cannot be read: db1: no answer"},
      {[](Topology& t) { t.nodes[1].facts->server_uuid = t.nodes[0].facts->server_uuid; }, "db1",
       "db2", "db1 and db2 are the same server or have the same server_id"},
      {[](Topology& t) { t.nodes[1].facts->obstacles.reasons = {"innodb_read_only is ON"}; }, "db1",
       "db2", "db2 takes no writes: innodb_read_only is ON"},
      {[](Topology& t) {
         SemiSync& semi = t.nodes[1].facts->semi_sync;
         semi.source_enabled = semi.source_active = true;
         semi.clients = 0;
         semi.wait_count = 1;
         semi.timeout_ms = SemiSync::kLosslessTimeout_ms;
       },
       "db1", "db2",
       "each commit on db2 waits up to 24h 00m for replicas to acknowledge it (semi-sync: 1 "
       "needed, 0 there); start its replicas first"},
  };
  for (const Case& c : kCases) EXPECT_EQ(judge(c.spoil, c.from, c.to).objection, c.want);
}

// A node that was promoted by hand may have kept its channel; the other way would bring the
// primary's rows to the loser.
TEST(DirectionTest, AChannelThatDecidesNothingRecommendsNoDirection) {
  struct Case {
    std::function<void(Topology&)> spoil;
    const char* want;
  };
  const auto keep_channel = [](Topology& t, std::size_t node, int source, ThreadState state) {
    t.nodes[node].facts->channels->push_back(channel_from(source));
    channel(t.nodes[node]).io.state = state;
    t.nodes[node].facts->version.major = 9;
  };
  const Case kCases[] = {
      {[&](Topology& t) { keep_channel(t, 1, 1, ThreadState::kStopped); },
       "db2 still has a channel to db1, so replication does not show which of them is the primary; "
       "if it is db2, run there: STOP REPLICA FOR CHANNEL ''; RESET REPLICA ALL FOR CHANNEL ''"},
      {[&](Topology& t) {
         keep_channel(t, 1, 1, ThreadState::kStopped);
         t.nodes[1].facts->version.flavour = Flavour::kMariadb;
       },
       "db2 still has a channel to db1, so replication does not show which of them is the primary; "
       "if it is db2, run there: STOP SLAVE; RESET SLAVE ALL"},
      {[&](Topology& t) {
         keep_channel(t, 0, 2, ThreadState::kRunning);
         keep_channel(t, 1, 1, ThreadState::kRunning);
       },
       "db2 still has a channel to db1, and db1 one to db2, so replication does not show which of "
       "them is the primary; if it is db2, run there: STOP REPLICA FOR CHANNEL ''; RESET REPLICA "
       "ALL FOR CHANNEL ''"},
      {[&](Topology& t) { keep_channel(t, 1, 1, ThreadState::kRunning); },
       "db2 is a replica of db1: db1 is the primary, so rows go to it and not from it; --from db2 "
       "--to db1 is the way"},
      {[&](Topology& t) {
         keep_channel(t, 1, 1, ThreadState::kStopped);
         t.nodes[1].facts->read_only = true;
       },
       "db2 is a replica of db1: db1 is the primary, so rows go to it and not from it; --from db2 "
       "--to db1 is the way"},
  };
  for (const Case& c : kCases) EXPECT_EQ(judge(c.spoil).objection, c.want);
}

TEST(DirectionTest, ALoserThatFollowsAlreadyIsToldOf) {
  const auto direction = judge([](Topology& t) { t.nodes[0] = replica(1, 2); });
  EXPECT_EQ(direction.objection, "");
  EXPECT_EQ(direction.warnings,
            std::vector<std::string>{"db1 is a replica of db2 already: rows that it has lost by "
                                     "that are not found"});
}

// The loser's replicas are still to be moved to the primary.
TEST(DirectionTest, AReadOnlyLoserMayHaveReplicas) {
  EXPECT_EQ(judge([](Topology& t) { t.nodes[2] = replica(3, 1); }).objection, "");
}

}  // namespace
}  // namespace ha
