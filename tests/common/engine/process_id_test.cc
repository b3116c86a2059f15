// SPDX-License-Identifier: MIT
#include "common/engine/process_id.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ha {
namespace {

TEST(ProcessIdTest, AProcessRunsUntilItHasEndedAndItsNumberIsNotEnough) {
  ProcessId own = this_process();
  EXPECT_EQ(own, this_process());
  EXPECT_TRUE(is_running(own));
  own.ticks -= 1;
  EXPECT_FALSE(is_running(own)) << "an earlier one of this number";
  own = this_process();
  own.boot = "another";
  EXPECT_FALSE(is_running(own));
  own.boot = "";
  EXPECT_TRUE(is_running(own)) << "where the start of the machine is hidden";
}

TEST(ProcessIdTest, AChildIsTheLaterOneAndAZombieRunsNoMore) {
  int ready[2], end[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(end), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    const ProcessId own = this_process();
    const bool sent = write(ready[1], &own.ticks, sizeof own.ticks) == sizeof own.ticks;
    char byte = 0;
    close(end[1]);
    _exit(sent && read(end[0], &byte, 1) == 0 ? 0 : 1);
  }
  ProcessId child = this_process();
  child.pid = pid;
  ASSERT_EQ(read(ready[0], &child.ticks, sizeof child.ticks), ssize_t{sizeof child.ticks});
  EXPECT_TRUE(is_running(child));
  EXPECT_TRUE(started_after(child, this_process()));
  close(end[1]);
  siginfo_t info = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(is_running(child)) << "it waits to be reaped";
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  for (const int fd : {ready[0], ready[1], end[0]}) close(fd);
}

}  // namespace
}  // namespace ha
