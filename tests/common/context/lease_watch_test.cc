// SPDX-License-Identifier: MIT
#include "common/context/lease_watch.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

constexpr int kLease_s = 5;

LeaseReading held(const std::string& node, double silent_s, const std::string& connection = "7") {
  return {connection, node, silent_s, {}};
}

TEST(LeaseWatchTest, HowTheVoteOfOneVoterEnds) {
  using Readings = std::vector<std::optional<LeaseReading>>;
  const LeaseReading free;
  struct {
    const char* name;
    Readings readings;
    bool held, expired, broken;     // for db1, in the end
    std::optional<double> heard_s;  // of readings in seconds 100, 101, ...
  } const cases[] = {
      {"it never had one", {free, free}, false, false, false, {}},
      {"it has it", {held("db1", 0), held("db1", 1)}, true, false, false, 101},
      {"it expires", {held("db1", 3), held("db1", 4), free}, false, true, false, 98},
      {"and is given to another", {held("db1", 4), held("db2", 0, "9")}, false, true, false, 97},
      {"its session ends before that", {held("db1", 3), free}, false, false, true, 101},
      {"and nothing happens for long",
       {held("db1", 0), free, free, free, free},
       false,
       false,
       true,
       101},
      {"the voter gives no answer meanwhile",
       {held("db1", 4), std::nullopt, free},
       false,
       true,
       false,
       102},
      {"it is back", {held("db1", 4), free, held("db1", 0, "9")}, true, false, false, 102},
      {"it was seen too late", {free}, false, false, false, {}},
  };
  for (const auto& c : cases) {
    LeaseSighting sighting;
    double now_s = 100;
    for (const auto& reading : c.readings) observe_lease(sighting, reading, kLease_s, now_s++);
    const LeaseFinding finding = judge_lease({sighting}, "db1");
    EXPECT_EQ(finding.heard_s, c.heard_s) << c.name;
    EXPECT_EQ(finding.held, c.held) << c.name;
    EXPECT_EQ(finding.expired, c.expired) << c.name;
    EXPECT_EQ(finding.broken, c.broken) << c.name;
  }
}

// The others are no majority.
TEST(LeaseWatchTest, SinceWhenAGuardWithAMajorityWouldHaveBeenSeen) {
  struct {
    const char* name;
    std::vector<std::optional<double>> since_s;  // each voter has answered
    std::optional<double> seen_since_s;
  } const cases[] = {
      {"all answer", {100, 101, 102}, 101},
      {"one is silent", {{}, 102, 100}, 102},
      {"two are silent", {{}, 102, {}}, {}},
      {"three of four are a majority", {{}, 102, {}, 103}, 103},
      {"there are none", {}, {}},
  };
  for (const auto& c : cases) {
    std::vector<LeaseSighting> voters;
    for (const auto& since_s : c.since_s) {
      voters.emplace_back();
      if (!since_s) continue;
      for (const double later_s : {0, 5})
        observe_lease(voters.back(), LeaseReading{}, kLease_s, *since_s + later_s);
    }
    EXPECT_EQ(judge_lease(voters, "db1").since_s, c.seen_since_s) << c.name;
  }
}

// A voter tells whole seconds, so a vote may be silent for almost one more.
TEST(LeaseWatchTest, AVoteIsSeenInTheLastSecondBeforeItsEnd) {
  const LeaseReading free;
  LeaseReading mute = held("db1", 0);
  mute.silent_s.reset();
  const struct {
    const char* name;
    std::optional<LeaseReading> reading;
    int lease_s;
    double rest_s;
  } cases[] = {
      {"just heard", held("db1", 0), 5, 2},
      {"long ago", held("db1", 2.5), 5, 0.5},
      {"it may end", held("db1", 3), 5, 0},
      {"it is late", held("db1", 9), 5, 0},
      {"free", free, 5, 2},
      {"a short lease", held("db1", 0), 2, 0},
      {"a long lease", held("db1", 1), 60, 2},
      {"not told", mute, 5, 0},
      {"no answer", std::nullopt, 5, 0},
  };
  for (const auto& c : cases) EXPECT_EQ(rest_s(c.reading, c.lease_s), c.rest_s) << c.name;
}

// It takes a moment until the session that gets a vote tells for which node.
TEST(LeaseWatchTest, AVoteWithoutANameMayBeTheGuards) {
  for (const auto& [reading, counts] : {std::pair(LeaseReading{"", "", {}, {"db1"}}, 1U),
                                        {LeaseReading{"7", "db2", 0, {"db1"}}, 1U},
                                        {LeaseReading{"7", "", 0, {"db1"}}, 0U}}) {
    LeaseSighting sighting;
    observe_lease(sighting, reading, kLease_s, 100);
    EXPECT_EQ(judge_lease({sighting}, "db1").guards, counts) << reading.connection;
  }
}

