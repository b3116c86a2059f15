// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <stdlib.h>

#include <deque>
#include <filesystem>
#include <fstream>

#include "common/guard.h"
#include "common/posix_files.h"
#include "tests/fakes/file_size_limit.h"

namespace ha {
namespace {

using End = ProcessOutcome::End;

// Answers by the program's name; programs without an answer succeed.
class FakeProcess : public Process {
 public:
  Result<ProcessOutcome> run(const Command& command, const Deadline&) override {
    const std::string& program = command.argv[0];
    ran.push_back(program);
    auto& queue = answers[program];
    if (queue.empty()) return ProcessOutcome{};
    const Result<ProcessOutcome> answer = queue.front();
    if (queue.size() > 1) queue.pop_front();  // the last answer stays
    return answer;
  }

  void answer(const std::string& program, std::initializer_list<int> codes) {
    answers[program].clear();
    for (int code : codes) answers[program].push_back(ProcessOutcome{End::kExited, code, "", 0});
  }

  std::map<std::string, std::deque<Result<ProcessOutcome>>> answers;
  std::vector<std::string> ran;
};

class FakeClock : public Clock {
 public:
  double now_s() const override { return now; }
  double monotonic_s() const override { return now; }
  bool sleep(double seconds) override {
    now += seconds;
    return !stop;
  }
  void pause(double seconds) override { now += seconds; }
  bool stopping() override { return stop; }

  double now = 1000;
  bool stop = false;
};

GuardStep step(std::string_view text) {
  auto parsed = parse_step(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

class GuardTest : public testing::Test {
 protected:
  GuardTest() {
    char name[] = "/dev/shm/guard-test-XXXXXX";
    directory_ = mkdtemp(name);
    config_.name = "test";
    config_.check = {"check"};
    config_.on_failure = {step("promote"), step("start-nagios"), step("mail")};
    config_.state_directory = directory_;
  }
  ~GuardTest() override { std::filesystem::remove_all(directory_); }

  // Each pass opens the journal anew, as a new process does.
  GuardOutcome pass() {
    process_.ran.clear();
    said_.clear();
    auto journal = Journal::open(files_, directory_ + "/journal");
    EXPECT_TRUE(journal);
    return run_pass(config_, *journal, process_, clock_,
                    [this](const std::string& line) { said_.push_back(line); });
  }

  void use_lock_file() { config_.lock_file = directory_ + "/failover.lock"; }
  bool locked() const { return std::filesystem::exists(config_.lock_file); }

  using Ran = std::vector<std::string>;
  std::string directory_;
  GuardConfig config_;
  FakeProcess process_;
  PosixFiles files_;
  FakeClock clock_;
  std::vector<std::string> said_;
};

TEST_F(GuardTest, AHealthyPassIsSilent) {
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check"}));
  EXPECT_TRUE(said_.empty());
}

TEST_F(GuardTest, AHealthyPassRunsTheHealthySteps) {
  config_.while_healthy = {step("-rsync log"), step("rsync archive"), step("never")};
  process_.answer("rsync", {1});
  EXPECT_EQ(pass(), GuardOutcome::kStepFailed);
  EXPECT_EQ(process_.ran, Ran({"check", "rsync", "rsync"}));
}

TEST_F(GuardTest, AFailureIsOneOnlyAfterAllAttempts) {
  process_.answer("check", {2, 2, 0});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check", "check", "check"}));
  EXPECT_EQ(clock_.now, 1020);

  process_.answer("check", {2});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check", "check", "check", "promote", "start-nagios", "mail"}));
}

TEST_F(GuardTest, TheActionsRunOncePerEpisode) {
  process_.answer("check", {2});
  pass();
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check", "check", "check"}));
}

TEST_F(GuardTest, RecoveryIsUndoneAndArmsTheGuardAgain) {
  config_.on_recovery = {step("demote")};
  process_.answer("check", {2});
  pass();
  process_.answer("check", {0});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check", "demote"}));
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check"}));
  process_.answer("check", {2});
  pass();
  EXPECT_EQ(process_.ran.back(), "mail");
}

TEST_F(GuardTest, TheLockFileSilencesUntilItIsRemoved) {
  use_lock_file();
  process_.answer("check", {2});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_TRUE(locked());
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_TRUE(process_.ran.empty());

  std::filesystem::remove(config_.lock_file);
  process_.answer("check", {0});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  process_.answer("check", {2});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran.back(), "mail");
  EXPECT_TRUE(locked());
}

TEST_F(GuardTest, AFailedStepStopsTheRestAndTheNextPassGoesOnThere) {
  use_lock_file();
  process_.answer("check", {2});
  process_.answer("start-nagios", {1, 0});
  EXPECT_EQ(pass(), GuardOutcome::kStepFailed);
  EXPECT_EQ(process_.ran.back(), "start-nagios");
  EXPECT_FALSE(locked());
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"start-nagios", "mail"}));
  EXPECT_TRUE(locked());
}

TEST_F(GuardTest, AStepThatMayFailDoesNotStopTheRest) {
  config_.on_failure[1] = step("-start-nagios");
  process_.answer("check", {2});
  process_.answer("start-nagios", {1});
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran.back(), "mail");
}

