// SPDX-License-Identifier: MIT
#include "common/failover/unread.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/failover/plan.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

Node orphan(int number, int source = 1, std::string_view history = "#1:1-100") {
  Node node = replica(number, source, history);
  (*node.facts->channels)[0].io.state = ThreadState::kConnecting;
  return node;
}

Node closed(Node node) {
  node.facts->read_only = true;
  return node;
}

Node lossless(Node node) {
  node.facts->semi_sync.source_enabled = node.facts->semi_sync.after_sync =
      node.facts->semi_sync.wait_no_replica = true;
  node.facts->semi_sync.timeout_ms = 86'400'000;
  return node;
}

Policy with_fence() {
  Policy policy;
  policy.fence_command = {"/usr/local/sbin/fence"};
  return policy;
}

Policy vouching(const char* node) {
  Policy policy = with_fence();
  policy.assume_replica = {node};
  return policy;
}

Policy ignoring(const char* node) {
  Policy policy = with_fence();
  policy.ignore_fail = {node};
  return policy;
}

Policy limited(bool allow_loss = false) {
  Policy policy = with_fence();
  policy.max_lost_transactions = 0;
  policy.allow_loss = allow_loss;
  return policy;
}

Policy allowing_loss() {
  Policy policy = with_fence();
  policy.allow_loss = true;
  return policy;
}

// What a moment knows when these nodes were the last that were seen, 30 s ago.
Context after(std::vector<Node> nodes) {
  Context context;
  context.memory = remember({}, linked(std::move(nodes)), 1000);
  context.now_s = 1030;
  return context;
}

Context fenced(Context context, const char* node, double when_s) {
  context.runs.fenced[node] = when_s;
  return context;
}

const std::vector<Node> kStar = {writer(1), replica(2, 1), replica(3, 1)};
const std::vector<Node> kChain = {writer(1), replica(2, 1), replica(3, 2)};

struct Case {
  const char* name;
  std::vector<Node> nodes;
  const char* want;       // the candidate, or the refusal's name
  const char* said = "";  // in the reason, or among the warnings
  Context context = {};
  Policy policy = with_fence();
};

