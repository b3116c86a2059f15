// SPDX-License-Identifier: MIT
// Random worlds, and random views of them that lack something: whatever is silent, unreadable, old
// or foreign, a plan never opens a node beside another that may take writes, and never says that
// less is lost than is.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/failover/plan.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr double kNow_s = 1'800'000'000, kBefore_s = kNow_s - 60;
constexpr unsigned kUnreached = 2003, kDenied = 1045;

enum class Kind { kMysqlGtid, kMariadbGtid, kMysqlPosition, kMariadbPosition };

// How a node's receiver came to its end.
enum class Receiving { kToTheEnd, kStopped, kRefused };

// What is true of a node. Node 1 is the one that clients write to, as long as it lives; what it
// wrote is numbered from 1 and each node has a prefix of that.
struct True {
  int source = 0;  // number of the node that it follows; 0: none
  bool alive = true;
  bool writable = false;
  int received = 0, applied = 0;
  Receiving receiving = Receiving::kToTheEnd;
  int foreign = 0;        // transactions of a server outside the cluster
  bool detached = false;  // its channels are gone
};

struct World {
  Kind kind = Kind::kMysqlGtid;
  std::vector<True> nodes = {};  // number n at place n - 1
  int written = 100;             // by node 1, in all
};

struct View {
  Topology topology;
  Context context;
};

std::string name_of(std::size_t place) { return fmt::format("db{}", place + 1); }

class PartialViewTest : public testing::Test {
 protected:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  int draw(int first, int last) {
    return first + static_cast<int>(random_() % static_cast<unsigned>(last - first + 1));
  }
  bool gtid(const World& world) const {
    return world.kind == Kind::kMysqlGtid || world.kind == Kind::kMariadbGtid;
  }

  World draw_world() {
    World world;
    world.kind = static_cast<Kind>(draw(0, 3));
    const int count = draw(2, 5);
    for (int number = 1; number <= count; ++number) world.nodes.push_back(draw_node(world, number));
    // In most worlds that are looked at, a node from which others receive has died.
    True& victim = world.nodes[chance(4) ? static_cast<std::size_t>(draw(1, count)) - 1 : 0];
    victim.alive = false;
    return world;
  }

  True draw_node(const World& world, int number) {
    True node;
    node.alive = !chance(8);
    if (number == 1) {
      node.received = node.applied = world.written;
      node.writable = true;
      return node;
    }
    node.source = chance(4) ? draw(1, number - 1) : 1;
    const True& source = world.nodes[static_cast<std::size_t>(node.source) - 1];
    node.receiving = chance(5)   ? Receiving::kStopped
                     : chance(8) ? Receiving::kRefused
                                 : Receiving::kToTheEnd;
    node.received = node.receiving == Receiving::kToTheEnd
                        ? source.applied - (source.alive || chance(2) ? 0 : draw(0, 3))
                        : draw(source.applied / 2, source.applied);
    node.received = std::max(node.received, 0);
    node.applied = chance(3) ? draw(std::min(40, node.received), node.received) : node.received;
    if (chance(8)) node.foreign = draw(1, 20);
    if (chance(10)) {
      node.detached = true;
      node.received = node.applied;
    }
    return node;
  }

  ServerFacts facts_of(const World& world, std::size_t place) {
    const True& truth = world.nodes[place];
    const int number = static_cast<int>(place) + 1;
    const bool maria = world.kind == Kind::kMariadbGtid || world.kind == Kind::kMariadbPosition;
    const Flavour flavour = maria ? Flavour::kMariadb : Flavour::kMysql;
    ServerFacts facts = *writer(number, maria ? "" : "", flavour).facts;
    facts.read_only = !truth.writable;
    set_history(world, truth, facts);
    if (truth.source != 0 && !truth.detached)
      facts.channels->push_back(channel_of(world, truth, flavour));
    if (truth.foreign > 0) {
      ChannelStatus feed = channel_from(9, flavour);
      feed.name = "feed";
      feed.received_gtids = maria ? fmt::format("7-9-{}", truth.foreign)
                                  : gtids(fmt::format("#9:1-{}", truth.foreign)).print();
      facts.channels->push_back(feed);
    }
    return facts;
  }

