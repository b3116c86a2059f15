// SPDX-License-Identifier: MIT
#include "common/engine/turn.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/engine/process_id.h"
#include "common/engine/role_store.h"
#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

using Kind = Arrival::Kind;

class TurnTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    // What was started later than now is of an earlier start of the machine.
    while (ticks_now() <= this_process().ticks) usleep(1000);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // An event of a process that was started so many ticks after this one.
  static Arrival event(std::uint64_t ticks, Role role = Role::kActive, Kind kind = Kind::kEvent) {
    Arrival arrival{this_process(), kind, role, "event " + std::to_string(ticks)};
    arrival.process.ticks += ticks;
    return arrival;
  }
  Turn enter(const Arrival& arrival, const std::string& engine = "/rw/nagios.cmd") const {
    auto turn = Turn::enter(directory_, engine, arrival, deadline_in(5));
    EXPECT_TRUE(turn);
    return std::move(*turn);
  }
  static Result<std::optional<Arrival>> wait(Turn turn, const Arrival& mine, double seconds) {
    std::vector<Turn> turns;
    turns.push_back(std::move(turn));
    return wait_for_turns(turns, mine, deadline_in(seconds));
  }
  // The turn ends with it.
  static Errc waited(Turn turn, const Arrival& mine) {
    const auto later = wait(std::move(turn), mine, 0.05);
    EXPECT_FALSE(later && *later);
    return later ? Errc::kUsage : later.error().code;
  }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_ = testing::TempDir() + "turn.XXXXXX";
};

TEST_F(TurnTest, OneHandlerOfAnEngineHasTheTurnUntilItEnds) {
  std::optional<Turn> first(enter(event(0)));
  EXPECT_TRUE(first->take());
  EXPECT_TRUE(first->take()) << "it has it already";
  EXPECT_EQ(waited(enter(event(1)), event(1)), Errc::kRefused);
  EXPECT_EQ(waited(enter(event(0), "/other.cmd"), event(0)), Errc::kUsage);
  first.reset();
  EXPECT_EQ(waited(enter(event(1)), event(1)), Errc::kUsage);
}

TEST_F(TurnTest, WhoIsOvertakenIsToldByWhatAndDoesNotWait) {
  const Turn holder = enter(event(0));
  ASSERT_TRUE(holder.take());
  Arrival earlier = event(0, Role::kStandby);
  earlier.process.ticks -= 5;
  const auto later = wait(enter(earlier), earlier, 60);
  ASSERT_TRUE(later && *later);
  EXPECT_EQ((*later)->title, "event 0");
}

TEST_F(TurnTest, WhatAnEndedHandlerLeftIsNoReasonToGiveWay) {
  Arrival left = event(1, Role::kStandby);  // no such process
  enter(left);
  EXPECT_TRUE(was_left(left));
  EXPECT_EQ(waited(enter(event(0)), event(0)), Errc::kUsage);
  ASSERT_TRUE(enter(event(0)).mark_done(left.process, deadline_in(5)));
  const auto later = wait(enter(event(0)), event(0), 5);
  ASSERT_TRUE(later && *later);
  EXPECT_EQ((*later)->title, "event 1");
  EXPECT_TRUE((*later)->done);
}

TEST_F(TurnTest, WhatHasNotStartedYetIsOfAnEarlierStartOfTheMachine) {
  Arrival old = event(0, Role::kStandby);
  old.process.boot = "";  // where /proc does not tell it
  old.process.ticks += 1'000'000'000;
  old.done = true;
  enter(old);
  Arrival mine = event(0);
  mine.process.boot = "";
  Turn turn = enter(mine);
  EXPECT_EQ(turn.arrivals().event->title, "event 0");
  EXPECT_EQ(waited(std::move(turn), mine), Errc::kUsage);
}

TEST_F(TurnTest, WhatCannotBeRegisteredWaitsAllTheSame) {
  const Turn holder = enter(event(0));
  ASSERT_TRUE(holder.take());
  const std::string events = path_of_engine(directory(), "/rw/nagios.cmd") + ".events";
  std::filesystem::remove(events);
  std::filesystem::create_directory(events);  // cannot be replaced
  Turn next = enter(event(1));
  EXPECT_TRUE(next.unregistered());
  EXPECT_FALSE(holder.unregistered());
  EXPECT_EQ(waited(std::move(next), event(1)), Errc::kRefused);
}

TEST_F(TurnTest, OfSeveralQueuesEachIsWaitedForAndTheLastEventDecides) {
  std::vector<Turn> turns;
  for (const char* const engine : {"/a.cmd", "/b.cmd"}) turns.push_back(enter(event(0), engine));
  std::optional<Turn> holder(enter(event(0), "/b.cmd"));
  ASSERT_TRUE(holder->take());
  EXPECT_FALSE(wait_for_turns(turns, event(0), deadline_in(0.05)));
  EXPECT_FALSE(enter(event(0), "/a.cmd").take()) << "the first one is had already";
  holder.reset();
  EXPECT_TRUE(wait_for_turns(turns, event(0), deadline_in(5)));
  EXPECT_FALSE(overtaking(turns, event(0)));
  enter(event(1), "/b.cmd");
  ASSERT_TRUE(overtaking(turns, event(0)));
  EXPECT_EQ(overtaking(turns, event(0))->title, "event 1");
}

TEST_F(TurnTest, OnlyEventsAreLeftToOthers) {
  EXPECT_FALSE(was_left(event(0))) << "this process runs";
  EXPECT_TRUE(was_left(event(1)));
  EXPECT_FALSE(was_left(event(1, Role::kActive, Kind::kByHand)));
}

TEST_F(TurnTest, ToReassertIsNoEvent) {
  Turn turn = enter(event(0, Role::kStandby, Kind::kReassert));
  EXPECT_FALSE(turn.arrivals().event || turn.arrivals().by_hand);
  EXPECT_EQ(waited(std::move(turn), event(0, Role::kStandby, Kind::kReassert)), Errc::kUsage);
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
