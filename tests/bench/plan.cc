// SPDX-License-Identifier: MIT
// What deciding costs on 1,000 generated nodes: prints the least time of several runs in ms, one
// line for each world, and judges nothing.

#include "common/failover/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "common/mysql/classify.h"
#include "common/mysql/topology_view.h"
#include "tests/topology_builders.h"

namespace {

using namespace ha;

constexpr int kNodes = 1000, kRuns = 10;

double least_ms(const std::function<void()>& work) {
  double least = 1e9;
  for (int i = 0; i < kRuns; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - begin;
    least = std::min(least, spent.count());
  }
  return least;
}

enum class Shape { kStar, kTree };

struct World {
  const char* name;
  Flavour flavour;
  Shape shape;
  bool primary_lives;
};

// A primary and replicas that all follow it, or in a tree ten each; each a little behind, and one
// of a hundred with a transaction of its own.
Topology generate(const World& world) {
  const Flavour flavour = world.flavour;
  const bool mysql = flavour == Flavour::kMysql;
  std::vector<Node> nodes;
  for (int number = 1; number <= kNodes; ++number) {
    std::string history = mysql ? fmt::format("{}:1-{}", uuid_of(1), 100000 - number)
                                : fmt::format("0-1-{}", 100000 - number);
    if (number % 100 == 0)
      history += mysql ? fmt::format(",{}:1", uuid_of(number)) : fmt::format(",0-{}-7", number);
    const int source = world.shape == Shape::kStar ? 1 : std::max(1, number / 10);
    nodes.push_back(number == 1 ? writer(number, history, flavour)
                                : replica(number, source, history, flavour));
  }
  if (!world.primary_lives) {
    nodes[0] = lost(1);
    for (Node& node : nodes)
      if (node.facts && (*node.facts->channels)[0].source_server_id == 1u)
        (*node.facts->channels)[0].io.state = ThreadState::kConnecting;
  }
  return linked(std::move(nodes));
}

void measure(const World& world) {
  const Topology topology = generate(world);
  Policy policy;
  policy.fence_command = {"fence"};
  policy.repl_user = "repl";
  const double judging = least_ms([&] { (void)classify(topology, 1); });
  const double drawing = least_ms([&] { (void)view_topology(topology); });
  bool possible = false;
  const double planning = least_ms([&] {
    const Context moment;
    possible = (world.primary_lives ? plan_switchover(topology, policy, moment, "db2")
                                    : plan_failover(topology, policy, moment, ""))
                   .possible();
  });
  fmt::print("{:<30}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}  {}\n", world.name, judging, planning,
             judging + planning, drawing, possible ? "" : "no plan");
}

}  // namespace

int main() {
  fmt::print("{:<30}{:>10}{:>10}{:>10}{:>10}\n", fmt::format("{} nodes, ms", kNodes), "classify",
             "plan", "both", "draw");
  for (const World& world :
       {World{"MySQL star", Flavour::kMysql, Shape::kStar, true},
        {"MySQL star, primary dead", Flavour::kMysql, Shape::kStar, false},
        {"MySQL tree, primary dead", Flavour::kMysql, Shape::kTree, false},
        {"MariaDB star", Flavour::kMariadb, Shape::kStar, true},
        {"MariaDB star, primary dead", Flavour::kMariadb, Shape::kStar, false},
        {"MariaDB tree, primary dead", Flavour::kMariadb, Shape::kTree, false}})
    measure(world);
}
