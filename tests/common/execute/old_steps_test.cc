// SPDX-License-Identifier: MIT
// Journals of versions that did not name the parts of statements: real ones in tests/data/journals,
// one of them in the shape that 0.1.0 wrote.
#include "common/failover/old_steps.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "common/execute/executor.h"
#include "common/posix_files.h"
#include "common/text.h"
#include "tests/fakes/fake_env.h"

namespace ha {
namespace {

const char* const kJournals[] = {"failover", "failover_semi_sync", "failover_0.1.0", "switchover"};

std::vector<JournalRecord> records_of(const std::string& name) {
  PosixFiles files;
  const auto records =
      Journal::read(files, std::string(HA_TEST_DATA) + "/journals/" + name + ".journal");
  EXPECT_TRUE(records) << name;
  return *records;
}

std::string parts_of(const Statements& statements) {
  std::vector<std::string> words;
  for (const Statement& one : statements) {
    words.emplace_back(part_name(one.part));
    for (const Placeholder placeholder : one.placeholders)
      words.back() += fmt::format("({})", placeholder_name(placeholder));
  }
  return join(words, " ");
}

// What a plan does to servers until one is opened, as its steps go by it.
std::string outline(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    if (step.statements.empty() && step.undo.empty()) continue;
    text += fmt::format("{}{} {}: {}", text.empty() ? "" : "\n", action_name(step.action),
                        step.node, parts_of(step.statements));
    for (const Step& undo : step.undo) text += " | " + parts_of(undo.statements);
  }
  return text;
}

TEST(OldJournalTest, StatementsGetTheirParts) {
  const std::pair<const char*, const char*> cases[] = {
      {"failover",
       "set-delay db2: stop delay(relay) start | stop delay(relay) start\n"
       "stop-receiver db2: stop | start\n"
       "stop-receiver db3: stop | start\n"
       "promote db3: stop forget | point(applied)(repl-password) start\n"
       "make-writable db3: open\n"
       "repoint db2: stop point(binlog-end) start | stop point(applied) start\n"
       "fence db1: close"},
      {"failover_semi_sync",
       "drain db2: semi-sync-off | semi-sync-on\n"
       "promote db2: stop forget semi-sync-off semi-sync-on | point(repl-password) start\n"
       "repoint db3: semi-sync-off stop point start | semi-sync-off stop point semi-sync-on start\n"
       "make-writable db2: open\n"
       "fence db1: close"},
      {"failover_0.1.0",
       "set-delay db2: stop delay start | stop delay start\n"
       "stop-receiver db2: stop | start\n"
       "promote db2: stop forget | point(applied)(repl-password) start\n"
       "make-writable db2: open\n"
       "fence db1: close"},
      {"switchover",
       "block-writers db1: close lock | unlock open\n"
       "promote db2: stop forget | point(applied)(repl-password) start\n"
       "make-writable db2: open\n"
       "repoint db3: stop point(binlog-end) start | stop point(applied) start\n"
       "unblock db1: unlock\n"
       "repoint db1: point(binlog-end)(repl-password) start"}};
  for (const auto& [name, want] : cases) {
    const auto run = read_run(name, records_of(name));
    ASSERT_TRUE(run) << name;
    EXPECT_EQ(run->end, RunEnd::kDone) << name;
    EXPECT_EQ(outline(run->plan), want) << name;
  }
}

TEST(OldJournalTest, AFileToWriteHasItsPathAndContent) {
  const auto run = read_run("1", records_of("failover_0.1.0"));
  ASSERT_TRUE(run);
  const Step& write = run->plan.steps.back();
  EXPECT_EQ(write.action, Action::kWriteFile);
  EXPECT_EQ(write.path, "/etc/pandora/pandora_ha_hosts.conf");
  EXPECT_EQ(write.content, "127.0.0.1");
  EXPECT_EQ(write.other, "");
}

TEST(OldJournalTest, WarningsWereCalledReservations) {
  const auto run = read_run("1", records_of("failover_0.1.0"));
  ASSERT_TRUE(run);
  EXPECT_EQ(join(run->plan.warnings, "|"), "db2 applies with a delay of 2s, which is lifted");
}

TEST(OldJournalTest, WhatIsReadIsWrittenInTheNewFormAndReadAgain) {
  for (const char* const name : kJournals) {
    const auto run = read_run(name, records_of(name));
    ASSERT_TRUE(run) << name;
    const auto again = plan_from_json(plan_to_json(run->plan));
    ASSERT_TRUE(again) << name;
    EXPECT_EQ(again->steps, run->plan.steps) << name;
    EXPECT_EQ(render(*again), render(run->plan)) << name;
  }
}

// Keeps the statements that it was given, and succeeds.
class WritingActions : public Actions {
 public:
  Result<StepResult> perform(const Step& step, const RunFacts&, const Deadline&) override {
    const std::lock_guard guard(mutex_);
    for (const Statement& one : step.statements) parts.insert(one.part);
    return StepResult{};
  }