TEST(LeaseWatchTest, TheEndOfALeaseIsKnownUntilItsNodeAnswers) {
  std::vector<LeaseSighting> voters(2);
  for (const auto& reading : {held("db1", 4), LeaseReading{}, LeaseReading{}})
    for (LeaseSighting& one : voters) observe_lease(one, reading, kLease_s, 100);
  EXPECT_TRUE(judge_lease(voters, "db1").proves_closing());
  for (LeaseSighting& one : voters) forget_end(one, "db2");
  EXPECT_TRUE(judge_lease(voters, "db1").proves_closing());
  for (LeaseSighting& one : voters) forget_end(one, "db1");
  EXPECT_FALSE(judge_lease(voters, "db1").proves_closing());
  for (LeaseSighting& one : voters) observe_lease(one, LeaseReading{}, kLease_s, 100);
  EXPECT_FALSE(judge_lease(voters, "db1").proves_closing());
  // Its guard may count on the rest of the lease all the same.
  EXPECT_TRUE(judge_lease(voters, "db1").heard_s);
}

TEST(LeaseWatchTest, VotesThatExpireProveTheClosingWhenTheOthersAreNoMajority) {
  for (const auto& [voters, expired, proves] : {std::tuple(3U, 1U, false),
                                                {3U, 2U, true},
                                                {3U, 3U, true},
                                                {4U, 1U, false},
                                                {4U, 2U, true},
                                                {5U, 2U, false},
                                                {5U, 3U, true},
                                                {1U, 0U, false}}) {
    EXPECT_EQ((LeaseFinding{.expired = expired, .voters = voters}).proves_closing(), proves)
        << expired << " of " << voters;
  }
}

TEST(LeaseWatchTest, WhatAPlanIsTold) {
  struct {
    const char* name;
    LeaseFinding finding;
    LeaseWord word;
  } const cases[] = {
      {"nothing is seen", {.voters = 3}, {.unknown = true}},
      {"no voter has given it its vote", {.voters = 3, .answering = 3}, {}},
      {"the silent one makes no majority", {.voters = 3, .answering = 2}, {}},
      {"the silent one may make it one",
       {.held = 1, .voters = 3, .answering = 2},
       {.unknown = true}},
      {"a majority",
       {.held = 2, .guards = 2, .voters = 3, .answering = 2, .silent_s = 1},
       {.held = "its guard has 2 of 3 votes and was heard 1s ago"}},
      {"its votes have expired",
       {.held = 1, .expired = 2, .voters = 3, .answering = 3, .silent_s = 1},
       {.expired = "the guard of db1 was not heard for 5s and has lost 2 of 3 votes"}},
      {"its guard wants no votes",
       {.guards = 2, .voters = 3, .answering = 3},
       {.expired = "the guard of db1 has no votes, for its server takes no writes"}},
      {"and reaches too few voters to tell", {.guards = 1, .voters = 3, .answering = 3}, {}},
      {"its sessions have ended before",
       {.broken = 2, .voters = 3, .answering = 3, .heard_s = 100},
       {.broken = true, .until_s = 105}},
      {"they have ended long ago", {.voters = 3, .answering = 3, .heard_s = 100}, {.until_s = 105}},
      {"nobody has looked before", {.voters = 3, .answering = 3, .since_s = 100}, {.until_s = 105}},
      {"it was heard since",
       {.voters = 3, .answering = 3, .heard_s = 110, .since_s = 100},
       {.until_s = 115}},
      {"its guard wants no votes any more",
       {.guards = 2, .voters = 3, .answering = 3, .heard_s = 100},
       {.expired = "the guard of db1 has no votes, for its server takes no writes"}},
  };
  for (const auto& c : cases) {
    const LeaseWord word = tell_lease(c.finding, "db1", kLease_s);
    EXPECT_EQ(word.held, c.word.held) << c.name;
    EXPECT_EQ(word.expired, c.word.expired) << c.name;
    EXPECT_EQ(word.broken, c.word.broken) << c.name;
    EXPECT_EQ(word.until_s, c.word.until_s) << c.name;
    EXPECT_EQ(word.unknown, c.word.unknown) << c.name;
  }
}

TEST(LeaseWatchTest, AVoterTellsForWhichNodeItsVoteIs) {
  FailoverOptions options;
  options.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
  FakeSession session("10.11.6-MariaDB");
  session.answer("SELECT IS_USED_LOCK('monitoring-plugins-ha:mysql:primary')",
                 Rows{{"l", "t", "p1", "g1", "p2", "g2"}, {{"7", "4", "3", {}, "7", "7"}}});
  const auto reading = read_lease(session, options);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->node, "db2");
  EXPECT_EQ(reading->silent_s, 4);
  EXPECT_EQ(reading->guards, std::set<std::string>{"db2"});
}

}  // namespace
}  // namespace ha
