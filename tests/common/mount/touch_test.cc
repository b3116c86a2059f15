// SPDX-License-Identifier: MIT
#include "common/mount/touch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

namespace fs = std::filesystem;

std::vector<TouchRecord> records_of(const std::string& path, bool write_test) {
  std::vector<TouchRecord> records;
  touch(path, write_test, [&](const TouchRecord& record) { records.push_back(record); });
  return records;
}

TouchRecord last(const std::string& path, bool write_test = false) {
  return records_of(path, write_test).back();
}

std::size_t count_files(const TempDirectory& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory.path("")), {}));
}

std::string host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

TEST(TouchTest, OwnerModeUsageAndEntries) {
  const TempDirectory directory;
  directory.file("a", "");
  directory.file(".b", "");
  chmod(directory.path("").c_str(), 02750);
  const TouchRecord record = last(directory.path(""));
  EXPECT_TRUE(record.finished);
  EXPECT_EQ(record.error, 0);
  EXPECT_TRUE(record.has_owner);
  EXPECT_EQ(record.uid, geteuid());
  EXPECT_EQ(record.gid, getegid());
  EXPECT_EQ(record.mode, 02750u);
  EXPECT_TRUE(record.has_usage);
  EXPECT_GT(record.used_percent, 0);
  EXPECT_LE(record.used_percent, 100);
  EXPECT_EQ(record.entries, 2u);
  EXPECT_GT(record.seconds, 0);
}

TEST(TouchTest, CountsNoMoreEntriesThanItHasTo) {
  const TempDirectory directory;
  for (int i = 0; i < 150; ++i) directory.file(std::to_string(i), "");
  EXPECT_EQ(last(directory.path("")).entries, kMaxEntries);
}

TEST(TouchTest, WhatIsNoDirectory) {
  const TempDirectory directory;
  const TouchRecord missing = last(directory.path("none"), true);
  EXPECT_TRUE(missing.finished);
  EXPECT_EQ(missing.error, ENOENT);
  EXPECT_EQ(missing.step, TouchStep::kOpen);
  EXPECT_FALSE(missing.has_owner);
  EXPECT_EQ(last(directory.file("file", ""), true).error, ENOTDIR);
}

TEST(TouchTest, AFileSystemWithoutBlocks) {
  const TouchRecord record = last("/proc");
  EXPECT_EQ(record.error, 0);
  EXPECT_FALSE(record.has_usage);
  EXPECT_FALSE(record.no_space);
  EXPECT_FALSE(record.no_inode);
}

TEST(TouchTest, NumbersThatCannotBeAreNotBelieved) {
  constexpr double kNone = -1;  // not told
  const struct {
    const char* story;
    long blocks, free, available, inodes, unused;
    double used_percent, inodes_used_percent;
    bool no_space, no_inode;
  } cases[] = {
      {"as always", 1000, 300, 250, 100, 90, 73.684, 10, false, false},
      {"full but for root", 1000, 50, 0, 100, 0, 100, 100, true, true},
      {"CephFS: inodes without limit", 1000, 750, 750, 5079, -1, 25, kNone, false, false},
      {"an older ceph-fuse", 1000, 750, 750, 1038, 0, 25, 100, false, true},
      {"drvfs", 1000, 750, 750, 999, 1000000, 25, kNone, false, false},
      {"no inodes", 1000, 750, 750, 0, 0, 25, kNone, false, false},
      {"inodes unknown", 1000, 750, 750, -1, -1, 25, kNone, false, false},
      {"BSD: the reserve is in use", 1000, 60, -40, 0, 0, 104.444, kNone, true, false},
      {"the reserve is all there was", 1000, 500, -600, 0, 0, 100, kNone, true, false},
      {"more free than there is", 1000, 5000, 5000, 0, 0, kNone, kNone, false, false},
      {"more available than there is", 1000, 750, 1001, 0, 0, kNone, kNone, false, false},
      {"nothing known", -1, -1, -1, -1, -1, kNone, kNone, false, false},
      {"free unknown", 1000, -1, -1, 0, 0, kNone, kNone, false, false},
      {"available unknown", 1000, 750, -1, 0, 0, 25, kNone, false, false},
  };
  for (const auto& c : cases) {
    struct statvfs info = {};
    info.f_blocks = static_cast<fsblkcnt_t>(c.blocks);
    info.f_bfree = static_cast<fsblkcnt_t>(c.free);
    info.f_bavail = static_cast<fsblkcnt_t>(c.available);
    info.f_files = static_cast<fsfilcnt_t>(c.inodes);
    info.f_ffree = info.f_favail = static_cast<fsfilcnt_t>(c.unused);
    TouchRecord record;
    take_usage(info, record);
    EXPECT_NEAR(record.has_usage ? record.used_percent : kNone, c.used_percent, 0.001) << c.story;
    if (record.has_usage) {
      EXPECT_NEAR(record.used_of_all_percent, 0.1 * static_cast<double>(c.blocks - c.free), 0.001)
          << c.story;
    }
    EXPECT_NEAR(record.has_inodes ? record.inodes_used_percent : kNone, c.inodes_used_percent,
                0.001)
        << c.story;
    EXPECT_EQ(record.no_space, c.no_space) << c.story;
    EXPECT_EQ(record.no_inode, c.no_inode) << c.story;
  }
}