  std::set<Part> parts;

 private:
  std::mutex mutex_;
};

// True when the journal ends in the middle of a step that changes a server.
bool is_changing(const Run& run) {
  return std::ranges::any_of(run.plan.steps, [&](const Step& step) {
    return !step.statements.empty() && run.state_of(step) == StepState::kBegun;
  });
}

// Where the old version was killed, this one resumes or rolls back.
TEST(OldJournalTest, ARunIsResumedOrRolledBack) {
  FakeWorld world;
  for (const char* const name : kJournals) {
    const auto all = records_of(name);
    for (std::size_t kept = 1; kept < all.size(); ++kept) {
      for (const bool forward : {true, false}) {
        const std::vector<JournalRecord> cut(all.begin(), all.begin() + static_cast<long>(kept));
        const auto before = read_run(name, cut);
        ASSERT_TRUE(before) << name << " " << kept;
        if (!is_changing(*before) || (!forward && before->opened())) continue;
        auto journal = Journal::open(world.files, "/state/run");
        ASSERT_TRUE(journal->rewrite(cut));
        const auto actions = std::make_shared<WritingActions>();
        Executor executor(actions, *journal, world.clock, world.workers, [](const std::string&) {});
        executor.resume(before->plan);
        const RunOutcome outcome = forward ? executor.carry_out(Deadline::after(world.clock, 60))
                                           : executor.roll_back("it is back");
        EXPECT_EQ(outcome.end, forward ? RunEnd::kDone : RunEnd::kUndone) << name << " " << kept;
        EXPECT_EQ(actions->parts.contains(Part::kOpen) && forward,
                  forward && before->state_of_action(Action::kMakeWritable) != StepState::kDone)
            << name << " " << kept;
      }
    }
  }
}

TEST(InferStatementsTest, NamesAndForeignWordsMisleadNothing) {
  const struct {
    Action action;
    const char *sql, *want;
  } cases[] = {
      {Action::kSetDelay, "CHANGE MASTER '_HOST=' TO MASTER_DELAY=0", "delay"},
      {Action::kRestore, "CHANGE MASTER 'x' TO MASTER_HOST='a''{binlog_file}', MASTER_DELAY=5",
       "point"},
      {Action::kRepoint, "CHANGE MASTER TO MASTER_HOST='\\'{relay_file}', F={applied_file}",
       "point(applied)"},
      {Action::kRepoint, "SET GLOBAL gtid_slave_pos=@@GLOBAL.gtid_current_pos", "begin"},
      {Action::kEvents, "ALTER DEFINER=`a`@`%` EVENT `s`.`x ENABLE` DISABLE ON SLAVE",
       "disable-event"},
      {Action::kEvents, "ALTER DEFINER=`a`@`%` EVENT `s`.`DISABLE ON SLAVE` ENABLE",
       "enable-event"},
      {Action::kSemiSync, "SET GLOBAL rpl_semi_sync_source_enabled=ON", "semi-sync-on"},
      {Action::kMakeWritable, "SET GLOBAL read_only=0", "open"},
  };
  for (const auto& c : cases) {
    const auto statements = infer_statements(c.action, {c.sql});
    ASSERT_TRUE(statements) << c.sql;
    EXPECT_EQ(parts_of(*statements), c.want) << c.sql;
    EXPECT_EQ(sql_of(*statements), std::vector<std::string>{c.sql});
  }
  EXPECT_FALSE(infer_statements(Action::kPromote, {"DROP TABLE t"}));
}

}  // namespace
}  // namespace ha
