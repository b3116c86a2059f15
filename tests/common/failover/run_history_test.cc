// SPDX-License-Identifier: MIT
#include "common/failover/run_history.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

constexpr Moment kNow{1'800'000'000};

// A run of an hour ago that opened its candidate and is done.
Run change(const char* id, PlanCommand command, const char* primary, const char* candidate) {
  Run run{.id = id,
          .plan = {.command = command, .primary = primary, .candidate = candidate},
          .begun = {kNow.now_s - 3600},
          .last = {kNow.now_s - 3600},
          .end = RunEnd::kDone};
  run.plan.steps = {Step{.number = 1, .action = Action::kMakeWritable, .node = candidate}};
  run.steps = {{1, StepState::kDone}};
  return run;
}

Run failover(const char* id, const char* primary, const char* candidate) {
  return change(id, PlanCommand::kFailover, primary, candidate);
}

Run acknowledged(Run run) {
  run.acknowledged = true;
  return run;
}

Run fenced(Run run) {
  run.facts.fenced = true;
  return run;
}

// One that opened nothing.
Run begun(const char* id, PlanCommand command, const char* primary, const char* candidate) {
  ha::Run run = change(id, command, primary, candidate);
  run.steps.clear();
  run.end = RunEnd::kUnfinished;
  return run;
}

const Error kDamaged{Errc::kBadData, "damaged"};

TEST(RunHistoryTest, TheNewestChangeMadeThePrimary) {
  const Runs runs = {failover("1-1", "db1", "db2"), failover("1-2", "db2", "db3"),
                     begun("1-3", PlanCommand::kSwitchover, "db3", "db1"),
                     change("1-4", PlanCommand::kRejoin, "db3", "db1")};
  const auto history = history_of(runs, kNow);
  EXPECT_EQ(history->primary, "db3");
  EXPECT_EQ(history->binding_primary(), "db3");
  EXPECT_EQ(history->run, "1-2");
  EXPECT_EQ(history->since_s, kNow.now_s - 3600);
  EXPECT_EQ(history->replaced, (std::set<std::string>{"db1", "db2"}));
  EXPECT_EQ(history->last_failover_age_s, 3600);
  EXPECT_EQ(history_of({}, kNow)->primary, "");
}

TEST(RunHistoryTest, WhatIsAcknowledgedBindsNoFailover) {
  const auto history = history_of({acknowledged(failover("1-1", "db1", "db2"))}, kNow);
  EXPECT_EQ(history->primary, "db2");
  EXPECT_EQ(history->binding_primary(), "");
  EXPECT_FALSE(history->last_failover_age_s);
  // An older one does not count instead.
  EXPECT_FALSE(
      history_of({failover("1-1", "db1", "db2"), acknowledged(failover("1-2", "db2", "db3"))}, kNow)
          ->last_failover_age_s);
}

TEST(RunHistoryTest, ASwitchoverLeavesTheFailoverItsAge) {
  const auto history = history_of(
      {failover("1-1", "db1", "db2"), change("1-2", PlanCommand::kSwitchover, "db2", "db3")}, kNow);
  EXPECT_EQ(history->primary, "db3");
  EXPECT_EQ(history->last_failover_age_s, 3600);
}

TEST(RunHistoryTest, AFailoverOfTheFutureHasNoAge) {
  ha::Run run = failover("1-1", "db1", "db2");
  run.begun.now_s = kNow.now_s + 400 * 86400;
  const auto history = history_of({run}, kNow);
  EXPECT_FALSE(history->last_failover_age_s);
  EXPECT_EQ(history->undated_run, "1-1");
}

TEST(RunHistoryTest, AFenceHoldsUntilTheNodeIsBack) {
  const std::map<std::string, double> held = {{"db1", kNow.now_s - 3600}};
  const ha::Run first = fenced(failover("1-1", "db1", "db2"));
  EXPECT_EQ(history_of({first}, kNow)->fenced, held);
  EXPECT_EQ(history_of({first, failover("1-2", "db2", "db3")}, kNow)->fenced, held);
  EXPECT_TRUE(
      history_of({first, begun("1-2", PlanCommand::kRejoin, "db2", "db1")}, kNow)->fenced.empty());
  EXPECT_TRUE(history_of({failover("1-1", "db1", "db2")}, kNow)->fenced.empty());
  ha::Run revoked = failover("1-1", "db1", "db2");
  revoked.plan.evidence = Evidence::kRevocation;
  EXPECT_EQ(history_of({revoked}, kNow)->fenced, held);
  Moment later = kNow;
  later.now_s += 86400;
  later.uptime_s += 86400;
  EXPECT_TRUE(history_of({revoked}, later)->fenced.empty());
}

TEST(RunHistoryTest, AnInterruptedRunCountsUntilALaterOneHasOpened) {
  const ha::Run open = begun("1-1", PlanCommand::kFailover, "db1", "db2");
  EXPECT_EQ((*find_interrupted({open}, kNow))->id, "1-1");
  EXPECT_FALSE(*find_interrupted({acknowledged(open)}, kNow));
  EXPECT_FALSE(*find_interrupted({open, failover("1-2", "db1", "db3")}, kNow));
  ha::Run failed = open;
  failed.end = RunEnd::kFailed;
  failed.failed = failed.last;
  EXPECT_FALSE(*find_interrupted({failed}, kNow));
  failed.failed = Moment{kNow.now_s - 60};
  EXPECT_EQ((*find_interrupted({failed}, kNow))->id, "1-1");
}

TEST(RunHistoryTest, ADamagedJournalIsAnErrorWhereItCounts) {
  EXPECT_FALSE(find_interrupted({kDamaged}, kNow));
  EXPECT_TRUE(find_interrupted({kDamaged, failover("1-2", "db1", "db2")}, kNow));
  EXPECT_FALSE(history_of({kDamaged, failover("1-2", "db1", "db2")}, kNow));
}

}  // namespace
}  // namespace ha
