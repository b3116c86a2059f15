// SPDX-License-Identifier: MIT
#include "common/heartbeat/local_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace ha {
namespace {

// A child with the given arguments, gone with the test.
class Child {
 public:
  explicit Child(const std::string& argument) : pid_(fork()) {
    if (pid_ == 0) {
      execlp("sleep", "sleep-under-another-name", "60", argument.c_str(), nullptr);
      _exit(1);
    }
    // Until the exec its command line is ours.
    std::string line;
    while (line.find("another") == line.npos && kill(pid_, 0) == 0) {
      std::ifstream file("/proc/" + std::to_string(pid_) + "/cmdline");
      std::getline(file, line);
      usleep(1000);
    }
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(LocalProcessTest, TheWholeCommandLineIsMatched) {
  const Child child("0.0");
  const auto find = [](const char* text) { return find_process(*ProcessPattern::compile(text)); };
  EXPECT_EQ(find("sleep-under-(one|another)-name 60 0\\.0$"), child.pid());
  EXPECT_EQ(find("^sleep-under-another-name [0-9]+ "), child.pid());
  EXPECT_EQ(find("sleep-under-a-third-name"), std::nullopt);
}

TEST(LocalProcessTest, WeAndOurAncestorsDoNotCount) {
  std::ifstream file("/proc/self/cmdline");
  std::string ours;
  std::getline(file, ours, '\0');
  EXPECT_EQ(find_process(*ProcessPattern::compile("^" + ours)), std::nullopt);
}

TEST(LocalProcessTest, WhatIsNoExpressionIsRefused) {
  for (const char* text : {"(", "[a", "a{2,1}", "\\"}) {
    const auto pattern = ProcessPattern::compile(text);
    ASSERT_FALSE(pattern) << text;
    EXPECT_EQ(pattern.error().code, Errc::kUsage);
  }
}

}  // namespace
}  // namespace ha
