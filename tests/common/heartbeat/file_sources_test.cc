// SPDX-License-Identifier: MIT
#include "common/heartbeat/file_sources.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

class FileSourcesTest : public testing::Test {
 protected:
  std::string write(const std::string& content) {
    return spec_.file = directory_.file("status.dat", content);
  }

  TempDirectory directory_;
  std::string path_ = directory_.path("status.dat");
  HeartbeatSpec spec_;
};

TEST_F(FileSourcesTest, OnlyTheHeadIsRead) {
  const auto head = read_file_head(write("begin" + std::string(5 << 20, 'x')));
  ASSERT_TRUE(head);
  EXPECT_TRUE(head->exists);
  EXPECT_EQ(head->content.size(), kMaxFileHead);
  EXPECT_TRUE(head->content.starts_with("beginx"));
  EXPECT_NEAR(head->modified_s, SystemClock().now_s(), 60);
}

TEST_F(FileSourcesTest, AFileThatIsNotThereIsAFact) {
  const auto head = read_file_head(path_);
  ASSERT_TRUE(head);
  EXPECT_FALSE(head->exists);
}

TEST_F(FileSourcesTest, WhatIsNoFileIsRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  for (const std::string& path : {path_, directory_.path("."), std::string("/dev/zero")}) {
    const auto head = read_file_head(path);
    ASSERT_FALSE(head) << path;
    EXPECT_EQ(head.error().code, Errc::kUsage);
  }
}

TEST_F(FileSourcesTest, TheEnginesOwnStampCounts) {
  const auto now = static_cast<long long>(SystemClock().now_s());
  for (const char* block : {"programstatus", "program"}) {
    write("info {\n\tcreated=" + std::to_string(now - 20) + "\n\t}\n\n" + block +
          " {\n\tenable_notifications=0\n\tactive_service_checks_enabled=1\n\t}\n\n");
    const auto facts = read_status_dat_heartbeat(spec_);
    ASSERT_TRUE(facts) << facts.error().text;
    EXPECT_NEAR(*facts->age_s, 20, 10);
    EXPECT_EQ(facts->active, false);
    EXPECT_EQ(facts->checks, true);
    EXPECT_EQ(facts->role, "notifications disabled");
  }
}

TEST_F(FileSourcesTest, HalfAStatusFileIsNotUnderstood) {
  for (const char* content :
       {"", "garbage", "info {\n\tcreated=1\n\t}\n", "info {\n\t}\nprogramstatus {\n\t}\n"}) {
    write(content);
    const auto facts = read_status_dat_heartbeat(spec_);
    ASSERT_FALSE(facts) << content;
    EXPECT_EQ(facts.error().code, Errc::kBadData) << content;
  }
}

}  // namespace
}  // namespace ha
