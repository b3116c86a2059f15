// SPDX-License-Identifier: MIT
#include "common/execute/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <set>

#include "common/posix_files.h"
#include "common/text.h"
#include "tests/fakes/deadline_in.h"
#include "tests/fakes/file_size_limit.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// A world in which steps fail on demand.
class FakeActions : public Actions {
 public:
  Result<StepResult> perform(const Step& step, const RunFacts& known,
                             const Deadline& deadline) override {
    const std::lock_guard guard(mutex_);
    const std::string name = std::string(action_name(step.action)) + "(" + step.node + ")";
    did.push_back(name);
    if (at_each) at_each(name);
    known_by[name] = known;
    limit_s[name] = deadline.remaining_s();
    if (fails.contains(name)) return Error{Errc::kUnreachable, "it burns"};
    if (refuses.contains(name)) return Error{Errc::kRefused, "it says no"};
    if (contradicts.contains(name)) return Error{Errc::kChanged, "it is another one"};
    return StepResult{
        "",
        step.action == Action::kRecord ? RunFacts{.binlog = BinlogPosition{"b.1", 4}} : RunFacts{},
        warns.contains(name) ? "it smokes" : ""};
  }

  std::vector<std::string> did;
  std::function<void(const std::string&)> at_each;
  std::map<std::string, RunFacts> known_by;
  std::map<std::string, double> limit_s;
  std::set<std::string> fails, refuses, contradicts, warns;

 private:
  std::mutex mutex_;
};

class FakeClock : public Clock {
 public:
  double now_s() const override { return 1000; }
  double monotonic_s() const override { return 1000; }
  bool sleep(double) override { return true; }
  void pause(double) override {}
  bool stopping() override { return stop; }
  bool stop = false;
};

Step step(int number, Action action, std::string node, const char* undo = nullptr) {
  Step step{number, action, std::move(node)};
  if (undo != nullptr) step.undo.push_back({0, Action::kRestore, undo});
  return step;
}

// Lock, stop, record, promote, open, and a repoint that may fail.
Plan small_plan() {
  Plan plan{.primary = "db1", .candidate = "db2"};
  plan.steps = {step(1, Action::kLock, "db2"),
                step(2, Action::kLock, "db3"),
                step(3, Action::kStopReceiver, "db2", "db2"),
                step(4, Action::kRecord, "db2"),
                step(5, Action::kPromote, "db2", "db2-promoted"),
                step(6, Action::kMakeWritable, "db2"),
                step(7, Action::kRepoint, "db3")};
  plan.steps.back().may_fail = true;
  return plan;
}

class ExecutorTest : public testing::Test {
 protected:
  ExecutorTest()
      : path_(directory_.path("run")), journal_(std::move(*Journal::open(files_, path_))) {}

  Executor executor(Journal& journal) {
    Executor one(actions_, journal, clock_, workers_,
                 [this](const std::string& line) { said_.push_back(line); });
    if (!journal.records().empty()) one.resume(read_run("id", journal.records())->plan);
    return one;
  }

  RunOutcome run(const Plan& plan) {
    Executor one = executor(journal_);
    EXPECT_TRUE(one.begin(plan));
    return one.carry_out(deadline_in(60));
  }

  // What a later process finds.
  ha::Run reread() { return *read_run("id", Journal::open(files_, path_)->records()); }

  std::string did() { return join(actions_->did, " "); }

  TempDirectory directory_;
  PosixFiles files_;
  std::string path_;
  Journal journal_;
  FakeClock clock_;
  ThreadWorkers workers_;
  std::shared_ptr<FakeActions> actions_ = std::make_shared<FakeActions>();
  std::vector<std::string> said_;
};

// Knows how much of the file that it opens is on disk.
class UnsyncedFiles : public PosixFiles {
 public:
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    auto file = PosixFiles::open_append(path);
    if (!file) return file;
    return std::unique_ptr<AppendFile>(std::make_unique<File>(*this, std::move(*file)));
  }
  std::size_t written = 0, on_disk = 0;

 private:
  class File : public AppendFile {
   public:
    File(UnsyncedFiles& all, std::unique_ptr<AppendFile> file)
        : all_(all), file_(std::move(file)) {}
    Result<Done> append(std::string_view content) override {
      all_.on_disk = all_.written += content.size();
      return file_->append(content);
    }
    Result<Done> append_passing(std::string_view content) override {
      all_.written += content.size();
      return file_->append_passing(content);
    }
    Result<Done> truncate(std::uint64_t size) override { return file_->truncate(size); }

   private:
    UnsyncedFiles& all_;
    std::unique_ptr<AppendFile> file_;
  };
};

