// SPDX-License-Identifier: MIT
#include "common/failover/run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace ha {
namespace {

const Moment kNow = {1000, 100, "a boot"};

std::vector<JournalRecord> begin() {
  Plan plan{.command = PlanCommand::kFailover, .primary = "db1", .candidate = "db2"};
  plan.steps = {{1, Action::kFence, ""},
                {2, Action::kPromote, "db2"},
                {3, Action::kMakeWritable, "db2"},
                {4, Action::kRepoint, "db3"}};
  JournalRecord record = make_record(kNow, "begin");
  record.emplace_back("plan", plan_to_json(plan));
  return {record};
}

JournalRecord of_step(std::string event, int number, const std::string& fact = "") {
  JournalRecord record = make_record(kNow, std::move(event));
  record.emplace_back("number", std::to_string(number));
  if (!fact.empty()) record.emplace_back(fact, "yes");
  return record;
}

JournalRecord end(const std::string& outcome) {
  JournalRecord record = make_record(kNow, "end");
  record.emplace_back("outcome", outcome);
  record.emplace_back("text", "because");
  return record;
}

// All that a later run decides by.
void expect_same(const Run& a, const Run& b, const std::string& where) {
  EXPECT_EQ(a.steps, b.steps) << where;
  EXPECT_EQ(a.facts, b.facts) << where;
  EXPECT_EQ(a.end, b.end) << where;
  EXPECT_EQ(a.text, b.text) << where;
  EXPECT_EQ(a.acknowledged, b.acknowledged) << where;
  EXPECT_EQ(a.rolling_back, b.rolling_back) << where;
  EXPECT_EQ(a.copied_over, b.copied_over) << where;
  EXPECT_EQ(a.last.now_s, b.last.now_s) << where;
  EXPECT_EQ(a.failed.has_value(), b.failed.has_value()) << where;
  if (a.failed && b.failed) {
    EXPECT_EQ(a.failed->now_s, b.failed->now_s) << where;
  }
}

TEST(RunTest, TheFirstResumptionsAreToldInFull) {
  auto records = begin();
  for (int i = 0; i < 2; ++i) {
    records.push_back(make_record(kNow, "resumed"));
    records.push_back(of_step("step-failed", 4));
  }
  EXPECT_EQ(condense(records), records);
}

TEST(RunTest, ResumptionsWithoutEndFillNoJournal) {
  auto records = begin();
  records.push_back(of_step("step-done", 3, "opened"));
  std::size_t most = 0;
  for (int i = 1; i <= 1000; ++i) {
    records.push_back(make_record(kNow, "resumed"));
    records.push_back(of_step("step-begins", 4));
    records.push_back(of_step("step-done", 4, "closed"));
    records.push_back(of_step("step-failed", 4));
    records.push_back(end("failed"));
    records = condense(std::move(records));
    if (i < 10) most = std::max(most, records.size());
    ASSERT_LE(records.size(), most);
  }
  const auto run = read_run("1", records);
  EXPECT_TRUE(run->facts.opened && run->facts.closed);
  EXPECT_EQ(run->state_of(run->plan.steps[3]), StepState::kFailed);
}

// Stories that no executor would write are shortened no differently.
TEST(RunTest, ACondensedStoryIsReadAsTheSameRun) {
  std::mt19937 random(1);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const char* const kStepEvents[] = {"step-begins", "step-done", "step-failed", "undone",
                                     "undo-failed"};
  const char* const kEvents[] = {"resumed", "rolling-back", "not-opened", "copy-begins",
                                 "acknowledged"};
  const char* const kFacts[] = {"", "fenced", "opened", "rescued"};
  const char* const kOutcomes[] = {"undone", "failed", "warnings"};
  for (int story = 0; story < 500; ++story) {
    auto records = begin();
    for (int i = pick(60); i > 0; --i) {
      const int kind = pick(10);
      if (kind < 7)
        records.push_back(of_step(kStepEvents[pick(5)], 1 + pick(4), kFacts[pick(4)]));
      else if (kind < 9)
        // Mostly it is resumed.
        records.push_back(make_record(kNow, kEvents[std::max(0, pick(15) - 10)]));
      else
        records.push_back(end(kOutcomes[pick(3)]));
      records.back()[0].second = std::to_string(1000 + i);
    }
    const auto whole = read_run("1", records), condensed = read_run("1", condense(records));
    ASSERT_TRUE(whole && condensed);
    expect_same(*whole, *condensed, "story " + std::to_string(story));
    EXPECT_EQ(condense(condense(records)), condense(records));
  }
}

TEST(RunTest, ReadsTheWordsOfEarlierVersions) {
  Plan plan{.command = PlanCommand::kFailover, .primary = "db1", .candidate = "db2"};
  plan.warnings = {"db3 needs a resync: it is at another position"};
  JournalRecord first = make_record(kNow, "begin");
  first.emplace_back("plan", plan_to_json(plan));
  std::string& json = first.back().second;
  json.replace(json.find("\"warnings\""), 10, "\"reservations\"");
  const auto done = read_run("1", {first, end("reservations")});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->plan.warnings, plan.warnings);
  EXPECT_EQ(done->end, RunEnd::kWarnings);
  EXPECT_NE(done->timeline.back().find("warnings: because"), std::string::npos);
  EXPECT_TRUE(read_run("1", {first, make_record(kNow, "taking-back")})->rolling_back);
}

TEST(PlanJsonTest, NoForeignWordCommandsATerminalAndNoneIsLost) {
  Plan plan{.primary = "db1", .candidate = "db2"};
  plan.steps = {
      {1, Action::kPromote, "db2", {{Part::kStop, "STOP SLAVE 'x\x1B[2J\n\xC2\x9B\xE2\x80\xAE'"}}}};
  const std::string json = plan_to_json(plan);
  EXPECT_NE(json.find("'x\\u001B[2J\\n\\u009B\\u202E'"), std::string::npos) << json;
  const auto read = plan_from_json(json);
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->steps, plan.steps);
}

TEST(PlanJsonTest, TellsWhichNodesNeedAResync) {
  Plan plan{.primary = "db1", .candidate = "db2"};
  plan.need_resync = {"db3"};
  EXPECT_EQ(plan_from_json(plan_to_json(plan))->need_resync, plan.need_resync);
  // Journals of before tell it in words.
  plan.need_resync = {};
  plan.warnings = {"db4 needs a resync: it has what db2 lacks", "db5 is filtered"};
  EXPECT_EQ(plan_from_json(plan_to_json(plan))->need_resync, std::vector<std::string>{"db4"});
}

TEST(RunTest, KeepsTheWordsOfCommands) {
  for (const char* const word :
       {"nothing", "failover", "switchover", "rejoin", "resync", "close", "reopen"}) {
    const auto command = parse_command(word);
    ASSERT_TRUE(command) << word;
    EXPECT_EQ(command_name(*command), word);
    const std::string json = plan_to_json({.command = *command});
    EXPECT_NE(json.find(fmt::format("\"command\":\"{}\"", word)), json.npos) << json;
    EXPECT_EQ(plan_from_json(json)->command, *command);
  }
  std::string unknown = plan_to_json({});
  unknown.replace(unknown.find("failover"), 8, "take-all");
  EXPECT_FALSE(plan_from_json(unknown));
}

}  // namespace
}  // namespace ha