// The journal of a run that was killed after its first step had begun, or had ended.
TEST_F(GuardTest, AKilledRunIsResumedWithoutRepeatingWhatWasFinished) {
  const struct {
    const char* journal;
    Ran want;
  } cases[] = {
      {R"({"event":"failure"})", {"promote", "start-nagios", "mail"}},
      {R"({"event":"failure"}
{"event":"step begins","index":"0","command":"promote"})",
       {"promote", "start-nagios", "mail"}},
      {R"({"event":"failure"}
{"event":"step done","index":"0","command":"promote"}
{"event":"step begins","index":"1","command":"start-nagios"})",
       {"start-nagios", "mail"}},
      {R"({"event":"failure"}
{"event":"step done","index":"0","command":"something else"})",
       {"promote", "start-nagios", "mail"}},
      {R"({"event":"failure"}
{"event":"step done","index":"0","command":"promote"}
{"event":"step done","index":"1","command":"start-nagios"}
{"event":"step done","index":"2","command":"mail"})",
       {}},
  };
  use_lock_file();
  for (const auto& c : cases) {
    std::ofstream(directory_ + "/journal") << c.journal << "\n";
    std::filesystem::remove(config_.lock_file);
    EXPECT_EQ(pass(), GuardOutcome::kDone) << c.journal;
    EXPECT_EQ(process_.ran, c.want) << c.journal;
    EXPECT_TRUE(locked()) << c.journal;
  }
}

TEST_F(GuardTest, ABrokenCheckIsReportedAndNeverAFailure) {
  for (int code : {3, 126, 127}) {
    process_.answer("check", {code});
    EXPECT_EQ(pass(), GuardOutcome::kMisconfigured) << code;
    EXPECT_EQ(process_.ran, Ran({"check"})) << code;
    EXPECT_EQ(said_.size(), 1u) << code;
  }
  process_.answers["check"] = {ProcessOutcome{End::kSignalled, 11, "", 0}};
  EXPECT_EQ(pass(), GuardOutcome::kMisconfigured);
  process_.answers["check"] = {Error{Errc::kMissing, "cannot run check: no such file"}};
  EXPECT_EQ(pass(), GuardOutcome::kMisconfigured);
  EXPECT_EQ(process_.ran, Ran({"check"}));
}

TEST_F(GuardTest, FailOnDecidesWhatFails) {
  const struct {
    const char* fail_on;
    ProcessOutcome outcome;
    GuardVerdict want;
  } cases[] = {
      {"critical,timeout,255", {End::kExited, 2, "", 0}, GuardVerdict::kFailed},
      {"critical,timeout,255", {End::kExited, 255, "", 0}, GuardVerdict::kFailed},
      {"critical,timeout,255", {End::kExited, 1, "", 0}, GuardVerdict::kHealthy},
      {"critical,timeout,255", {End::kTimedOut, 0, "", 0}, GuardVerdict::kFailed},
      {"critical", {End::kTimedOut, 0, "", 0}, GuardVerdict::kHealthy},
      {"Warning, 7", {End::kExited, 1, "", 0}, GuardVerdict::kFailed},
      {"Warning, 7", {End::kExited, 7, "", 0}, GuardVerdict::kFailed},
      {"Warning, 7", {End::kExited, 2, "", 0}, GuardVerdict::kHealthy},
  };
  for (const auto& c : cases) {
    GuardConfig config;
    ASSERT_TRUE(parse_fail_on(c.fail_on, config)) << c.fail_on;
    EXPECT_EQ(judge_check(config, c.outcome), c.want) << c.fail_on << " " << c.outcome.code;
  }
  GuardConfig config;
  for (const char* bad : {"", "unknown", "3", "126", "127", "0", "256", "critical,,1", "x"})
    EXPECT_FALSE(parse_fail_on(bad, config)) << bad;
}

TEST_F(GuardTest, AStopBetweenAttemptsConfirmsNothing) {
  process_.answer("check", {2});
  clock_.stop = true;
  EXPECT_EQ(pass(), GuardOutcome::kDone);
  EXPECT_EQ(process_.ran, Ran({"check"}));
}

TEST_F(GuardTest, NothingIsDoneThatTheJournalCouldNotTell) {
  process_.answer("check", {2});
  const FileSizeLimit full(1);
  EXPECT_EQ(pass(), GuardOutcome::kNotHandled);
  EXPECT_EQ(process_.ran, Ran({"check", "check", "check"}));
}

TEST_F(GuardTest, AStepThatFailsForDaysDoesNotFillTheDisk) {
  use_lock_file();
  process_.answer("check", {2});
  process_.answer("start-nagios", {1});
  for (int i = 0; i < 120; ++i) ASSERT_EQ(pass(), GuardOutcome::kStepFailed);
  EXPECT_LT(std::filesystem::file_size(directory_ + "/journal"), 20000u);
  EXPECT_EQ(process_.ran, Ran({"start-nagios"}));
}

TEST_F(GuardTest, AFailureWithoutActionsIsNotHandled) {
  config_.on_failure.clear();
  process_.answer("check", {2});
  EXPECT_EQ(pass(), GuardOutcome::kNotHandled);
}

TEST_F(GuardTest, ItTellsWhatItDoes) {
  config_.retries = 1;
  process_.answers["check"] = {ProcessOutcome{End::kExited, 2, "HEARTBEAT CRITICAL - dead\n", 0}};
  process_.answer("promote", {1});
  pass();
  EXPECT_EQ(said_, Ran({"attempt 1 of 1: the check exited with 2: HEARTBEAT CRITICAL - dead",
                        "FAILURE confirmed, acting", "step 1: promote: exited with 1"}));
}

}  // namespace
}  // namespace ha