TEST_F(ExecutorTest, WhatChangesAServerIsOnDiskBefore) {
  UnsyncedFiles files;
  auto journal = Journal::open(files, path_ + "-unsynced");
  std::map<std::string, std::size_t> told;  // by action: so many records are on disk then
  actions_->at_each = [&](const std::string& name) {
    const auto content = files.read(path_ + "-unsynced", kMaxFileSize);
    told[name] = Journal::parse("", content->substr(0, files.on_disk))->size();
  };
  Plan plan = small_plan();
  plan.steps.insert(plan.steps.begin() + 3, step(8, Action::kDrain, "db2"));
  plan.steps[3].statements = {{Part::kSemiSyncOff, "SET GLOBAL x=OFF"}};
  Executor one = executor(*journal);
  ASSERT_TRUE(one.begin(plan));
  EXPECT_EQ(one.carry_out(deadline_in(60)).end, RunEnd::kDone);
  // The plan, and what led to a step and its beginning: with those of the steps before it that
  // leave nothing.
  EXPECT_EQ(told, (std::map<std::string, std::size_t>{{"lock(db2)", 1},
                                                      {"lock(db3)", 1},
                                                      {"stop-receiver(db2)", 6},
                                                      {"drain(db2)", 8},
                                                      {"record(db2)", 8},
                                                      {"promote(db2)", 12},
                                                      {"make-writable(db2)", 14},
                                                      {"repoint(db3)", 16}}));
  EXPECT_EQ(files.on_disk, files.written);
}

TEST_F(ExecutorTest, CarriesOutEveryStepInOrder) {
  const RunOutcome outcome = run(small_plan());
  EXPECT_EQ(outcome.end, RunEnd::kDone);
  EXPECT_EQ(did(),
            "lock(db2) lock(db3) stop-receiver(db2) record(db2) promote(db2) make-writable(db2) "
            "repoint(db3)");
  EXPECT_EQ(reread().end, RunEnd::kDone);
  EXPECT_TRUE(reread().opened());
}

TEST_F(ExecutorTest, WhatAStepFoundIsKnownToTheNextAndToLaterRuns) {
  run(small_plan());
  EXPECT_EQ(actions_->known_by["promote(db2)"].binlog, (BinlogPosition{"b.1", 4}));
  EXPECT_EQ(reread().facts.binlog, (BinlogPosition{"b.1", 4}));
}

TEST_F(ExecutorTest, AFailureBeforeTheOpeningIsRolledBackInReverse) {
  actions_->fails = {"promote(db2)"};
  const RunOutcome outcome = run(small_plan());
  EXPECT_EQ(outcome.end, RunEnd::kUndone);
  EXPECT_EQ(outcome.text, "promote db2: it burns");
  EXPECT_TRUE(did().ends_with("promote(db2) restore(db2-promoted) restore(db2)")) << did();
  EXPECT_FALSE(reread().opened());
  EXPECT_EQ(reread().end, RunEnd::kUndone);
}

TEST_F(ExecutorTest, WhatCannotBeRolledBackIsNamed) {
  actions_->fails = {"promote(db2)", "restore(db2)"};
  const RunOutcome outcome = run(small_plan());
  EXPECT_EQ(outcome.end, RunEnd::kFailed);
  EXPECT_EQ(outcome.text,
            "promote db2: it burns; could not be rolled back: stop-receiver db2: it burns");
}

TEST_F(ExecutorTest, AnUndoThatHangsLeavesTimeForTheOthers) {
  actions_->fails = {"promote(db2)"};
  run(small_plan());
  EXPECT_LE(actions_->limit_s["restore(db2-promoted)"], 5);
  EXPECT_GT(actions_->limit_s["restore(db2)"], 0);
}

TEST_F(ExecutorTest, AfterTheOpeningTheRestIsDoneAllTheSame) {
  actions_->fails = {"repoint(db3)"};
  const RunOutcome outcome = run(small_plan());
  EXPECT_EQ(outcome.end, RunEnd::kWarnings);
  EXPECT_EQ(join(outcome.warnings, "|"), "repoint db3: it burns");
  EXPECT_EQ(outcome.not_repointed, std::set<std::string>{"db3"});
}