  static void set_history(const World& world, const True& truth, ServerFacts& facts) {
    if (world.kind == Kind::kMysqlPosition) {
      facts.history = {};
    } else if (world.kind == Kind::kMysqlGtid) {
      std::string executed = truth.applied > 0 ? fmt::format("#1:1-{}", truth.applied) : "";
      if (truth.foreign > 0) executed += fmt::format(",#9:1-{}", truth.foreign);
      MysqlHistory history{gtids(executed)};
      if (truth.received > truth.applied)
        history.retrieved = gtids(fmt::format("#1:{}-{}", truth.applied + 1, truth.received));
      facts.history = history;
    } else {
      MariadbHistory history{facts.server_id, {}};
      if (truth.applied > 0)
        history.binlog_state.add({0, 1, static_cast<std::uint64_t>(truth.applied)});
      if (truth.foreign > 0)
        history.binlog_state.add({7, 9, static_cast<std::uint64_t>(truth.foreign)});
      if (world.kind == Kind::kMariadbGtid && truth.received > 0)
        history.received_position.add({0, 1, static_cast<std::uint64_t>(truth.received)});
      facts.history = history;
    }
  }

  // The receiver's position is told in transactions: of one server's binlog, as if it was db1's.
  ChannelStatus channel_of(const World& world, const True& truth, Flavour flavour) {
    ChannelStatus channel = channel_from(truth.source, flavour);
    channel.uses_gtid = gtid(world);
    channel.read = {"binlog.000001", static_cast<std::uint64_t>(truth.received)};
    channel.executed = {"binlog.000001", static_cast<std::uint64_t>(truth.applied)};
    if (truth.received == truth.applied) channel.applier_idle = true;
    const True& source = world.nodes[static_cast<std::size_t>(truth.source) - 1];
    switch (truth.receiving) {
      case Receiving::kToTheEnd:
        channel.io = source.alive ? ReplicationThread{ThreadState::kRunning}
                                  : ReplicationThread{ThreadState::kConnecting, kUnreached, "no"};
        break;
      case Receiving::kStopped:
        channel.io = {ThreadState::kStopped};
        break;
      case Receiving::kRefused:
        // The first attempt after the source's death has another error.
        channel.io = {ThreadState::kConnecting, source.alive ? kDenied : kUnreached, "no"};
        break;
    }
    return channel;
  }

  View draw_view(const World& world) {
    View view;
    for (std::size_t i = 0; i < world.nodes.size(); ++i) {
      Node node = lost(static_cast<int>(i) + 1, chance(2) ? Reach::kHung : Reach::kUnreachable);
      if (world.nodes[i].alive && chance(8))
        node.reach = chance(2) ? Reach::kRefuses : Reach::kUnreadable;
      else if (world.nodes[i].alive && !chance(8))
        node = {node.name, node.host, node.port, Reach::kAnswers, "", facts_of(world, i)};
      view.topology.nodes.push_back(std::move(node));
    }
    link_sources(view.topology, {});
    view.context.now_s = kNow_s;
    if (!chance(3)) view.context.memory = draw_memory(world);
    return view;
  }

  // Of a moment when everybody lived; `old`: before receivers were stopped or refused.
  Memory draw_memory(const World& world) {
    Memory memory;
    memory.primary = "db1";
    memory.seen_s = kBefore_s;
    const bool old = chance(2);
    for (std::size_t i = 0; i < world.nodes.size(); ++i) {
      if (chance(8)) continue;
      const True& truth = world.nodes[i];
      SeenNode& seen = memory.nodes[name_of(i)];
      seen.seen_s = kBefore_s;
      seen.server_id = static_cast<std::uint32_t>(i) + 1;
      if (world.kind == Kind::kMysqlGtid || world.kind == Kind::kMysqlPosition)
        seen.server_uuid = uuid_of(static_cast<int>(i) + 1);
      seen.read_only = !truth.writable;
      if (truth.source == 0 || (truth.detached && !old)) continue;
      SeenChannel channel{"",
                          fmt::format("db{}", truth.source),
                          fmt::format("db{}:3306", truth.source),
                          {ThreadState::kRunning},
                          kBefore_s,
                          {"binlog.000001", static_cast<std::uint64_t>(truth.received)},
                          gtid(world)};
      if (!old && truth.receiving == Receiving::kStopped) channel.io.state = ThreadState::kStopped;
      if (!old && truth.receiving == Receiving::kRefused)
        channel.io = {ThreadState::kConnecting, kDenied, "denied"};
      if (old) channel.read.offset = std::min<std::uint64_t>(channel.read.offset, 10);
      seen.channels.push_back(channel);
    }
    return memory;
  }

  Policy draw_policy() {
    Policy policy;
    policy.fence_command = {"/usr/local/sbin/fence"};
    if (chance(4)) policy.promotion["db2"] = Promotion::kNever;
    if (chance(4)) policy.max_lost_transactions = static_cast<std::uint64_t>(draw(0, 5));
    if (chance(6)) policy.allow_loss = true;
    return policy;
  }

  std::mt19937 random_{20261129};
};