std::vector<Case> cases() {
  constexpr Reach kUnreadable = Reach::kUnreadable, kRefuses = Reach::kRefuses,
                  kHung = Reach::kHung, kNotAsked = Reach::kNotAsked;
  return {
      {"silent and never seen",
       {lost(1), orphan(2), lost(3)},
       "unread-node",
       "db3 does not answer (no answer) and was never seen: it may take writes"},
      {"silent and last seen as a replica", {lost(1), orphan(2), lost(3)}, "db2", "", after(kStar)},
      {"hung and last seen as a replica",
       {lost(1), orphan(2), lost(3, kHung)},
       "db2",
       "",
       after(kStar)},
      {"silent and last seen writable",
       {lost(1), orphan(2), lost(3)},
       "unread-node",
       "db3 does not answer (no answer) and was last seen 30s ago accepting writes",
       after({writer(1), replica(2, 1), writer(3)})},
      {"silent and last seen as nobody's replica",
       {lost(1), orphan(2), lost(3)},
       "unread-node",
       "read-only, following no server",
       after({writer(1), replica(2, 1), closed(writer(3))})},
      {"the operator's word", {lost(1), orphan(2), lost(3)}, "db2", "", {}, vouching("db3")},
      {"its failure is ignored", {lost(1), orphan(2), lost(3)}, "db2", "", {}, ignoring("db3")},
      {"its failure is ignored, and it accepted writes",
       {lost(1), orphan(2), lost(3)},
       "unread-node",
       "db3 does not answer (no answer) and was last seen 30s ago accepting writes",
       after({writer(1), replica(2, 1), writer(3)}),
       ignoring("db3")},
      {"a word about another node",
       {lost(1), orphan(2), lost(3), lost(4)},
       "unread-node",
       "run: mysql_ha failover --assume-replica db4",
       {},
       vouching("db3")},
      {"alive, unreadable and never seen",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "unread-node",
       "db3 is alive and cannot be read (no answer) and was never seen"},
      {"read, but not whether it takes writes",
       {lost(1), orphan(2),
        [] {
          Node node = orphan(3);
          node.facts->read_only.reset();
          return node;
        }()},
       "unread-node",
       "db3 does not show whether it takes writes"},
      {"fenced by an earlier failover",
       {lost(1), lost(2), orphan(3, 2)},
       "db3",
       "",
       fenced(after({writer(1), writer(2), replica(3, 2)}), "db1", 1001)},
      {"fenced, and seen since",
       {lost(1), lost(2), orphan(3, 2)},
       "unread-node",
       "db1",
       fenced(after({writer(1), writer(2), replica(3, 2)}), "db1", 999)},
      // The primary of a chain
      {"a dead intermediate under an unreadable primary",
       {lost(1, kRefuses), lost(2), orphan(3, 2)},
       "primary-alive",
       "db1 is alive",
       after(kChain)},
      {"without a memory",
       {lost(1, kRefuses), lost(2), orphan(3, 2)},
       "unread-node",
       "db1 is alive and cannot be read"},
      {"under a silent primary",
       {lost(1), lost(2), orphan(3, 2)},
       "no-candidate",
       "db3 follows db2, which does not answer either. If db1 is fenced, or certainly takes no "
       "writes, run: mysql_ha failover --assume-replica db1",
       after(kChain)},
      {"under a silent primary that takes no writes",
       {lost(1), lost(2), orphan(3, 2)},
       "db3",
       "db1 was the primary when it was last seen and is not fenced",
       after(kChain),
       vouching("db1")},
      {"under a silent primary, without a memory",
       {lost(1), lost(2), orphan(3, 2)},
       "unread-node",
       "db1 does not answer"},
      {"under a primary that answers",
       {writer(1), lost(2), orphan(3, 2)},
       "second-writer",
       "db1",
       {}},
      {"a promotion that others have made",
       {orphan(1, 2), lost(2), orphan(3, 2)},
       "db1",
       "",
       after(kChain)},
      // Who may have more
      {"alive, unreadable and last seen as a replica",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "db2",
       "db3 is alive and cannot be read (no answer): it may have transactions that db2 lacks",
       after(kStar)},
      {"refusing and last seen as a replica",
       {lost(1), orphan(2), lost(3, kRefuses)},
       "db2",
       "db3 is alive",
       after(kStar)},
      {"not asked, by our own fault",
       {lost(1), orphan(2), lost(3, kNotAsked)},
       "db2",
       "db3 could not be asked",
       after(kStar)},
      {"a replica's replica may have more too",
       {lost(1), orphan(2), orphan(3), lost(4, kUnreadable)},
       "db2",
       "db4 is alive",
       after({writer(1), replica(2, 1), replica(3, 1), replica(4, 3)})},
      {"vouched for, but alive",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "db2",
       "db3 is alive",
       {},
       vouching("db3")},
      {"where a loss is limited",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "too-much-loss",
       "To accept the loss instead, run: mysql_ha failover --allow-loss",
       after(kStar),
       limited()},
      {"where a loss is limited and allowed",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "db2",
       "db3 is alive",
       after(kStar),
       limited(true)},
      {"after lossless semi-sync",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "too-much-loss",
       "db1 used lossless semi-sync",
       after({lossless(writer(1)), replica(2, 1), replica(3, 1)})},
      {"after lossless semi-sync, allowed",
       {lost(1), orphan(2), lost(3, kUnreadable)},
       "db2",
       "db3 is alive",
       after({lossless(writer(1)), replica(2, 1), replica(3, 1)}),
       allowing_loss()},
      // Who is the primary
      {"a primary that could not be asked",
       {lost(1, kNotAsked), orphan(2)},
       "unread-node",
       "db1 could not be asked (no answer), so its state is not known"},
      {"no replica tells, but the memory does",
       {lost(1), closed(writer(2))},
       "db2",
       "db2 did not receive from db1 to the end",
       after({writer(1), replica(2, 1)})},
      {"nobody may be read, and the memory tells",
       {lost(1, kUnreadable), lost(2, kUnreadable)},
       "primary-alive",
       "db1 is alive",
       after({writer(1), replica(2, 1)})},
      {"a source that no node is known by",
       {lost(1), orphan(2, 9)},
       "unknown-primary",
       "db2 follows db9:3306, which is none of the nodes. When that is NODE: "
       "node=NODE=HOST[:PORT],alias=db9:3306, or, for once, run: mysql_ha failover --primary NODE"},
  };
}

TEST(UnreadTest, WhatIsNotReadIsNotHarmless) {
  for (const Case& c : cases()) {
    const Plan plan = plan_failover(linked(c.nodes, c.context.memory), c.policy, c.context, "");
    const std::string got =
        plan.possible() ? plan.candidate : std::string(refusal_name(plan.refusal));
    EXPECT_EQ(got, c.want) << c.name << ": " << plan.reason;
    const std::string said = plan.possible() ? join(plan.warnings, "|") : plan.reason;
    EXPECT_NE(said.find(c.said), std::string::npos) << c.name << ": " << said;
    if (plan.possible() && *c.said == '\0') {
      EXPECT_EQ(said, "") << c.name;
    }
  }
}

// The operator's word stands for what no replica tells; the primary still has to be dead.
TEST(UnreadTest, APrimaryThatWasNamed) {
  Policy policy = with_fence();
  policy.primary = "db1";
  const auto plan_for = [&](Node primary) {
    Topology topology = linked({std::move(primary), orphan(2, 9), orphan(3, 9)});
    follow_word(policy.primary, topology);
    const Plan plan = plan_failover(topology, policy, {}, "");
    return plan.possible() ? plan.candidate + " for " + plan.primary
                           : std::string(refusal_name(plan.refusal));
  };
  EXPECT_EQ(plan_for(lost(1)), "db2 for db1");
  EXPECT_EQ(plan_for(lost(1, Reach::kRefuses)), "primary-alive");
  EXPECT_EQ(plan_for(writer(1)), "primary-alive");
}

}  // namespace
}  // namespace ha
