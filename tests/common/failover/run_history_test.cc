// SPDX-License-Identifier: MIT
#include "common/failover/run_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

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

// As many of the newest runs as the reach wants.
Runs newest_of(const Runs& all, HistoryReach reach) {
  Runs newest;
  for (auto run = all.rbegin(); run != all.rend(); ++run) {
    newest.insert(newest.begin(), *run);
    if (!*run || reach.add(**run)) break;
  }
  return newest;
}

Runs random_runs(std::mt19937& random, const std::vector<const char*>& nodes) {
  constexpr PlanCommand kCommands[] = {PlanCommand::kFailover, PlanCommand::kSwitchover,
                                       PlanCommand::kRejoin, PlanCommand::kReopen};
  Runs runs;
  for (auto n = 1 + random() % 30; n > 0; --n) {
    const std::string id = random() % 9 == 0 ? "1" : "1-" + std::to_string(runs.size() + 1);
    const PlanCommand command = kCommands[random() % 4];
    const char* const primary = nodes[random() % nodes.size()];
    const char* const candidate = nodes[random() % nodes.size()];
    ha::Run run = random() % 4 == 0 ? begun(id.c_str(), command, primary, candidate)
                                    : change(id.c_str(), command, primary, candidate);
    run.begun.now_s -= 100.0 * static_cast<double>(n);
    run.facts.fenced = random() % 2 == 0;
    run.acknowledged = random() % 5 == 0;
    runs.emplace_back(std::move(run));
  }
  return runs;
}

// One of a node that is none of the cluster any more may be told of by older runs alone.
std::set<std::string> only(const std::set<std::string>& nodes, std::set<std::string> named) {
  std::erase_if(named, [&](const std::string& one) { return !nodes.contains(one); });
  return named;
}

TEST(RunHistoryTest, TheNewestRunsTellAsMuchAsAll) {
  const std::set<std::string> nodes = {"db1", "db2", "db3"};
  std::mt19937 random(1);
  std::size_t left_out = 0;
  for (int n = 0; n < 5000; ++n) {
    const Runs all = random_runs(random, {"db1", "db2", "db3", "old"});
    const Runs newest = newest_of(all, HistoryReach(nodes));
    left_out += all.size() - newest.size();
    const auto whole = history_of(all, kNow), part = history_of(newest, kNow);
    ASSERT_EQ(part->primary, whole->primary);
    ASSERT_EQ(part->run, whole->run);
    ASSERT_EQ(part->since_s, whole->since_s);
    ASSERT_EQ(part->acknowledged, whole->acknowledged);
    ASSERT_EQ(part->last_failover_age_s, whole->last_failover_age_s);
    ASSERT_EQ(part->undated_run, whole->undated_run);
    ASSERT_EQ(only(nodes, part->replaced), only(nodes, whole->replaced));
    for (const std::string& node : nodes)
      ASSERT_EQ(part->fenced.contains(node) ? part->fenced.at(node) : 0,
                whole->fenced.contains(node) ? whole->fenced.at(node) : 0);
    const auto open = find_interrupted(all, kNow), found = find_interrupted(newest, kNow);
    ASSERT_EQ(*found ? (*found)->id : "", *open ? (*open)->id : "");
  }
  EXPECT_GT(left_out, 10000u);
}

TEST(RunHistoryTest, NothingIsReadBeforeWhatTellsOfAllNodes) {
  const Runs all = {kDamaged, failover("1-2", "db1", "db2"),
                    change("1-3", PlanCommand::kRejoin, "db2", "db1"),
                    failover("1-4", "db2", "db3")};
  EXPECT_EQ(newest_of(all, HistoryReach({"db1", "db2", "db3"})).size(), 3u);
  EXPECT_EQ(newest_of(all, HistoryReach({"db1", "db2", "db3", "db4"})).size(), 4u);
}

}  // namespace
}  // namespace ha
