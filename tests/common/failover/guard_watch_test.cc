// SPDX-License-Identifier: MIT
#include "common/failover/guard_watch.h"

#include <gtest/gtest.h>

#include <ostream>

namespace ha {

void PrintTo(const GuardTurn& turn, std::ostream* out) {
  constexpr const char* kNames[] = {"wait", "confirm", "look", "replace"};
  *out << kNames[static_cast<int>(turn.kind)] << " " << turn.wait_s << " s";
}

namespace {

using Kind = GuardTurn::Kind;
using Finding = GuardWatch::Finding;

constexpr GuardTiming kTiming = {0.5, 3, 0.05};
constexpr GuardTurn kWait = {Kind::kWait, 0.5}, kConfirm = {Kind::kConfirm, 0.05},
                    kLook = {Kind::kLook, 0}, kReplace = {Kind::kReplace, 0};

NodeWord writes() { return {NodeWord::Kind::kAnswers, false}; }
NodeWord reads() { return {NodeWord::Kind::kAnswers, true}; }
NodeWord reads_anew() { return {NodeWord::Kind::kAnswers, true, true}; }
NodeWord full() { return {NodeWord::Kind::kRefuses, {}, false, "Too many connections"}; }
NodeWord fails() { return {NodeWord::Kind::kFails, {}, false, "refused"}; }
NodeWord nothing() { return {}; }
NodeWord not_asked() { return {NodeWord::Kind::kNotAsked}; }

// A watch of db1, the primary, and db2, which was found well at 100 s.
GuardWatch well() {
  GuardWatch watch({"db1", "db2"}, 100);
  watch.hear(0, writes(), kTiming, 100);
  watch.hear(1, reads(), kTiming, 100);
  watch.learn_primary("db1");
  watch.found(Finding::kWell, 100);
  return watch;
}

// A round of both nodes.
struct Round {
  double at_s;
  NodeWord db1, db2;
};

GuardTurn after(GuardWatch& watch, const std::vector<Round>& rounds) {
  for (const Round& round : rounds) {
    watch.hear(0, round.db1, kTiming, round.at_s);
    watch.hear(1, round.db2, kTiming, round.at_s);
  }
  return watch.decide(kTiming, rounds.back().at_s);
}

TEST(GuardWatch, WhatTheNodesSayDecidesTheNextTurn) {
  const struct {
    const char* name;
    std::vector<Round> rounds;
    GuardTurn want;
  } cases[] = {
      {"all is as it was", {{100.5, writes(), reads()}}, kWait},
      {"the first failed try", {{100.1, fails(), reads()}}, kConfirm},
      {"the second", {{100.1, fails(), reads()}, {100.15, fails(), reads()}}, kConfirm},
      {"the last",
       {{100.1, fails(), reads()}, {100.15, fails(), reads()}, {100.2, fails(), reads()}},
       kReplace},
      {"an answer between two failed tries begins anew",
       {{100.1, fails(), reads()},
        {100.15, fails(), reads()},
        {100.2, writes(), reads()},
        {100.25, fails(), reads()}},
       kConfirm},
      {"one that refuses us is alive",
       {{100.1, fails(), reads()}, {100.15, fails(), reads()}, {100.2, full(), reads()}},
       kLook},
      {"an answer is late", {{101.4, nothing(), reads()}}, kWait},
      {"silence of so many intervals", {{101.5, nothing(), reads()}}, kReplace},
      {"our own machine fails, for long",
       {{160, not_asked(), not_asked()}, {161, nothing(), reads()}},
       kLook},
      {"a replica fails once", {{100.1, writes(), fails()}}, kConfirm},
      {"a replica is gone",
       {{100.1, writes(), fails()}, {100.2, writes(), fails()}, {100.3, writes(), fails()}},
       kLook},
      {"a replica is silent", {{102, writes(), nothing()}}, kLook},
      {"the primary is read-only", {{100.5, reads(), reads()}}, kLook},
      {"another node accepts writes", {{100.5, writes(), writes()}}, kLook},
      {"a session has ended and there is a new one", {{100.5, writes(), reads_anew()}}, kLook},
      {"what no word shows is looked for now and then", {{160, writes(), reads()}}, kLook},
  };
  for (const auto& c : cases) {
    GuardWatch watch = well();
    EXPECT_EQ(after(watch, c.rounds), c.want) << c.name;
  }
}

TEST(GuardWatch, TheFirstTurnIsALookOnceEveryNodeWasAsked) {
  GuardWatch watch({"db1", "db2"}, 100);
  EXPECT_EQ(watch.decide(kTiming, 100), kWait);
  EXPECT_EQ(after(watch, {{100, writes(), nothing()}}), kWait);
  EXPECT_EQ(after(watch, {{100.5, writes(), reads()}}), kLook);
  watch.found(Finding::kTrouble, 101);
  EXPECT_EQ(watch.primary(), "");
  EXPECT_EQ(watch.decide(kTiming, 101).kind, Kind::kWait);
  EXPECT_EQ(watch.decide(kTiming, 101.25), kLook) << "in trouble it looks again";
}

TEST(GuardWatch, APrimaryThatIsNotReplacedIsLookedAtAgain) {
  GuardWatch watch = well();
  EXPECT_EQ(after(watch, {{102, nothing(), reads()}}), kReplace);
  watch.tried(102);
  EXPECT_EQ(watch.decide(kTiming, 102.125).kind, Kind::kWait);
  EXPECT_LT(watch.decide(kTiming, 102.125).wait_s, 0.1);
  EXPECT_EQ(watch.decide(kTiming, 102.25), kLook) << "at once at first";
  watch.found(Finding::kTrouble, 110);
  EXPECT_EQ(watch.decide(kTiming, 110.5), kWait) << "later on less often";
  EXPECT_EQ(watch.decide(kTiming, 111), kLook);
  watch.found(Finding::kTrouble, 200);
  EXPECT_EQ(watch.decide(kTiming, 209), kWait);
  EXPECT_EQ(watch.decide(kTiming, 210), kLook);
  EXPECT_EQ(watch.primary(), "db1");
  EXPECT_TRUE(watch.troubled());

  watch.hear(0, writes(), kTiming, 211);
  EXPECT_EQ(watch.decide(kTiming, 211), kLook);
  watch.found(Finding::kWell, 211);
  EXPECT_FALSE(watch.troubled());
  EXPECT_EQ(watch.decide(kTiming, 211.5), kWait);
  EXPECT_EQ(after(watch, {{213, nothing(), reads()}}), kReplace) << "a second death";
}

TEST(GuardWatch, WhatIsTriedInVainIsTriedLessOften) {
  GuardWatch watch = well();
  for (const double at_s : {102.0, 110.0, 120.0, 161.0, 170.0, 180.0}) {
    watch.ask_for_look();
    EXPECT_EQ(watch.decide(kTiming, at_s), kLook);
    watch.tried(at_s);
  }
  EXPECT_EQ(watch.decide(kTiming, 189.5), kWait);
  EXPECT_EQ(watch.decide(kTiming, 190), kLook);
}

TEST(GuardWatch, OneThatIsNotToBeReplacedIsLookedAtAndLeft) {
  GuardWatch watch = well();
  EXPECT_EQ(after(watch, {{102, nothing(), reads()}}), kReplace);
  watch.found(Finding::kTrouble, 102);
  EXPECT_EQ(watch.decide(kTiming, 102.125).kind, Kind::kWait);
  watch.ask_for_look();
  EXPECT_EQ(watch.decide(kTiming, 102.125), kLook) << "the operator lets it act again";
}

TEST(GuardWatch, TheNewPrimaryIsWatchedFromThenOn) {
  GuardWatch watch = well();
  after(watch, {{102, nothing(), reads()}});
  watch.tried(102);
  watch.learn_primary("db2");
  watch.found(Finding::kWell, 103);
  EXPECT_EQ(after(watch, {{103.5, nothing(), writes()}}), kLook) << "db2 accepts writes now";
  watch.found(Finding::kWell, 103.5);
  EXPECT_EQ(after(watch, {{104, nothing(), writes()}}), kWait) << "the old one is no primary";
  EXPECT_EQ(after(watch, {{106, nothing(), nothing()}}), kReplace);
}

TEST(GuardWatch, ANodeIsToldWhenItIsAnother) {
  GuardWatch watch = well();
  EXPECT_FALSE(watch.hear(0, writes(), kTiming, 101));
  EXPECT_FALSE(watch.hear(0, fails(), kTiming, 102));
  EXPECT_FALSE(watch.hear(0, fails(), kTiming, 103));
  EXPECT_TRUE(watch.hear(0, fails(), kTiming, 104));
  EXPECT_EQ(describe(watch.nodes()[0]), "db1 gives no answer: refused");
  EXPECT_FALSE(watch.hear(0, fails(), kTiming, 105));
  EXPECT_TRUE(watch.hear(0, full(), kTiming, 106));
  EXPECT_EQ(describe(watch.nodes()[0]), "db1 is alive and cannot be read: Too many connections");
  EXPECT_TRUE(watch.hear(0, reads(), kTiming, 107));
  EXPECT_EQ(describe(watch.nodes()[0]), "db1 answers, read-only");
  EXPECT_TRUE(watch.hear(0, writes(), kTiming, 108));
  EXPECT_EQ(describe(watch.nodes()[0]), "db1 answers and accepts writes");
}

TEST(GuardWatch, NumbersThatPassAreNoNews) {
  const struct {
    std::string_view text, want;
  } cases[] = {
      {"db1 answers", "db1 answers"},
      {"no query for only 3.2s, less than --hung-after (30s)",
       "no query for only #s, less than --hung-after (#s)"},
      {"the last failover was 2m 05s ago", "the last failover was #m #s ago"},
      {"connection 17 from 192.0.2.8", "connection # from #"},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(without_passing_numbers(c.text), c.want);
}

}  // namespace
}  // namespace ha
