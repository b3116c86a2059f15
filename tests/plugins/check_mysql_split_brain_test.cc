// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_split_brain.h"

#include <gtest/gtest.h>

#include "common/report.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

std::string line(const Topology& topology, const SplitBrainLimits& limits = {}) {
  const std::string output = render({"mysql_split_brain"}, evaluate(topology, limits)).output;
  return output.substr(0, output.find('\n'));
}

TEST(CheckMysqlSplitBrainTest, AHealthyClusterIsOneLineAndOnePerNode) {
  const CheckResult result = evaluate(linked({writer(1), replica(2, 1), replica(3, 1)}), {});
  EXPECT_EQ(render({"mysql_split_brain"}, result).output,
            "MYSQL SPLIT BRAIN OK - db1 is the only writer, 2 other nodes without a history of "
            "their own | 'nodes'=3;;;0 'reachable'=3;;;0 'writable'=1;;;0 "
            "'errant_transactions'=0;;;0 'diverged'=0;;;0\n"
            "[OK] db1: writable\n"
            "[OK] db2: read-only, follows db1\n"
            "[OK] db3: read-only, follows db1\n");
}

TEST(CheckMysqlSplitBrainTest, TheWorstFindingComesFirst) {
  EXPECT_EQ(line(linked({writer(1), writer(2), replica(3, 9), lost(4)})),
            "MYSQL SPLIT BRAIN CRITICAL - 2 nodes accept writes: db1, db2; "
            "db3 follows db9:3306, which is none of the nodes; db4 is unreachable: no answer | "
            "'nodes'=4;;;0 'reachable'=3;;;0 'writable'=2;;;0 'errant_transactions'=0;;;0 "
            "'diverged'=0;;;0");
}

TEST(CheckMysqlSplitBrainTest, EachVerdictHasItsState) {
  Node denied = lost(2, Reach::kUnreadable), closed = writer(1);
  closed.facts->read_only = true;
  Node ring = writer(1), second = replica(2, 1);
  ring.facts->channels->push_back(channel_from(2));
  const struct {
    const char* name;
    std::vector<Node> nodes;
    State want;
  } cases[] = {
      {"healthy", {writer(1), replica(2, 1)}, State::kOk},
      {"two writers", {writer(1), writer(2)}, State::kCritical},
      {"no writer", {closed, replica(2, 1)}, State::kCritical},
      {"nobody there", {lost(1), lost(2)}, State::kCritical},
      {"unreachable", {writer(1), lost(2)}, State::kWarning},
      {"hung", {writer(1), lost(2, Reach::kHung)}, State::kWarning},
      {"refuses", {writer(1), lost(2, Reach::kRefuses)}, State::kWarning},
      {"denied", {writer(1), denied}, State::kUnknown},
      {"the writer denied", {lost(1, Reach::kUnreadable), replica(2, 1)}, State::kUnknown},
      {"errant", {writer(1), replica(2, 1, "#1:1-100,#2:1")}, State::kWarning},
      {"foreign source", {writer(1), replica(2, 9)}, State::kWarning},
      {"a ring with one writer", {ring, second}, State::kOk},
  };
  for (const auto& c : cases) EXPECT_EQ(evaluate(linked(c.nodes), {}).state, c.want) << c.name;
}

TEST(CheckMysqlSplitBrainTest, OptionsChangeTheStates) {
  const Topology one_lost = linked({writer(1), lost(2)});
  SplitBrainLimits limits;
  limits.unreachable = State::kCritical;
  EXPECT_EQ(evaluate(one_lost, limits).state, State::kCritical);
  limits.unreachable = State::kOk;
  EXPECT_EQ(evaluate(one_lost, limits).state, State::kOk);
  limits.errant.critical = Range{0, 2};
  EXPECT_EQ(evaluate(linked({writer(1), replica(2, 1, "#1:1-100,#2:1-2")}), limits).state,
            State::kWarning);
  EXPECT_EQ(evaluate(linked({writer(1), replica(2, 1, "#1:1-100,#2:1-3")}), limits).state,
            State::kCritical);
}

TEST(CheckMysqlSplitBrainTest, ANodesLineSaysWhatStopped) {
  Node broken = replica(2, 1);
  (*broken.facts->channels)[0].sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
  const CheckResult result = evaluate(linked({writer(1), broken}), {});
  EXPECT_EQ(result.items[1].text,
            "db2: read-only, follows db1 (SQL thread stopped, error 1062: Duplicate entry)");
}

}  // namespace
}  // namespace ha
