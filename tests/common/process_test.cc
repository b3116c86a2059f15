// SPDX-License-Identifier: MIT
#include "common/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "common/posix_process.h"
#include "tests/fakes/deadline_in.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

using End = ProcessOutcome::End;

Result<ProcessOutcome> run(const std::string& script, double seconds = 5) {
  return PosixProcess().run({{"sh", "-c", script}}, deadline_in(seconds));
}

TEST(ProcessTest, BothOutputsAndTheExitCodeComeBack) {
  const auto outcome = run("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kExited);
  EXPECT_EQ(outcome->code, 3);
  EXPECT_EQ(outcome->output, "out\nerr\n");
  EXPECT_EQ(describe(*outcome), "exited with 3");
}

TEST(ProcessTest, ArgumentsReachTheProgramUntouched) {
  const auto outcome = PosixProcess().run({{"printf", "%s", "a b; $(id) `id` *"}}, deadline_in(5));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "a b; $(id) `id` *");
}

TEST(ProcessTest, AMissingProgramIsAnError) {
  const auto outcome = PosixProcess().run({{"/nonexistent/program"}}, deadline_in(5));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::kMissing);
  EXPECT_EQ(outcome.error().text, "cannot run /nonexistent/program: No such file or directory");
}

TEST(ProcessTest, AProgramIsFoundExactlyWhenItCanBeRun) {
  const TempDirectory directory;
  std::filesystem::create_directories(directory.path("first/tool"));
  std::filesystem::create_directory(directory.path("second"));
  const std::string plain = directory.file("first/plain", "#!/bin/true\n");
  for (const char* const name : {"second/tool", "second/plain", "second/other"})
    chmod(directory.file(name, "#!/bin/true\n").c_str(), 0755);
  chmod(directory.file("first/closed", "#!/bin/true\n").c_str(), 0644);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (directory.path("first") + ":" + directory.path("second")).c_str(), 1);
  for (const std::string& name :
       {std::string("tool"), std::string("plain"), std::string("other"), std::string("closed"),
        std::string("missing"), std::string("/bin/true"), std::string("/bin"),
        std::string("/nonexistent/x"), plain}) {
    const auto found = find_program(name);
    const auto outcome = PosixProcess().run({{name}}, deadline_in(5));
    EXPECT_EQ(found.has_value(), outcome.has_value()) << name;
    EXPECT_EQ(found ? "" : found.error().text, outcome ? "" : outcome.error().text);
  }
  EXPECT_EQ(*find_program("tool"), directory.path("second/tool"));
  setenv("PATH", path.c_str(), 1);
}

TEST(ProcessTest, TheDeadlineKillsTheWholeGroup) {
  const auto outcome = run("trap '' TERM; sleep 60 & echo $!; wait", 0.3);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kTimedOut);
  EXPECT_LT(outcome->seconds, 2);
  const pid_t grandchild = std::stoi(outcome->output);
  // Killed with the group: gone, or a zombie until init collects it.
  std::string state = "gone";
  for (int i = 0; i < 200 && state != "Z"; ++i) {
    std::ifstream stat("/proc/" + std::to_string(grandchild) + "/stat");
    std::string pid, name;
    if (!(stat >> pid >> name >> state)) break;
    usleep(5000);
  }
  EXPECT_TRUE(kill(grandchild, 0) != 0 || state == "Z");
}

TEST(ProcessTest, TheProgramThatWatchesMayEndIt) {
  int asked = 0;
  Command command{{"sh", "-c", "sleep 60"}};
  command.may_go_on = [&asked] { return ++asked < 2; };
  const auto outcome = PosixProcess().run(command, deadline_in(30));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kTimedOut);
  EXPECT_EQ(asked, 2);
  EXPECT_LT(outcome->seconds, 10);
}

// Returns true when a process has gone within some seconds.
bool is_gone(int pid) {
  std::string state;
  for (int i = 0; i < 1000; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name;
    if (!(stat >> number >> name >> state) || state == "Z") return true;
    usleep(5000);
  }
  return false;
}

