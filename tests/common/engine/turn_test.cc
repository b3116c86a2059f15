// SPDX-License-Identifier: MIT
#include "common/engine/turn.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "common/engine/process_id.h"

namespace ha {
namespace {

using Kind = Arrival::Kind;

class TurnTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // An event of a process that was started so many ticks after this one.
  static Arrival event(std::uint64_t ticks, Role role = Role::kActive, Kind kind = Kind::kEvent) {
    Arrival arrival{this_process(), kind, role, "event " + std::to_string(ticks)};
    arrival.process.ticks += ticks;
    return arrival;
  }
  Turn enter(const Arrival& arrival, const std::string& engine = "/rw/nagios.cmd") const {
    auto turn = Turn::enter(directory_, engine, arrival, Deadline::after(5));
    EXPECT_TRUE(turn);
    return std::move(*turn);
  }
  static Errc waited(const Turn& turn, const Arrival& mine) {
    const auto later = turn.wait(mine, Deadline::after(0.05));
    EXPECT_FALSE(later && *later);
    return later ? Errc::kUsage : later.error().code;
  }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_ = testing::TempDir() + "turn.XXXXXX";
};

TEST_F(TurnTest, OneHandlerOfAnEngineHasTheTurnUntilItEnds) {
  std::optional<Turn> first(enter(event(0)));
  EXPECT_EQ(waited(*first, event(0)), Errc::kUsage);
  const Turn second = enter(event(1));
  EXPECT_EQ(waited(second, event(1)), Errc::kRefused);
  EXPECT_EQ(waited(enter(event(0), "/other.cmd"), event(0)), Errc::kUsage);
  first.reset();
  EXPECT_EQ(waited(second, event(1)), Errc::kUsage);
}

TEST_F(TurnTest, WhoIsOvertakenIsToldByWhatAndDoesNotWait) {
  const Turn holder = enter(event(0));
  ASSERT_TRUE(holder.wait(event(0), Deadline::after(0)));
  Arrival earlier = event(0, Role::kStandby);
  earlier.process.ticks -= 5;
  const auto later = enter(earlier).wait(earlier, Deadline::after(60));
  ASSERT_TRUE(later && *later);
  EXPECT_EQ((*later)->title, "event 0");
}

TEST_F(TurnTest, WhatAnEndedHandlerLeftIsNoReasonToGiveWay) {
  const Turn turn = enter(event(0));
  Arrival left = event(1, Role::kStandby);  // no such process
  enter(left);
  EXPECT_TRUE(was_left(left));
  EXPECT_EQ(waited(turn, event(0)), Errc::kUsage);
  ASSERT_TRUE(turn.mark_done(left.process, Deadline::after(5)));
  const auto later = turn.wait(event(0), Deadline::after(5));
  ASSERT_TRUE(later && *later);
  EXPECT_EQ((*later)->title, "event 1");
  EXPECT_TRUE((*later)->done);
}

TEST_F(TurnTest, OnlyEventsAreLeftToOthers) {
  EXPECT_FALSE(was_left(event(0))) << "this process runs";
  EXPECT_TRUE(was_left(event(1)));
  EXPECT_FALSE(was_left(event(1, Role::kActive, Kind::kByHand)));
}

TEST_F(TurnTest, ToReassertIsNoEvent) {
  const Turn turn = enter(event(0, Role::kStandby, Kind::kReassert));
  EXPECT_FALSE(turn.arrivals().event || turn.arrivals().by_hand);
  EXPECT_EQ(waited(turn, event(0, Role::kStandby, Kind::kReassert)), Errc::kUsage);
}

TEST_F(TurnTest, FilesAreForTheOwnerAlone) {
  const Turn turn = enter(event(0));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory())) {
    struct stat info = {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3);
}

}  // namespace
}  // namespace ha