TEST(TouchTest, TheWriteTestLeavesNothing) {
  const TempDirectory directory;
  const auto records = records_of(directory.path(""), true);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_FALSE(records[0].finished);
  EXPECT_TRUE(records[0].has_owner);
  EXPECT_TRUE(records[1].finished);
  EXPECT_EQ(records[1].error, 0);
  EXPECT_FALSE(records[1].wrong_data);
  EXPECT_FALSE(records[0].wrote);
  EXPECT_TRUE(records[1].wrote);
  EXPECT_EQ(count_files(directory), 0u);
}

TEST(TouchTest, LeftoversOfDeadProbesOfThisMachineAreRemoved) {
  const TempDirectory directory;
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  siginfo_t info = {};
  waitid(P_PID, static_cast<id_t>(dead), &info, WEXITED | WNOWAIT);  // a zombie is dead too
  const std::string prefix = ".check_share_mount-" + host() + "-";
  directory.file(fmt::format("{}{}-0123456789abcdef", prefix, dead), "");
  directory.file(fmt::format("{}{}-0123456789abcdef", prefix, getpid()), "");
  directory.file(fmt::format(".check_share_mount-other-{}-0123456789abcdef", dead), "");
  directory.file(prefix + "x-0123456789abcdef", "");
  directory.file("mine", "");
  EXPECT_EQ(last(directory.path(""), true).error, 0);
  EXPECT_FALSE(fs::exists(directory.path(fmt::format("{}{}-0123456789abcdef", prefix, dead))));
  EXPECT_EQ(count_files(directory), 4u);
  waitpid(dead, nullptr, 0);
}

// As another user, because root may do everything.
TouchRecord last_as_nobody(const std::string& path, bool write_test) {
  int ends[2];
  TouchRecord record;
  if (pipe(ends) != 0) return record;
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(1);
    record = last(path, write_test);
    _exit(write(ends[1], &record, sizeof record) == sizeof record ? 0 : 1);
  }
  close(ends[1]);
  EXPECT_EQ(read(ends[0], &record, sizeof record), static_cast<ssize_t>(sizeof record));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return record;
}

TEST(TouchTest, WritesNothingWhereAnotherUsersLinkLeads) {
  ASSERT_EQ(geteuid(), 0u) << "needs root";
  const TempDirectory directory;
  fs::create_directory(directory.path("ours"));
  const std::string link = directory.path("link");
  fs::create_directory_symlink(directory.path("ours"), link);
  EXPECT_EQ(last(link, true).error, 0);
  ASSERT_EQ(lchown(link.c_str(), 65534, 65534), 0);
  const TouchRecord record = last(link, true);
  EXPECT_EQ(record.error, ELOOP);
  EXPECT_EQ(record.step, TouchStep::kCreate);
  EXPECT_EQ(last(link, false).error, 0);
}

TEST(TouchTest, WhoMayNotListIsToldTheRest) {
  ASSERT_EQ(geteuid(), 0u) << "needs root";
  const TempDirectory directory;
  chmod(directory.path("").c_str(), 0755);
  fs::create_directory(directory.path("closed"));
  chmod(directory.path("closed").c_str(), 0700);
  const TouchRecord closed = last_as_nobody(directory.path("closed"), true);
  EXPECT_EQ(closed.error, EACCES);
  EXPECT_EQ(closed.step, TouchStep::kList);
  EXPECT_TRUE(closed.has_owner);
  EXPECT_TRUE(closed.has_usage);
  EXPECT_EQ(closed.mode, 0700u);

  fs::create_directory(directory.path("closed/within"));
  const TouchRecord within = last_as_nobody(directory.path("closed/within"), false);
  EXPECT_EQ(within.error, EACCES);
  EXPECT_EQ(within.step, TouchStep::kOpen);
  EXPECT_FALSE(within.has_owner);

  const TouchRecord unwritable = last_as_nobody(directory.path(""), true);
  EXPECT_EQ(unwritable.error, EACCES);
  EXPECT_EQ(unwritable.step, TouchStep::kCreate);
}

}  // namespace
}  // namespace ha
