// SPDX-License-Identifier: MIT
#include "common/heartbeat/local_process.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/fakes/child.h"

namespace ha {
namespace {

TEST(LocalProcessTest, TheWholeCommandLineIsMatched) {
  const Child child("sleep", {"sleep-under-another-name", "60", "0.0"});
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
