// SPDX-License-Identifier: MIT
#include "common/engine/status_writers.h"

#include <gtest/gtest.h>

#include <memory>

#include "tests/fakes/child.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

using Words = std::vector<std::string>;

TEST(StatusWritersTest, TwoLivingProcessesThatTakeTurnsAreAConflict) {
  auto first = std::make_unique<Child>("sleep", Words{"sleep", "60", "1"});
  const Child second("sleep", {"sleep", "60", "2"});
  StatusWriters writers;
  writers.add(first->pid());
  EXPECT_EQ(writers.conflict(), "");
  StatusWriters next;
  next.load(writers.text());
  next.add(second.pid());
  EXPECT_EQ(next.conflict(), "processes " + std::to_string(first->pid()) + " and " +
                                 std::to_string(second.pid()) +
                                 " write the status file in turns: stop one of them");
  first.reset();
  EXPECT_EQ(next.conflict(), "") << "a restart";
  EXPECT_EQ(next.text().find('\n'), next.text().size() - 1);
}

TEST(StatusWritersTest, TwoProcessesOnOneConfigurationAreAConflict) {
  const TempDirectory directory;
  const std::string config = directory.file("nagios.cfg", "");
  const Child first("tail", {"nagios", "-f", config}), second("tail", {"nagios", "-f", config});
  const Child other("tail", {"nagios", "-f", directory.file("other.cfg", "")});
  StatusWriters writers;
  writers.add(other.pid());
  EXPECT_EQ(writers.conflict(), "");
  StatusWriters both;
  both.add(first.pid());
  EXPECT_NE(both.conflict().find(std::to_string(second.pid())), std::string::npos)
      << both.conflict();
  const Child same("sleep", {"sleep", "60", "1"}), like_it("sleep", {"sleep", "60", "1"});
  StatusWriters without_path;
  without_path.add(same.pid());
  EXPECT_EQ(without_path.conflict(), "");
}

TEST(StatusWritersTest, TwoProgramsAreNotTwoDaemons) {
  // As when the file was fetched from another machine, whose processes have numbers of ours.
  const Child first("sleep", {"sleep", "60"}), second("tail", {"tail", "-f", "/dev/null"});
  StatusWriters writers;
  writers.add(first.pid());
  writers.add(second.pid());
  EXPECT_EQ(writers.conflict(), "");
  writers.add(first.pid());
  EXPECT_EQ(writers.conflict(), "");
}

TEST(StatusWritersTest, WhatIsNoProcessHereIsNone) {
  StatusWriters writers;
  writers.load("\n7\nx y\n1 wrong\n");
  for (const std::int64_t pid : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    writers.add(pid);
    EXPECT_EQ(writers.conflict(), "") << pid;
  }
  EXPECT_EQ(writers.text(), "");
}

}  // namespace
}  // namespace ha
