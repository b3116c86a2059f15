// SPDX-License-Identifier: MIT
// Worlds drawn at random, of both flavours, with GTIDs and with file and position: whatever they
// are, a plan keeps the order that loses nothing, and promotes no node that must not be promoted.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/failover/old_steps.h"
#include "common/failover/plan.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

enum class Kind { kMysqlGtid, kMariadbGtid, kMysqlPosition, kMariadbPosition };

bool by_gtid(Kind kind) { return kind == Kind::kMysqlGtid || kind == Kind::kMariadbGtid; }

bool is_mysql(Kind kind) { return kind == Kind::kMysqlGtid || kind == Kind::kMysqlPosition; }

// db1 wrote transactions that are numbered from 1, and each replica has received a part from the
// beginning on: by number of the node at place 0.
struct World {
  Kind kind;
  Topology topology;
  std::vector<unsigned> received;
};

class PlanPropertyTest : public testing::TestWithParam<Kind> {
 protected:
  static constexpr unsigned kWritten = 100;

  World draw(bool primary_lives) {
    World world{GetParam(), {}, {kWritten}};
    std::vector<Node> nodes = {primary_lives ? make_primary() : lost(1)};
    const int count = 2 + static_cast<int>(random_() % 5);
    for (int number = 2; number <= count; ++number)
      nodes.push_back(draw_replica(number, primary_lives, world.received));
    world.topology = linked(std::move(nodes));
    return world;
  }

  Node make_primary() {
    Node node = is_mysql(GetParam()) ? writer(1, history(kWritten))
                                     : writer(1, history(kWritten), Flavour::kMariadb);
    if (GetParam() == Kind::kMysqlPosition) node.facts->history = {};
    node.facts->binlog = BinlogPosition{"binlog.000001", kWritten};
    return node;
  }

  std::string history(unsigned number) const {
    return fmt::format("{}{}", is_mysql(GetParam()) ? "#1:1-" : "0-1-", number);
  }

  // `received` gets how much of db1's it has.
  Node draw_replica(int number, bool primary_lives, std::vector<unsigned>& received) {
    const unsigned applied = primary_lives && !chance(4) ? kWritten : between(80, kWritten);
    received.push_back(chance(3) ? between(applied, kWritten) : applied);
    if (chance(primary_lives ? 12 : 6))
      return lost(number, chance(2) ? Reach::kHung : Reach::kUnreachable);
    Node node = is_mysql(GetParam())
                    ? replica(number, 1,
                              history(applied) + (chance(6) ? fmt::format(",#{}:1", number) : ""))
                    : replica(number, 1,
                              history(applied) + (chance(6) ? fmt::format(",1-{}-1", number) : ""),
                              Flavour::kMariadb);
    set_received(node, applied, received.back());
    ChannelStatus& channel = (*node.facts->channels)[0];
    channel.seconds_behind = 0;
    if (!primary_lives) channel.io.state = ThreadState::kConnecting;
    for (const Spoil spoil : kSpoils)
      if (chance(8)) spoil(*node.facts, channel);
    return node;
  }

  void set_received(Node& node, unsigned applied, unsigned received) const {
    ChannelStatus& channel = (*node.facts->channels)[0];
    channel.uses_gtid = by_gtid(GetParam());
    channel.read = {"binlog.000001", received};
    channel.executed = {"binlog.000001", applied};
    if (GetParam() == Kind::kMysqlPosition) node.facts->history = {};
    if (auto* mysql = std::get_if<MysqlHistory>(&node.facts->history); mysql && received > applied)
      mysql->retrieved = gtids(fmt::format("#1:{}-{}", applied + 1, received));
    if (auto* mariadb = std::get_if<MariadbHistory>(&node.facts->history);
        mariadb && by_gtid(GetParam()))
      mariadb->received_position.add({0, 1, received});
  }

