// SPDX-License-Identifier: MIT
#include "common/engine/command_pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ha {
namespace {

class CommandPipeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    signal(SIGPIPE, SIG_IGN);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/nagios.cmd"; }
  void make_pipe() const { ASSERT_EQ(mkfifo(path().c_str(), 0600), 0); }
  Errc error() const { return write_command(path(), "[1] X").error().code; }

 private:
  std::string directory_ = testing::TempDir() + "pipe.XXXXXX";
};

TEST_F(CommandPipeTest, AReaderGetsWholeLines) {
  make_pipe();
  const int reader = open(path().c_str(), O_RDWR | O_NONBLOCK);
  ASSERT_TRUE(write_command(path(), "[1] ENABLE_NOTIFICATIONS"));
  ASSERT_TRUE(write_command(path(), "[2] DISABLE_NOTIFICATIONS"));
  char buffer[256];
  const ssize_t got = read(reader, buffer, sizeof buffer);
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(got)),
            "[1] ENABLE_NOTIFICATIONS\n[2] DISABLE_NOTIFICATIONS\n");
  close(reader);
}

TEST_F(CommandPipeTest, AMissingPipeIsNotCreated) {
  EXPECT_EQ(error(), Errc::kMissing);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(CommandPipeTest, APipeThatNobodyReadsDoesNotHoldUs) {
  make_pipe();
  EXPECT_EQ(error(), Errc::kUnreachable);
}

TEST_F(CommandPipeTest, AFullPipeRefusesTheWholeLine) {
  make_pipe();
  const int reader = open(path().c_str(), O_RDWR | O_NONBLOCK);
  // In blocks of PIPE_BUF each is taken whole or not at all, so the last leaves no room for a line.
  const std::string block(4096, 'x');
  while (write(reader, block.data(), block.size()) > 0) {
  }
  EXPECT_EQ(error(), Errc::kRefused);
  close(reader);
}

TEST_F(CommandPipeTest, WhatIsNoPipeIsLeftAsItWas) {
  std::ofstream(path()) << "precious";
  EXPECT_EQ(error(), Errc::kUsage);
  std::string content;
  std::ifstream(path()) >> content;
  EXPECT_EQ(content, "precious");
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_EQ(error(), Errc::kUsage);
  std::filesystem::remove(path());
  std::filesystem::create_symlink("/dev/null", path());
  EXPECT_EQ(error(), Errc::kUsage);
}

TEST_F(CommandPipeTest, ALineThatCouldBeTornIsRefused) {
  make_pipe();
  EXPECT_EQ(write_command(path(), std::string(4096, 'x')).error().code, Errc::kUsage);
}

TEST_F(CommandPipeTest, EachFailureHasItsOwnWords) {
  EXPECT_NE(write_command(path(), "x").error().text.find("there is no such command pipe"),
            std::string::npos);
  make_pipe();
  EXPECT_NE(write_command(path(), "x").error().text.find("no process reads"), std::string::npos);
}

}  // namespace
}  // namespace ha