TEST_F(ExecutorTest, AnotherStepThatFailedAfterTheOpeningLeavesNoNodeBehind) {
  Plan plan = small_plan();
  plan.steps.back().action = Action::kSemiSync;
  actions_->fails = {"semi-sync(db3)"};
  const RunOutcome outcome = run(plan);
  EXPECT_EQ(join(outcome.warnings, "|"), "semi-sync db3: it burns");
  EXPECT_TRUE(outcome.not_repointed.empty());
}

TEST_F(ExecutorTest, AnOpeningWithoutAnAnswerIsLeftToTheNextRun) {
  actions_->fails = {"make-writable(db2)"};
  EXPECT_EQ(run(small_plan()).end, RunEnd::kUnfinished);
  EXPECT_EQ(reread().end, RunEnd::kUnfinished);
  actions_->fails.clear();
  actions_->did.clear();
  EXPECT_EQ(executor(journal_).carry_out(deadline_in(60)).end, RunEnd::kDone);
  EXPECT_EQ(did(), "make-writable(db2) repoint(db3)");
}

TEST_F(ExecutorTest, AStopOrTheDeadlineLeadBack) {
  clock_.stop = true;
  EXPECT_EQ(run(small_plan()).text, "asked to stop");
  EXPECT_EQ(did(), "");
  clock_.stop = false;
  auto opened = Journal::open(files_, path_ + "2");
  Journal& second = *opened;
  Executor late = executor(second);
  ASSERT_TRUE(late.begin(small_plan()));
  EXPECT_EQ(late.carry_out(deadline_in(0)).text, "the deadline has passed");
}

// A kill leaves a prefix of the journal; whatever it is, the next run ends well: all is done, or,
// as long as nothing was opened, all can be rolled back.
TEST_F(ExecutorTest, EveryPrefixOfTheJournalCanBeFinishedOrRolledBack) {
  run(small_plan());
  const std::vector<JournalRecord> all = journal_.records();
  for (std::size_t kept = 1; kept < all.size(); ++kept) {
    for (const bool forward : {true, false}) {
      auto opened = Journal::open(files_, path_ + "-prefix");
      Journal& journal = *opened;
      ASSERT_TRUE(journal.rewrite({all.begin(), all.begin() + static_cast<long>(kept)}));
      const ha::Run before = *read_run("id", journal.records());
      if (!forward && before.opened()) continue;
      actions_->did.clear();
      Executor later = executor(journal);
      const RunOutcome outcome =
          forward ? later.carry_out(deadline_in(60)) : later.roll_back("it is back");
      EXPECT_EQ(outcome.end, forward ? RunEnd::kDone : RunEnd::kUndone) << kept;
      const bool opens = did().find("make-writable") != std::string::npos;
      const bool promotes = did().find("restore(db2-promoted)") != std::string::npos;
      const StepState opening = before.state_of(before.plan.steps[5]);
      const StepState promotion = before.state_of(before.plan.steps[4]);
      EXPECT_EQ(opens, forward && opening != StepState::kDone) << kept;
      EXPECT_EQ(promotes, !forward && promotion != StepState::kOpen) << kept;
      EXPECT_EQ(did().find("lock") != std::string::npos, forward && !before.opened()) << kept;
    }
  }
}

TEST_F(ExecutorTest, EveryPrefixOfARollBackIsRolledBack) {
  actions_->fails = {"promote(db2)"};
  run(small_plan());
  actions_->fails.clear();
  const std::vector<JournalRecord> all = journal_.records();
  const auto begins = std::ranges::find_if(
      all, [](const JournalRecord& one) { return journal_value(one, "event") == "rolling-back"; });
  ASSERT_NE(begins, all.end());
  for (auto end = begins + 1; end != all.end(); ++end) {
    auto journal = Journal::open(files_, path_ + "-prefix");
    ASSERT_TRUE(journal->rewrite({all.begin(), end}));
    EXPECT_TRUE(read_run("id", journal->records())->rolling_back);
    actions_->did.clear();
    EXPECT_EQ(executor(*journal).roll_back("again").end, RunEnd::kUndone);
    const bool undone = std::any_of(begins, end, [](const JournalRecord& one) {
      return journal_value(one, "event") == "undone" && journal_value(one, "number") == "5";
    });
    EXPECT_EQ(did().find("restore(db2-promoted)") == std::string::npos, undone);
  }
}