  using Spoil = void (*)(ServerFacts&, ChannelStatus&);
  static constexpr Spoil kSpoils[] = {
      [](ServerFacts&, ChannelStatus& channel) { channel.sql.state = ThreadState::kStopped; },
      [](ServerFacts&, ChannelStatus& channel) {
        channel.sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
      },
      [](ServerFacts&, ChannelStatus& channel) { channel.sql_delay_s = 3600; },
      [](ServerFacts&, ChannelStatus& channel) { channel.io.state = ThreadState::kStopped; },
      [](ServerFacts& facts, ChannelStatus&) { facts.log_bin = false; },
      [](ServerFacts& facts, ChannelStatus&) { facts.log_replica_updates = false; },
      [](ServerFacts& facts, ChannelStatus&) {
        facts.semi_sync = {"rpl_semi_sync_source_enabled", true, true};
      },
      [](ServerFacts& facts, ChannelStatus&) {
        facts.read_only = facts.server_id == 2 || facts.server_id == 3;
      },
      [](ServerFacts& facts, ChannelStatus&) { facts.binlog.reset(); }};

  // All of them were seen as replicas of db1.
  static Context remembering_all() {
    const Flavour flavour = is_mysql(GetParam()) ? Flavour::kMysql : Flavour::kMariadb;
    const char* const history = is_mysql(GetParam()) ? "#1:1-10" : "0-1-10";
    std::vector<Node> nodes = {writer(1, history, flavour)};
    for (int number = 2; number <= 6; ++number) {
      nodes.push_back(replica(number, 1, history, flavour));
      (*nodes.back().facts->channels)[0].uses_gtid = by_gtid(GetParam());
    }
    Context context;
    context.memory = remember({}, linked(std::move(nodes)), 1000);
    return context;
  }

  Policy draw_policy() {
    Policy policy;
    policy.repl_user = "repl";
    if (!chance(8)) policy.fence_command = {"/usr/local/sbin/fence"};
    if (chance(3)) policy.promotion["db2"] = chance(2) ? Promotion::kNever : Promotion::kPreferred;
    if (chance(4)) policy.vip = "192.0.2.10";
    return policy;
  }

  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  unsigned between(unsigned first, unsigned last) {
    return first + static_cast<unsigned>(random_() % (last - first + 1));
  }

  std::mt19937 random_{20260101};
};

std::size_t place(const Plan& plan, Action action, const std::string& node) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (plan.steps[i].action == action && plan.steps[i].node == node) return i;
  return plan.steps.size();
}

// Returns the place of the one step that opens the candidate.
std::size_t expect_one_opening(const Plan& plan) {
  const std::size_t opening = place(plan, Action::kMakeWritable, plan.candidate);
  EXPECT_LT(opening, plan.steps.size());
  EXPECT_EQ(std::ranges::count(plan.steps, Action::kMakeWritable, &Step::action), 1);
  EXPECT_LT(place(plan, Action::kPromote, plan.candidate), opening);
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    EXPECT_EQ(plan.steps[i].number, static_cast<int>(i) + 1);
    EXPECT_TRUE(i <= opening || plan.steps[i].may_fail) << "there is no way back any more";
  }
  return opening;
}

// An older version would have written the same statements without their parts.
void expect_inferable(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    EXPECT_EQ(infer_statements(step.action, sql_of(step.statements)), step.statements)
        << action_name(step.action);
    expect_inferable(step.undo);
  }
}

void expect_locks_first(const Plan& plan, const Topology& topology) {
  std::vector<std::string> alive, locked;
  for (const Node& node : topology.nodes)
    if (node.facts) alive.push_back(node.name);
  for (const Step& step : plan.steps)
    if (step.action == Action::kLock) locked.push_back(step.node);
  EXPECT_EQ(locked, alive);
  EXPECT_EQ(plan.steps[locked.size() - 1].action, Action::kLock);
}

// A node that has received more is rejected, or is fetched from, or its lead is told.
void expect_no_hidden_lead(const Plan& plan, const World& world) {
  const auto& nodes = world.topology.nodes;
  const auto chosen = static_cast<std::size_t>(plan.candidate[2] - '1');
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    EXPECT_FALSE(nodes[i].writable());
    if (!nodes[i].facts || world.received[i] <= world.received[chosen]) continue;
    EXPECT_NE(std::ranges::find(plan.rejected, nodes[i].name, &Rejection::node),
              plan.rejected.end());
    const bool fetched = place(plan, Action::kCatchUp, plan.candidate) < plan.steps.size();
    EXPECT_TRUE(fetched || !plan.warnings.empty());
  }
}