std::string describe(const World& world) {
  std::string text;
  for (std::size_t i = 0; i < world.nodes.size(); ++i) {
    const True& node = world.nodes[i];
    text += fmt::format("{}{}{}: follows db{}{}, has {} of {}{}{}\n", name_of(i),
                        node.alive ? "" : " (dead)", node.writable ? " (writes)" : "", node.source,
                        node.detached ? " (did)" : "", node.applied, node.received,
                        node.receiving == Receiving::kToTheEnd  ? ""
                        : node.receiving == Receiving::kStopped ? ", was stopped"
                                                                : ", was refused",
                        node.foreign > 0 ? ", has foreign data" : "");
  }
  return text;
}

// What the new primary will have: all that the candidate has received, and what it catches up.
int has_in_the_end(const World& world, const Plan& plan) {
  const auto number = [](const std::string& name) {
    return static_cast<std::size_t>(name[2] - '1');
  };
  int most = world.nodes[number(plan.candidate)].received;
  for (const Step& step : plan.steps)
    if (step.action == Action::kCatchUp)
      most = std::max(most, world.nodes[number(step.other)].received);
  return most;
}

bool mentions(const Plan& plan, const std::string& node) {
  return join(plan.warnings, "|").find(node + " ") != std::string::npos ||
         plan.loss.text.find(node + " ") != std::string::npos;
}

// True when the view shows that a node's receiver had ended before the primary did.
bool shows_its_end(const View& view, std::size_t i) {
  const Node& node = view.topology.nodes[i];
  const SeenNode* const seen = view.context.memory.find(node.name);
  for (const ChannelStatus& channel : node.channels())
    if (channel.name.empty() && channel.io.state == ThreadState::kStopped) return true;
  if (seen != nullptr)
    for (const SeenChannel& channel : seen->channels)
      if (!channel.io.running()) return true;
  return false;
}

TEST_F(PartialViewTest, NoPlanOpensANodeBesideOneThatMayTakeWritesOrHidesALoss) {
  int possible = 0, lossy = 0;
  for (int round = 0; round < 6000; ++round) {
    const World world = draw_world();
    const View view = draw_view(world);
    const Policy policy = draw_policy();
    const Plan plan = plan_failover(view.topology, policy, view.context, "");
    if (!plan.possible()) continue;
    ++possible;
    SCOPED_TRACE(fmt::format("round {}\n{}{}", round, describe(world), render(plan)));
    const auto& nodes = view.topology.nodes;
    const auto place = [&](const std::string& name) {
      return static_cast<std::size_t>(std::ranges::find(nodes, name, &Node::name) - nodes.begin());
    };
    const std::size_t primary = place(plan.primary), candidate = place(plan.candidate);

    // Who may take writes.
    ASSERT_FALSE(nodes[primary].alive());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i == primary) continue;
      EXPECT_FALSE(world.nodes[i].alive && world.nodes[i].writable) << nodes[i].name;
      if (nodes[i].facts) continue;
      const SeenNode* const seen = view.context.memory.find(nodes[i].name);
      EXPECT_TRUE(seen != nullptr && seen->is_replica()) << nodes[i].name << " was never seen";
    }

    // What is lost.
    const int last = has_in_the_end(world, plan);
    const int lost = world.written - last;
    if (lost > 0) ++lossy;
    const LossForecast& said = plan.loss;
    ASSERT_TRUE(said.at_least || !said.transactions ||
                static_cast<int>(*said.transactions) >= lost);
    EXPECT_TRUE(!gtid(world) || static_cast<int>(said.transactions.value_or(0)) <= lost)
        << "at least that is not lost";
    bool to_the_end = false;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i == primary || !nodes[i].facts) continue;
      // It has no more than the node that it follows.
      const std::string above = world.nodes[i].source > 1 && !gtid(world)
                                    ? name_of(static_cast<std::size_t>(world.nodes[i].source) - 1)
                                    : nodes[i].name;
      EXPECT_TRUE(world.nodes[i].received <= last || mentions(plan, nodes[i].name) ||
                  mentions(plan, above))
          << nodes[i].name << " has more";
      if (!shows_its_end(view, i) && !world.nodes[i].detached) to_the_end = true;
    }
    EXPECT_TRUE(to_the_end || said.transactions != 0u) << "it says that nothing is lost";
    EXPECT_TRUE(to_the_end || !plan.warnings.empty());
    EXPECT_TRUE(to_the_end || !policy.max_lost_transactions || policy.allow_loss);

    // Nothing comes in from outside by the way.
    for (const Step& step : plan.steps)
      EXPECT_TRUE(step.action != Action::kCatchUp ||
                  world.nodes[place(step.other)].foreign <= world.nodes[candidate].foreign);
  }
  EXPECT_GT(possible, 500);
  EXPECT_GT(lossy, 100);
}

}  // namespace
}  // namespace ha
