// SPDX-License-Identifier: MIT
#include "common/heartbeat/facts.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

const Thresholds kLimits{Range{0, 30}, Range{0, 60}};

HeartbeatFacts beat_of(std::optional<double> age_s) {
  HeartbeatFacts facts{"db2", "Nagios"};
  facts.age_s = age_s;
  return facts;
}

TEST(HeartbeatFactsTest, TheAgePicksTheState) {
  const struct {
    double age_s;
    State want;
    double metric;
    const char* text;
  } cases[] = {
      {0, State::kOk, 0, "Nagios wrote its heartbeat 0s ago"},
      {-2, State::kOk, 0, "Nagios wrote its heartbeat 0s ago"},
      {30, State::kOk, 30, "Nagios wrote its heartbeat 30s ago"},
      {30.5, State::kWarning, 30.5, "Nagios wrote its last heartbeat 31s ago"},
      {61, State::kCritical, 61, "Nagios wrote its last heartbeat 61s ago"},
  };
  for (const auto& c : cases) {
    const HeartbeatJudgement beat = judge_heartbeat(beat_of(c.age_s), kLimits);
    EXPECT_EQ(beat.state, c.want) << c.age_s;
    EXPECT_EQ(beat.age_s, c.metric) << c.age_s;
    EXPECT_EQ(beat.text, c.text) << c.age_s;
  }
}

TEST(HeartbeatFactsTest, TheFutureIsUnknown) {
  const HeartbeatJudgement beat = judge_heartbeat(beat_of(-2.1), kLimits);
  EXPECT_EQ(beat.state, State::kUnknown);
  EXPECT_EQ(beat.age_s, std::nullopt);
  EXPECT_EQ(beat.text, "the heartbeat of Nagios is 2.1s in the future, the clocks differ");
}

TEST(HeartbeatFactsTest, NoHeartbeatIsCriticalAndSaysWhy) {
  HeartbeatFacts facts = beat_of(std::nullopt);
  facts.absence = "no row";
  const HeartbeatJudgement beat = judge_heartbeat(facts, kLimits);
  EXPECT_EQ(beat.state, State::kCritical);
  EXPECT_EQ(beat.text, "no heartbeat of Nagios: no row");
}

TEST(HeartbeatFactsTest, StoppedIsCriticalHoweverFresh) {
  HeartbeatFacts facts = beat_of(1);
  facts.stopped = "was stopped";
  const HeartbeatJudgement beat = judge_heartbeat(facts, kLimits);
  EXPECT_EQ(beat.state, State::kCritical);
  EXPECT_EQ(beat.text, "Nagios was stopped");
  EXPECT_EQ(beat.age_s, 1);
}

TEST(HeartbeatFactsTest, TheRoleIsTold) {
  HeartbeatFacts facts = beat_of(1);
  facts.role = "standby";
  EXPECT_EQ(judge_heartbeat(facts, kLimits).text, "Nagios wrote its heartbeat 1s ago (standby)");
}

TEST(HeartbeatFactsTest, TwoAgesThatAreJudgedDifferentlyAreUnknown) {
  const struct {
    double age_s, other_age_s;
    State want;
    std::optional<double> metric;
  } cases[] = {
      {7, 3607, State::kUnknown, std::nullopt},
      {900, 4500, State::kCritical, 900},
      {1, 29, State::kOk, 1},
  };
  for (const auto& c : cases) {
    HeartbeatFacts facts = beat_of(c.age_s);
    facts.other_age_s = c.other_age_s;
    const HeartbeatJudgement beat = judge_heartbeat(facts, kLimits);
    EXPECT_EQ(beat.state, c.want) << c.age_s;
    EXPECT_EQ(beat.age_s, c.metric) << c.age_s;
  }
  HeartbeatFacts facts = beat_of(7);
  facts.other_age_s = 3607;
  EXPECT_EQ(judge_heartbeat(facts, kLimits).text,
            "the heartbeat of Nagios is 7s old or 60m 07s: its local time came twice at the end of "
            "summer time (--state-dir remembers which it is)");
}

TEST(HeartbeatFactsTest, AConflictIsAWarningThatActivatesNoStandby) {
  HeartbeatFacts facts = beat_of(1);
  facts.conflict = "two daemons";
  const HeartbeatJudgement beat = judge_heartbeat(facts, kLimits);
  EXPECT_EQ(beat.state, State::kWarning);
  EXPECT_EQ(beat.text, "Nagios wrote its heartbeat 1s ago; two daemons");
  facts.age_s = 61;
  EXPECT_EQ(judge_heartbeat(facts, kLimits).state, State::kCritical);
}

TEST(HeartbeatFactsTest, TroubleWithTheMemoryDoesNotHideADeadEngine) {
  const struct {
    std::optional<double> age_s;
    State want;
    const char* text;
  } cases[] = {
      {1, State::kUnknown, "Nagios wrote its heartbeat 1s ago; --state-dir: no"},
      {40, State::kWarning, "Nagios wrote its last heartbeat 40s ago; --state-dir: no"},
      {61, State::kCritical, "Nagios wrote its last heartbeat 61s ago; --state-dir: no"},
      {std::nullopt, State::kCritical, "no heartbeat of Nagios: ; --state-dir: no"},
  };
  for (const auto& c : cases) {
    HeartbeatFacts facts = beat_of(c.age_s);
    facts.memory_trouble = "--state-dir: no";
    const HeartbeatJudgement beat = judge_heartbeat(facts, kLimits);
    EXPECT_EQ(beat.state, c.want) << c.text;
    EXPECT_EQ(beat.text, c.text);
    EXPECT_EQ(beat.age_s, c.age_s);
  }
}

TEST(HeartbeatFactsTest, AdviceIsGivenWhenSomethingIsWrong) {
  HeartbeatFacts facts = beat_of(1);
  facts.advice = "ndo2db may be late";
  EXPECT_EQ(judge_heartbeat(facts, kLimits).text, "Nagios wrote its heartbeat 1s ago");
  facts.age_s = 40;
  EXPECT_EQ(judge_heartbeat(facts, kLimits).text,
            "Nagios wrote its last heartbeat 40s ago; ndo2db may be late");
}

TEST(ProvenSkewTest, OnlyWhatTheAnswerProves) {
  EXPECT_EQ(proven_skew(100, 108, 108), 0);  // slow, read at its end
  EXPECT_EQ(proven_skew(100, 108, 100), 0);
  EXPECT_EQ(proven_skew(100, 108, 40), 60);  // ours is ahead
  EXPECT_EQ(proven_skew(100, 108, 168), -60);
}

}  // namespace
}  // namespace ha
