// SPDX-License-Identifier: MIT
#include "common/engine/arrivals.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

using Kind = Arrival::Kind;

Arrival arrival(std::uint64_t ticks, Role role, Kind kind = Kind::kEvent) {
  return {{"boot", ticks, 100}, kind, role, "the event of " + std::to_string(ticks)};
}

TEST(ArrivalsTest, ProcessesHaveTheOrderOfTheirStart) {
  const struct {
    ProcessId a, b;
    bool after;
  } cases[] = {
      {{"x", 2, 10}, {"x", 1, 20}, true},      {{"x", 1, 20}, {"x", 2, 10}, false},
      {{"x", 1, 11}, {"x", 1, 10}, true},      {{"x", 1, 10}, {"x", 1, 11}, false},
      {{"x", 1, 10}, {"x", 1, 10}, false},     {{"x", 1, 301}, {"x", 1, 32767}, true},
      {{"x", 1, 32767}, {"x", 1, 301}, false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(started_after(c.a, c.b), c.after) << c.a.ticks << "/" << c.a.pid << " " << c.b.pid;
}

TEST(ArrivalsTest, AnEarlierEventThatRegistersLateIsOvertakenAllTheSame) {
  Arrivals arrivals;
  enter(arrivals, arrival(2, Role::kStandby));
  enter(arrivals, arrival(1, Role::kActive));
  EXPECT_EQ(arrivals.event->process.ticks, 2u);
  const auto later = overtaking(arrivals, arrival(1, Role::kActive));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->title, "the event of 2");
  EXPECT_FALSE(overtaking(arrivals, arrival(2, Role::kStandby))) << "itself";
  EXPECT_FALSE(overtaking(arrivals, arrival(3, Role::kActive))) << "it came later";
}

TEST(ArrivalsTest, WhatWasRegisteredBeforeTheMachineStartedOvertakesNothing) {
  Arrivals arrivals;
  Arrival old = arrival(1'000'000, Role::kStandby);
  old.process.boot = "an earlier one";
  enter(arrivals, old);
  EXPECT_FALSE(overtaking(arrivals, arrival(1, Role::kActive)));
  enter(arrivals, arrival(1, Role::kActive));
  EXPECT_EQ(arrivals.event->process.ticks, 1u);
}

TEST(ArrivalsTest, WhereTheStartOfTheMachineIsNotKnownItsTimeTells) {
  for (const char* const boot : {"", "boot"}) {
    Arrivals arrivals;
    Arrival other = arrival(2, Role::kStandby);
    other.process.boot = boot;
    enter(arrivals, other);
    Arrival mine = arrival(1, Role::kActive);
    mine.process.boot = "";
    EXPECT_TRUE(overtaking(arrivals, mine)) << boot;
    place_in_time(arrivals, 2);
    EXPECT_TRUE(overtaking(arrivals, mine)) << boot;
    place_in_time(arrivals, 1);
    EXPECT_FALSE(overtaking(arrivals, mine)) << boot << ": it would be of the future";
    enter(arrivals, mine);
    EXPECT_EQ(arrivals.event->role, Role::kActive) << boot;
  }
}

TEST(ArrivalsTest, WhatAPersonDecidesIsOvertakenOnlyByWhatUndoesIt) {
  const struct {
    Arrival mine, other;
    bool overtaken;
  } cases[] = {
      {arrival(1, Role::kActive), arrival(2, Role::kStandby, Kind::kByHand), true},
      {arrival(1, Role::kStandby), arrival(2, Role::kActive, Kind::kByHand), true},
      {arrival(1, Role::kActive, Kind::kByHand), arrival(2, Role::kStandby), false},
      {arrival(1, Role::kActive, Kind::kByHand), arrival(2, Role::kActive), false},
      {arrival(1, Role::kStandby, Kind::kByHand), arrival(2, Role::kActive), true},
      {arrival(1, Role::kStandby, Kind::kByHand), arrival(2, Role::kStandby), false},
      {arrival(1, Role::kActive, Kind::kByHand), arrival(2, Role::kStandby, Kind::kByHand), true},
      // The deactivation may find that a person activated the engine, or no activation.
      {arrival(1, Role::kActive, Kind::kReassert), arrival(2, Role::kStandby), false},
      {arrival(1, Role::kStandby, Kind::kReassert), arrival(2, Role::kStandby), false},
      {arrival(1, Role::kStandby, Kind::kReassert), arrival(2, Role::kActive), true},
      {arrival(1, Role::kActive, Kind::kReassert), arrival(2, Role::kStandby, Kind::kByHand), true},
  };
  for (const auto& c : cases) {
    Arrivals arrivals;
    enter(arrivals, c.mine);
    enter(arrivals, c.other);
    EXPECT_EQ(overtaking(arrivals, c.mine).has_value(), c.overtaken) << &c - cases;
  }
}

TEST(ArrivalsTest, TheLastOfBothIsNamed) {
  Arrivals arrivals;
  enter(arrivals, arrival(3, Role::kStandby));
  enter(arrivals, arrival(2, Role::kActive, Kind::kByHand));
  EXPECT_EQ(overtaking(arrivals, arrival(1, Role::kActive))->process.ticks, 3u);
}

TEST(ArrivalsTest, ADecisionSettlesWhatCameBeforeIt) {
  for (const std::uint64_t event : {1, 3}) {
    Arrivals arrivals;
    enter(arrivals, arrival(event, Role::kStandby));
    const Arrival decision = arrival(2, Role::kActive, Kind::kByHand);
    enter(arrivals, decision);
    mark_done(arrivals, decision.process);
    EXPECT_TRUE(arrivals.by_hand->done);
    EXPECT_EQ(arrivals.event->done, event == 1);
  }
}

TEST(ArrivalsTest, WhatIsWrittenIsReadAndWhatIsDamagedIsNot) {
  Arrivals arrivals;
  enter(arrivals, arrival(7, Role::kActive));
  const auto read = parse_arrivals(format_arrivals(arrivals));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->by_hand);
  EXPECT_EQ(read->event->process, arrivals.event->process);
  EXPECT_EQ(read->event->role, Role::kActive);
  EXPECT_EQ(read->event->title, "the event of 7");
  for (const std::string_view text :
       {"", "[]", "{}", "{\"event\":null}", "{\"event\":{},\"by_hand\":null}",
        "{\"event\":{\"role\":\"king\",\"title\":\"\",\"boot\":\"\",\"ticks\":1,\"pid\":1,"
        "\"done\":true},\"by_hand\":null}",
        "{\"event\":{\"role\":\"active\",\"title\":\"\",\"boot\":\"\",\"ticks\":-1,\"pid\":1,"
        "\"done\":true},\"by_hand\":null}"})
    EXPECT_FALSE(parse_arrivals(text)) << text;
}

}  // namespace
}  // namespace ha