TEST_F(ExecutorTest, WhatHasFailedBeforeIsStillAWarning) {
  actions_->fails = {"repoint(db3)"};
  run(small_plan());
  std::vector<JournalRecord> cut = journal_.records();
  cut.pop_back();
  auto journal = Journal::open(files_, path_ + "-cut");
  ASSERT_TRUE(journal->rewrite(std::move(cut)));
  const RunOutcome outcome = executor(*journal).carry_out(deadline_in(60));
  EXPECT_EQ(outcome.end, RunEnd::kWarnings);
  EXPECT_EQ(join(outcome.warnings, "|"), "repoint db3 failed before");
  EXPECT_EQ(outcome.not_repointed, std::set<std::string>{"db3"});
}

TEST_F(ExecutorTest, AWarningOfAStepIsTold) {
  actions_->warns = {"stop-receiver(db2)"};
  const RunOutcome outcome = run(small_plan());
  EXPECT_EQ(outcome.end, RunEnd::kWarnings);
  EXPECT_EQ(join(outcome.warnings, "|"), "it smokes");
  // By a later process, too, which does the rest.
  std::vector<JournalRecord> all = journal_.records();
  const auto opened = std::ranges::find_if(all, [](const JournalRecord& one) {
    return journal_value(one, "event") == "step-begins" && journal_value(one, "number") == "6";
  });
  auto journal = Journal::open(files_, path_ + "-opened");
  ASSERT_TRUE(journal->rewrite({all.begin(), opened}));
  actions_->warns.clear();
  EXPECT_EQ(join(executor(*journal).carry_out(deadline_in(60)).warnings, "|"), "it smokes");
}

TEST_F(ExecutorTest, WhatRemainsOfARunThatWasRolledBackIsNamed) {
  Plan plan = small_plan();
  plan.steps.insert(plan.steps.begin() + 2, step(8, Action::kHook, ""));
  plan.steps[2].argv = {"/bin/hook"};
  plan.steps.insert(plan.steps.begin() + 3, step(9, Action::kDrain, "db2"));
  actions_->fails = {"drain(db2)"};
  const RunOutcome outcome = run(plan);
  EXPECT_EQ(outcome.end, RunEnd::kUndone);
  EXPECT_EQ(join(outcome.remains, "|"), "/bin/hook has run");
  EXPECT_EQ(outcome.stuck, "db2");
}

TEST_F(ExecutorTest, ASiblingThatCannotFollowBeforeTheOpeningIsNamed) {
  Plan plan = small_plan();
  plan.steps.insert(plan.steps.begin() + 5, step(8, Action::kRepoint, "db3", "db3"));
  actions_->fails = {"repoint(db3)"};
  const RunOutcome outcome = run(plan);
  EXPECT_EQ(outcome.end, RunEnd::kUndone);
  EXPECT_EQ(outcome.stuck, "db3");
}

TEST_F(ExecutorTest, OnlyWhatHasChangedContradictsThePlan) {
  Plan plan = small_plan();
  plan.steps.insert(plan.steps.begin() + 5, step(8, Action::kRecheck, "db1"));
  int runs = 0;
  const auto is_contradicted = [&](std::set<std::string> changed, std::set<std::string> refuses,
                                   std::set<std::string> fails) {
    actions_->contradicts = std::move(changed);
    actions_->refuses = std::move(refuses);
    actions_->fails = std::move(fails);
    Journal journal =
        std::move(*Journal::open(files_, directory_.path("run" + std::to_string(++runs))));
    Executor one = executor(journal);
    EXPECT_TRUE(one.begin(plan));
    const RunOutcome outcome = one.carry_out(deadline_in(60));
    EXPECT_EQ(outcome.end, RunEnd::kUndone);
    return outcome.contradicted;
  };
  EXPECT_TRUE(is_contradicted({"record(db2)"}, {}, {}));
  EXPECT_TRUE(is_contradicted({"recheck(db1)"}, {}, {}));
  // The votes are gone, a node is silent.
  EXPECT_FALSE(is_contradicted({}, {"recheck(db1)"}, {}));
  EXPECT_FALSE(is_contradicted({}, {}, {"recheck(db1)"}));
}

