// SPDX-License-Identifier: MIT
#include "common/engine/status_dat.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace ha {
namespace {

constexpr std::string_view kNagios4 =
    "########################################\n"
    "#          NAGIOS STATUS FILE\n"
    "########################################\n\n"
    "info {\n\tcreated=1714557600\n\tversion=4.4.6\n\tlast_update_check=0\n\t}\n\n"
    "programstatus {\n\tmodified_host_attributes=0\n\tnagios_pid=2143\n\tdaemon_mode=1\n"
    "\tprogram_start=1714550000\n\tenable_notifications=0\n\tactive_service_checks_enabled=1\n"
    "\tpassive_service_checks_enabled=1\n\tactive_host_checks_enabled=0\n\t}\n\n"
    "hoststatus {\n\thost_name=a\n\tenable_notifications=1\n\t}\n";

TEST(StatusDatTest, TheHeadOfNagios4IsRead) {
  const StatusDat status = parse_status_dat(kNagios4);
  EXPECT_TRUE(status.complete);
  EXPECT_EQ(status.created, 1714557600);
  EXPECT_EQ(status.program_start, 1714550000);
  EXPECT_EQ(status.pid, 2143);
  EXPECT_EQ(status.version, "4.4.6");
  EXPECT_EQ(status.flags, (EngineFlags{false, true, false}));
}

TEST(StatusDatTest, Nagios2CallsTheBlockProgram) {
  const StatusDat status = parse_status_dat(
      "info {\n\tcreated=10\n\tversion=2.12\n\t}\n\nprogram {\n\tnagios_pid=7\n"
      "\tenable_notifications=1\n\tactive_service_checks_enabled=0\n"
      "\tactive_host_checks_enabled=1\n\t}\n");
  EXPECT_TRUE(status.complete);
  EXPECT_EQ(status.pid, 7);
  EXPECT_EQ(status.flags, (EngineFlags{true, false, true}));
}

TEST(StatusDatTest, AFileCutAnywhereIsIncompleteAndNeverWrong) {
  const StatusDat whole = parse_status_dat(kNagios4);
  const std::size_t end = kNagios4.find("\t}\n\nhoststatus") + 3;
  for (std::size_t size = 0; size < end; ++size) {
    const StatusDat cut = parse_status_dat(kNagios4.substr(0, size));
    EXPECT_FALSE(cut.complete) << size;
    EXPECT_TRUE(!cut.created || cut.created == whole.created) << size;
    EXPECT_TRUE(!cut.pid || cut.pid == whole.pid) << size;
    EXPECT_TRUE(!cut.flags.notifications || cut.flags.notifications == false) << size;
  }
  EXPECT_TRUE(parse_status_dat(kNagios4.substr(0, end)).complete);
}

TEST(StatusDatTest, ValuesThatAreNotWhatTheyShouldBeAreUnset) {
  const StatusDat status = parse_status_dat(
      "info {\ncreated=yesterday\n}\nprogramstatus {\nnagios_pid=-1\nenable_notifications=2\n"
      "active_service_checks_enabled=\nactive_host_checks_enabled=1 \n}\n");
  EXPECT_TRUE(status.complete);
  EXPECT_FALSE(status.created);
  EXPECT_FALSE(status.pid);
  EXPECT_EQ(status.flags, (EngineFlags{{}, {}, true}));
}

TEST(StatusDatTest, OtherTextHasNothingInIt) {
  for (const std::string_view text : {"", "\n\n", "created=5\n", "hoststatus {\ncreated=5\n}\n",
                                      "[1714557600] PROGRAM;1;2;3\n"}) {
    const StatusDat status = parse_status_dat(text);
    EXPECT_FALSE(status.complete) << text;
    EXPECT_FALSE(status.created) << text;
  }
}

class StatusDatFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override {
    unlink(path().c_str());
    rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/status.dat"; }
  void write(std::string_view text) const { std::ofstream(path()) << text; }

 private:
  std::string directory_ = testing::TempDir() + "status.XXXXXX";
};

TEST_F(StatusDatFileTest, AReplacedFileHasAnotherVersion) {
  write(kNagios4);
  const auto first = read_status_dat(path());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->version, read_status_dat(path())->version);
  std::ofstream(path() + ".new") << kNagios4;
  rename((path() + ".new").c_str(), path().c_str());
  const auto second = read_status_dat(path());
  ASSERT_TRUE(second);
  EXPECT_NE(first->version, second->version);
}

TEST_F(StatusDatFileTest, OnlyTheHeadOfALargeFileIsRead) {
  write(std::string(kNagios4) + std::string(3 << 20, 'x'));
  const auto read = read_status_dat(path());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->status.complete);
}

TEST_F(StatusDatFileTest, WhatIsNoRegularFileIsRefusedAtOnce) {
  EXPECT_EQ(read_status_dat(path()).error().code, Errc::kMissing);
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  const auto pipe = read_status_dat(path());
  ASSERT_FALSE(pipe);
  EXPECT_EQ(pipe.error().text, "cannot read " + path() + ": it is not a regular file");
}

}  // namespace
}  // namespace ha
