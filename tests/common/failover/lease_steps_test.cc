// SPDX-License-Identifier: MIT
#include "common/failover/lease_steps.h"

#include <gtest/gtest.h>

#include "common/failover/plan.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

Policy with_lease() {
  Policy policy;
  policy.lease_s = 5;
  policy.fence_command = {"/usr/local/sbin/fence"};
  policy.repl_user = "repl";
  return policy;
}

Topology without_db1() {
  return linked(
      {lost(1), with(replica(2, 1), {io_connecting}), with(replica(3, 1), {io_connecting})});
}

// The steps from the one that takes the lease to the one that hands it over.
std::string outline(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps) {
    if (step.action == Action::kLease) words.clear();
    words.push_back(fmt::format("{}({})", action_name(step.action), step.node));
    if (step.action == Action::kHandLease) break;
  }
  return join(words, " ");
}

TEST(LeaseStepsTest, ANodeIsOpenedWithTheLeaseAndItsGuardGetsIt) {
  EXPECT_EQ(outline(plan_failover(without_db1(), with_lease(), {}, "db1")),
            "lease(db2) promote(db2) recheck(db1) make-writable(db2) hand-lease(db2)");
  EXPECT_EQ(outline(plan_switchover(linked({writer(1), replica(2, 1)}), with_lease(), {}, "db2")),
            "lease(db2) promote(db2) recheck(db2) make-writable(db2) hand-lease(db2)");
}

TEST(LeaseStepsTest, TheLeaseIsGivenBackBeforeTheOldPrimaryIsOpenedAgain) {
  const Plan plan = plan_switchover(linked({writer(1), replica(2, 1)}), with_lease(), {}, "db2");
  bool blocked = false, leased = false;
  for (const Step& step : plan.steps) {
    blocked |= step.action == Action::kBlockWriters;
    if (step.action != Action::kLease) continue;
    leased = true;
    EXPECT_TRUE(blocked);
    ASSERT_EQ(step.undo.size(), 1U);
    EXPECT_EQ(step.undo[0].action, Action::kLease);
  }
  EXPECT_TRUE(leased);
}

TEST(LeaseStepsTest, ALeaseThatWasSeenToEndIsEvidence) {
  Policy policy = with_lease();
  policy.fence_command.clear();
  Context context;
  EXPECT_EQ(plan_failover(without_db1(), policy, context, "db1").refusal, Refusal::kCannotFence);
  context.primary_lease_expired = "the guard of db1 was not heard for 5s and has lost 2 of 3 votes";
  const Plan plan = plan_failover(without_db1(), policy, context, "db1");
  EXPECT_TRUE(plan.possible()) << plan.reason;
  EXPECT_EQ(plan.evidence_text, "the lease: " + *context.primary_lease_expired);
}

TEST(LeaseStepsTest, WhatALeaseWithoutEvidenceLacks) {
  Policy policy = with_lease();
  policy.fence_command.clear();
  const auto reason = [&](const Context& context) {
    return plan_failover(without_db1(), policy, context, "db1").reason;
  };
  Context broken;
  broken.primary_lease_broken = true;
  for (const auto& [context, words] :
       {std::pair(Context{}, "the lease of db1 was not seen to end"),
        {broken, "the sessions of the guard of db1 have ended before its lease"},
        {Context{.assume_dead = true}, "no guard of db1 has its lease"},
        {Context{.assume_dead = true, .primary_lease_unknown = true},
         "it is not known whether the guard of db1 has its lease"}})
    EXPECT_NE(reason(context).find(words), std::string::npos) << reason(context);
}

TEST(LeaseStepsTest, APrimaryWhoseGuardHasTheLeaseIsNotReplaced) {
  Context context;
  context.primary_lease_held = "its guard has 2 of 3 votes and was heard 1s ago";
  const Plan plan = plan_failover(without_db1(), with_lease(), context, "db1");
  EXPECT_EQ(plan.refusal, Refusal::kPrimaryAlive);
  EXPECT_EQ(plan.reason,
            "db1 still has the lease of the primary: its guard has 2 of 3 votes and was heard 1s "
            "ago");
}

}  // namespace
}  // namespace ha
