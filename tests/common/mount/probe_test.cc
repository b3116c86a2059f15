// SPDX-License-Identifier: MIT
// What does not hang: tests/live/share_mount_test.py has the rest.
#include "common/mount/probe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/fakes/deadline_in.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

using End = ProbeAnswer::End;

std::vector<ProbeAnswer> probe(const std::vector<ProbeTarget>& targets, const std::string& state,
                               double seconds = 10) {
  return probe_mounts(targets, state, deadline_in(seconds));
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST(ProbeTest, AnswersInTheOrderOfTheTargets) {
  const TempDirectory directory;
  directory.file("one", "");
  const auto answers =
      probe({{7, directory.path("none")}, {8, directory.path("")}, {7, directory.path(""), true}},
            directory.path(""));
  ASSERT_EQ(answers.size(), 3u);
  for (const ProbeAnswer& answer : answers) EXPECT_EQ(answer.end, End::kAnswered);
  EXPECT_EQ(answers[0].record.error, ENOENT);
  EXPECT_GE(answers[1].record.entries, 1u);
  EXPECT_EQ(answers[2].record.error, 0);
  EXPECT_TRUE(std::filesystem::exists(directory.path("share-mount-7.lock")));
  EXPECT_TRUE(std::filesystem::exists(directory.path("share-mount-8.lock")));
}

TEST(ProbeTest, LeavesNoChildAndNoDescriptor) {
  const TempDirectory directory;
  const std::size_t before = open_descriptors();
  std::vector<ProbeTarget> targets;
  for (int i = 0; i < 20; ++i) targets.push_back({i, directory.path("")});
  for (const std::string& state : {directory.path(""), std::string()})
    for (const ProbeAnswer& answer : probe(targets, state)) EXPECT_EQ(answer.end, End::kAnswered);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ProbeTest, AnOlderProbeThatHoldsTheLockIsNotRepeated) {
  const TempDirectory directory;
  const std::string path = directory.file("share-mount-7.lock", "");
  const int lock = open(path.c_str(), O_RDWR);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  const timespec long_ago[] = {{0, UTIME_NOW}, {time(nullptr) - 725, 0}};
  ASSERT_EQ(futimens(lock, long_ago), 0);
  const Deadline end = deadline_in(5);
  const auto answers =
      probe({{7, directory.path("")}, {8, directory.path("")}}, directory.path(""));
  EXPECT_EQ(answers[0].end, End::kOlderHangs);
  EXPECT_NEAR(answers[0].waited_s, 725, 5);
  EXPECT_EQ(answers[1].end, End::kAnswered);
  EXPECT_FALSE(end.passed()) << "is not waited for";
  close(lock);
  EXPECT_EQ(probe({{7, directory.path("")}}, directory.path(""))[0].end, End::kAnswered);
}

TEST(ProbeTest, AYoungProbeOfAnotherRunIsWaitedFor) {
  const TempDirectory directory;
  const std::string path = directory.file("share-mount-7.lock", "");
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t other = fork();
  if (other == 0) {
    const int lock = open(path.c_str(), O_RDWR);
    flock(lock, LOCK_EX);
    futimens(lock, nullptr);
    const bool told = write(ends[1], "x", 1) == 1;
    usleep(300000);
    _exit(told ? 0 : 1);
  }
  char ready;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  EXPECT_EQ(probe({{7, directory.path("")}}, directory.path(""))[0].end, End::kAnswered);
  waitpid(other, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(ProbeTest, WithoutAStateDirectoryAnOlderProbeIsFoundByItsName) {
  const TempDirectory directory;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t older = fork();
  if (older == 0) {
    prctl(PR_SET_NAME, "ha-mount-7");
    close(ends[0]);
    const bool told = write(ends[1], "x", 1) == 1;
    pause();
    _exit(told ? 0 : 1);
  }
  char ready;
  ASSERT_EQ(read(ends[0], &ready, 1), 1);
  const std::vector<ProbeTarget> targets = {{7, directory.path("")}, {77, directory.path("")}};
  for (const std::string& state : {std::string(), directory.path("no/such")}) {
    const auto answers = probe(targets, state, 0.5);
    EXPECT_EQ(answers[0].end, End::kOlderHangs);
    EXPECT_LT(answers[0].waited_s, 30);
    EXPECT_EQ(answers[1].end, End::kAnswered);
  }
  kill(older, SIGKILL);
  waitpid(older, nullptr, 0);
  EXPECT_EQ(probe(targets, "")[0].end, End::kAnswered);
  close(ends[0]);
  close(ends[1]);
}

TEST(ProbeTest, ALinkInPlaceOfTheLockIsNotFollowed) {
  const TempDirectory directory;
  const std::string target = directory.file("target", "precious");
  std::filesystem::create_symlink(target, directory.path("share-mount-7.lock"));
  const auto before = std::filesystem::last_write_time(target);
  EXPECT_EQ(probe({{7, directory.path("")}}, directory.path(""))[0].end, End::kAnswered);
  EXPECT_EQ(std::filesystem::last_write_time(target), before);
}

TEST(ProbeTest, NothingToProbe) { EXPECT_TRUE(probe({}, "").empty()); }

}  // namespace
}  // namespace ha