TEST(ProcessTest, WhatIsToEndWithUsDoesHoweverWeEnd) {
  const TempDirectory directory;
  const std::string path = directory.path("pids");
  const pid_t us = fork();
  if (us == 0) {
    Command command{{"sh", "-c", "sleep 60 & echo $$ $! >$0.new; mv $0.new $0; wait", path}};
    command.ends_with_us = true;
    static_cast<void>(PosixProcess().run(command, deadline_in(60)));
    _exit(0);
  }
  int pids[2] = {0, 0};
  for (int i = 0; i < 1000 && pids[1] == 0; ++i) {
    std::ifstream(path) >> pids[0] >> pids[1];
    usleep(5000);
  }
  kill(us, SIGKILL);
  waitpid(us, nullptr, 0);
  for (const int pid : pids) {
    ASSERT_GT(pid, 0);
    EXPECT_TRUE(is_gone(pid));
  }
}

TEST(ProcessTest, WhatIsToEndWithUsMayLeaveADaemonBehind) {
  Command command{{"sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"}};
  command.ends_with_us = true;
  const auto outcome = PosixProcess().run(command, deadline_in(30));
  ASSERT_TRUE(outcome);
  ASSERT_TRUE(outcome->succeeded());
  EXPECT_EQ(kill(std::stoi(outcome->output), SIGKILL), 0);
}

TEST(ProcessTest, WhatIsToEndWithUsEndsAtTheDeadline) {
  Command command{{"sh", "-c", "sleep 60 & echo $!; wait"}};
  command.ends_with_us = true;
  const auto outcome = PosixProcess().run(command, deadline_in(0.3));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kTimedOut);
  EXPECT_TRUE(is_gone(std::stoi(outcome->output)));
}

TEST(ProcessTest, ADaemonThatHoldsTheOutputIsNotWaitedFor) {
  const auto outcome = run("sleep 60 & echo $!");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kExited);
  EXPECT_LT(outcome->seconds, 30);
  EXPECT_EQ(kill(std::stoi(outcome->output), SIGKILL), 0);
}

TEST(ProcessTest, EndlessOutputIsCutAndStillEnds) {
  const auto outcome = run("yes", 0.3);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kTimedOut);
  EXPECT_EQ(outcome->output.size(), kMaxProcessOutput);
}

TEST(ProcessTest, TheChildHasNoOtherDescriptors) {
  const auto outcome = run("ls /proc/self/fd | wc -l");
  ASSERT_TRUE(outcome);
  // Standard input, output, error and the directory that ls reads.
  EXPECT_EQ(outcome->output, "4\n");
}

TEST(ProcessTest, TheChildHasDefaultSignals) {
  signal(SIGPIPE, SIG_IGN);
  const auto outcome = run("kill -PIPE $$; echo survived");
  signal(SIGPIPE, SIG_DFL);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->end, End::kSignalled);
  EXPECT_EQ(outcome->code, SIGPIPE);
}

TEST(ProcessTest, TheEnvironmentIsAddedToOurs) {
  setenv("HA_TEST_OLD", "old", 1);
  const auto outcome = PosixProcess().run({{"sh", "-c", "echo $HA_TEST_OLD $HA_TEST_NEW"},
                                           {{"HA_TEST_OLD", "x"}, {"HA_TEST_NEW", "y"}}},
                                          deadline_in(5));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "x y\n");
}

TEST(SplitCommandTest, WordsAreSplitAsAShellSplitsThem) {
  using Words = std::vector<std::string>;
  const struct {
    const char* text;
    Words want;
  } cases[] = {
      {"a b  c", {"a", "b", "c"}},
      {" /bin/x\t-a \n", {"/bin/x", "-a"}},
      {"'a b' \"c d\"", {"a b", "c d"}},
      {"a'b c'd", {"ab cd"}},
      {"''", {""}},
      {R"(a\ b \"c)", {"a b", "\"c"}},
      {R"("a\"b\n" '\n')", {"a\"b\\n", "\\n"}},
      {"echo $HOME * ~ `id`", {"echo", "$HOME", "*", "~", "`id`"}},
  };
  for (const auto& c : cases) {
    const auto words = split_command(c.text);
    ASSERT_TRUE(words) << c.text;
    EXPECT_EQ(*words, c.want) << c.text;
  }
  for (const char* bad : {"", "  ", "'a", "a \"b"}) EXPECT_FALSE(split_command(bad)) << bad;
}

}  // namespace
}  // namespace ha