TEST_F(ExecutorTest, ARunThatIsTakenUpNeedsItsLocks) {
  EXPECT_TRUE(executor(journal_).begin(small_plan()));
  const auto take = [&](std::set<std::string> refuses, std::set<std::string> fails) {
    actions_->did.clear();
    actions_->refuses = std::move(refuses);
    actions_->fails = std::move(fails);
    return executor(journal_).take_locks(deadline_in(60));
  };
  EXPECT_TRUE(take({}, {}));
  EXPECT_EQ(did(), "lock(db2) lock(db3)");
  const auto refused = take({"lock(db3)"}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kRefused);
  EXPECT_EQ(refused.error().text, "lock db3: it says no");
  // A node that is down is nobody's.
  EXPECT_TRUE(take({}, {"lock(db2)"}));
  EXPECT_EQ(did(), "lock(db2) lock(db3)");
  EXPECT_EQ(reread().steps.size(), 0u);
}

TEST_F(ExecutorTest, TheDeadlineEndsNothingAfterTheOpening) {
  run(small_plan());
  const std::vector<JournalRecord> all = journal_.records();
  const auto opened = std::ranges::find_if(all, [](const JournalRecord& one) {
    return journal_value(one, "event") == "step-begins" && journal_value(one, "number") == "6";
  });
  auto journal = Journal::open(files_, path_ + "-opened");
  ASSERT_TRUE(journal->rewrite({all.begin(), opened + 1}));
  actions_->did.clear();
  EXPECT_EQ(executor(*journal).carry_out(deadline_in(0)).end, RunEnd::kDone);
  EXPECT_EQ(did(), "make-writable(db2) repoint(db3)");
}

TEST_F(ExecutorTest, WhatWasNotOpenedNeedsItsProofAgain) {
  actions_->fails = {"make-writable(db2)"};
  run(small_plan());
  actions_->fails.clear();
  actions_->did.clear();
  ASSERT_TRUE(journal_.append({{"time", "1"}, {"event", "not-opened"}}));
  EXPECT_FALSE(reread().opened());
  EXPECT_EQ(executor(journal_).carry_out(deadline_in(60)).end, RunEnd::kDone);
  EXPECT_TRUE(did().starts_with("lock(db2) lock(db3) ")) << did();
}

TEST_F(ExecutorTest, NothingIsDoneThatTheJournalCannotTellOf) {
  Executor one = executor(journal_);
  ASSERT_TRUE(one.begin(small_plan()));
  const FileSizeLimit full(100);
  EXPECT_NE(one.carry_out(deadline_in(60)).end, RunEnd::kDone);
  EXPECT_EQ(did(), "");
}

TEST(RunTest, APlanSurvivesTheJournal) {
  Plan plan = small_plan();
  plan.steps[4].statements = {{Part::kStop, "STOP REPLICA"},
                              {Part::kPoint, "RESET 'a\"b'", {Placeholder::kReplPassword}}};
  plan.steps[6].path = "/file";
  plan.steps[6].content = "10.0.0.2";
  plan.steps[4].position = {"binlog.000003", 77};
  plan.by_gtid = true;
  plan.channel = "east";
  plan.tls = {true, true, "/ca.pem"};
  plan.retry = {10, {}};
  plan.warnings = {"none"};
  plan.semi_sync = true;
  plan.spare = "db3";
  const auto read = plan_from_json(plan_to_json(plan));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->steps, plan.steps);
  EXPECT_EQ(read->tls, plan.tls);
  EXPECT_EQ(read->retry, plan.retry);
  EXPECT_EQ(read->channel, "east");
  EXPECT_TRUE(read->by_gtid);
  EXPECT_TRUE(read->semi_sync);
  EXPECT_EQ(read->spare, "db3");
  EXPECT_EQ(read->warnings, plan.warnings);
}

TEST(RunTest, ADamagedPlanIsRefused) {
  EXPECT_FALSE(plan_from_json("{}"));
  EXPECT_FALSE(plan_from_json("nonsense"));
  EXPECT_FALSE(read_run("id", {{{"event", "end"}}}));
}

}  // namespace
}  // namespace ha