TEST_P(PlanPropertyTest, AFailoverPromotesNoNodeThatMustNotBe) {
  int possible = 0;
  Context context = remembering_all();
  for (int round = 0; round < 800; ++round) {
    const World world = draw(chance(4));
    const Policy policy = draw_policy();
    context.assume_dead = world.topology.nodes[0].alive();
    const Plan plan = plan_failover(world.topology, policy, context, "db1");
    if (round % 10 == 0) {
      ASSERT_EQ(render(plan), render(plan_failover(world.topology, policy, context, "db1")));
    }
    if (!plan.possible()) continue;
    ++possible;
    const auto chosen = std::ranges::find(world.topology.nodes, plan.candidate, &Node::name);
    ASSERT_TRUE(chosen->facts) << render(plan);
    EXPECT_EQ(chosen->channels()[0].sql.error_number, 0u);
    EXPECT_TRUE(chosen->facts->log_bin == true);
    EXPECT_TRUE(by_gtid(GetParam()) || chosen->facts->binlog);
    const std::size_t opening = expect_one_opening(plan);
    EXPECT_LT(place(plan, Action::kFence, "db1"), place(plan, Action::kPromote, plan.candidate));
    EXPECT_LT(place(plan, Action::kDrain, plan.candidate),
              place(plan, Action::kPromote, plan.candidate));
    EXPECT_LT(place(plan, Action::kRecheck, "db1"), opening);
    if (!context.assume_dead) expect_locks_first(plan, world.topology);
    expect_no_hidden_lead(plan, world);
    expect_inferable(plan.steps);
    if (HasFailure()) FAIL() << "round " << round << "\n" << render(plan);
  }
  EXPECT_GT(possible, 200);
}

TEST_P(PlanPropertyTest, ASwitchoverLosesNothing) {
  int possible = 0;
  const Context context = remembering_all();
  for (int round = 0; round < 500; ++round) {
    const World world = draw(true);
    const Plan plan = plan_switchover(world.topology, draw_policy(), context, "");
    if (!plan.possible()) continue;
    ++possible;
    const auto chosen = std::ranges::find(world.topology.nodes, plan.candidate, &Node::name);
    ASSERT_TRUE(chosen->facts && chosen->channels().size() == 1) << render(plan);
    EXPECT_TRUE(chosen->channels()[0].io.running() && chosen->channels()[0].sql.running());
    const std::size_t opening = expect_one_opening(plan);
    const std::size_t closing = place(plan, Action::kBlockWriters, "db1");
    ASSERT_LT(closing, opening) << render(plan);
    EXPECT_FALSE(plan.steps[closing].undo.empty());
    const std::size_t equal = place(plan, Action::kWaitEqual, plan.candidate);
    EXPECT_LT(closing, equal);
    EXPECT_LT(equal, place(plan, Action::kPromote, plan.candidate));
    EXPECT_LT(opening, place(plan, Action::kUnblock, "db1"));
    EXPECT_LT(place(plan, Action::kUnblock, "db1"), place(plan, Action::kRepoint, "db1"));
    EXPECT_LT(place(plan, Action::kRepoint, "db1"), plan.steps.size());
    EXPECT_TRUE(plan.loss.transactions == 0u && !plan.loss.at_least);
    for (const Node& other : world.topology.nodes)
      EXPECT_TRUE(other.name == "db1" || !other.writable());
    expect_locks_first(plan, world.topology);
    expect_inferable(plan.steps);
    if (HasFailure()) FAIL() << "round " << round << "\n" << render(plan);
  }
  EXPECT_GT(possible, 100);
}

std::string name_kind(const testing::TestParamInfo<Kind>& kind) {
  constexpr const char* kNames[] = {"MysqlGtid", "MariadbGtid", "MysqlPosition", "MariadbPosition"};
  return kNames[static_cast<int>(kind.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, PlanPropertyTest,
                         testing::Values(Kind::kMysqlGtid, Kind::kMariadbGtid, Kind::kMysqlPosition,
                                         Kind::kMariadbPosition),
                         name_kind);

}  // namespace
}  // namespace ha
