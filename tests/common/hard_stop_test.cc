// SPDX-License-Identifier: MIT
#include "common/hard_stop.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

struct Ended {
  std::string output;
  int status;
};

// Runs `work` in a child, which exits with 0 unless it is stopped before.
Ended run_in_child(const std::function<void()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return {"no pipe", -1};
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    work();
    _exit(0);
  }
  close(ends[1]);
  Ended ended{"", -1};
  char buffer[256];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    ended.output.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  waitpid(child, &ended.status, 0);
  return ended;
}

TEST(HardStopTest, EndsWhateverHangs) {
  const Deadline end = deadline_in(5);
  const Ended ended = run_in_child([] {
    set_hard_stop(deadline_in(0.02), "first words\n", 1);
    set_hard_stop(deadline_in(0.02), "timed out\n", 2);
    for (;;) pause();
  });
  EXPECT_EQ(ended.output, "timed out\n");
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 2);
  EXPECT_FALSE(end.passed());
}

TEST(HardStopTest, ActsThoughTheDeadlineHasPassedAlready) {
  const Ended ended = run_in_child([] {
    set_hard_stop(deadline_in(-1), "late\n", 3);
    for (;;) pause();
  });
  EXPECT_EQ(ended.output, "late\n");
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 3);
}

TEST(HardStopTest, FollowsANewDeadline) {
  const Ended ended = run_in_child([] {
    set_hard_stop(deadline_in(5), "wrong\n", 1);
    set_hard_stop(deadline_in(0.02), "right\n", 2);
    for (;;) pause();
  });
  EXPECT_EQ(ended.output, "right\n");
}

TEST(DeadlineTest, AClearedHardStopStaysSilent) {
  const Ended ended = run_in_child([] {
    set_hard_stop(deadline_in(0.005), "wrong\n", 2);
    clear_hard_stop();
    usleep(20000);
  });
  EXPECT_EQ(ended.output, "");
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 0);
}

}  // namespace
}  // namespace ha
