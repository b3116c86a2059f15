// SPDX-License-Identifier: MIT
#include "common/context/guard_files.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_env.h"

namespace ha {
namespace {

constexpr char kDirectory[] = "/state/mysql";

Moment at(double uptime_s, const char* boot = "a") { return {1000 + uptime_s, uptime_s, boot}; }

TEST(GuardFiles, WhatAGuardSeesIsReadAsItWasWritten) {
  GuardState state{7, at(5), "db1", false, true, "watching", "db2 gives no answer", "db1"};
  state.nodes = {{"db1", 0, NodeLife::kAnswers, false},
                 {"db2", 0, NodeLife::kGone, {}, 0, "refused (111)"},
                 {"db3", 0, NodeLife::kAnswers, true}};
  state.deed = {at(4), "20261130T090000.000-7", "failover done: db1 replaces db2"};
  state.lease_trouble = "db1 takes writes and has no lease";
  state.missing_votes = "vote: no route";
  MemoryFiles files;
  GuardFiles guard(files, kDirectory);
  EXPECT_FALSE(guard.read()->has_value());
  ASSERT_TRUE(guard.write(guard_state_to_json(state)));
  const auto answer = guard.read();
  ASSERT_TRUE(answer && *answer);
  const auto& read = *answer;
  EXPECT_EQ(guard_state_to_json(*read), guard_state_to_json(state));
  EXPECT_EQ(read->missing_votes, state.missing_votes);
  EXPECT_EQ(read->nodes, state.nodes);
  EXPECT_EQ(read->deed->run, state.deed->run);
}

TEST(GuardFiles, WhatCannotBeReadIsNoGuardThatWasNeverStarted) {
  MemoryFiles files;
  EXPECT_EQ(read_guard(files, kDirectory, at(1)).unread, "");
  files.files[std::string(kDirectory) + "/guard.json"] = "{}";
  const GuardReport report = read_guard(files, kDirectory, at(1));
  EXPECT_FALSE(report.state || report.missing);
  EXPECT_EQ(report.unread, "/state/mysql/guard.json is not what a guard of this version writes");
}

TEST(GuardFiles, AnythingElseIsNoStateOfAGuard) {
  for (const char* text : {"", "{}", "[]", "null", R"({"format":"monitoring-plugins-ha guard 2"})",
                           R"({"format":"monitoring-plugins-ha guard 1"})"})
    EXPECT_FALSE(parse_guard_state(text)) << text;
}

TEST(GuardFiles, APauseEndsByTheUptimeWhateverTheClockShows) {
  const struct {
    const char* name;
    std::optional<double> seconds;
    Moment now;
    std::optional<double> want_left_s;
    bool want_over;
  } cases[] = {
      {"half of it", 60, at(40), 30, false},
      {"all of it", 60, at(70), 0, true},
      {"no end", {}, at(1e6), {}, false},
      {"the clock of the wall was set", 60, {5, 40, "a"}, 30, false},
      {"the machine was restarted and the clock set back", 60, {5, 40, "b"}, 60, false},
      {"the machine was restarted", 60, {1080, 40, "b"}, 0, true},
  };
  for (const auto& c : cases) {
    const GuardPause pause{at(10), c.seconds};
    EXPECT_EQ(pause.left_s(c.now), c.want_left_s) << c.name;
    EXPECT_EQ(pause.is_over(c.now), c.want_over) << c.name;
  }
}

TEST(GuardFiles, APauseThatCannotBeReadHasNoEnd) {
  MemoryFiles files;
  GuardFiles guard(files, kDirectory);
  EXPECT_FALSE(guard.read_pause(at(10)));
  ASSERT_TRUE(guard.write_pause({at(10), 60}));
  ASSERT_TRUE(guard.read_pause(at(20)));
  ASSERT_TRUE(guard.write_closing({"db1", {"binlog.000007", 4711}, ""}));
  EXPECT_FALSE(guard.find_reopenable(at(20)));
  EXPECT_TRUE(guard.find_reopenable(at(71)));
  EXPECT_EQ(guard.read_pause(at(20))->seconds, 60);
  EXPECT_FALSE(guard.read_pause(at(71)));
  ASSERT_TRUE(guard.end_pause());
  EXPECT_FALSE(guard.read_pause(at(20)));
  files.files[std::string(kDirectory) + "/guard-paused.json"] = "touched";
  ASSERT_TRUE(guard.read_pause(at(20)));
  EXPECT_FALSE(guard.read_pause(at(20))->seconds);
}

TEST(GuardFiles, AClosingIsReadAsItWasWritten) {
  MemoryFiles files;
  GuardFiles guard(files, kDirectory);
  EXPECT_FALSE(guard.read_closing());
  const OwnClosing closing{"db1", {"binlog.000007", 5000000000}, "2026-11-30 09:00:00.000001"};
  ASSERT_TRUE(guard.write_closing(closing));
  EXPECT_EQ(guard.read_closing(), closing);
  ASSERT_TRUE(guard.forget_closing());
  EXPECT_FALSE(guard.read_closing());
  files.files[std::string(kDirectory) + "/guard-closed.json"] = "{}";
  EXPECT_FALSE(guard.read_closing());
}

TEST(GuardFiles, TheLastMajorityIsReadAsItWasWritten) {
  MemoryFiles files;
  GuardFiles guard(files, kDirectory);
  EXPECT_FALSE(guard.read_majority());
  auto& content = files.files[std::string(kDirectory) + "/guard-lease.json"];
  for (const LastMajority& last : {LastMajority{"db1", at(5.25), 10},
                                   LastMajority{"db1", at(5.25), 10, true, {{77, 5000000000}}}}) {
    ASSERT_TRUE(guard.write_majority(last));
    EXPECT_EQ(guard.read_majority(), last);
  }
  // As an older guard has left it.
  content = R"({"format":"monitoring-plugins-ha guard lease 1","node":"db1","majority":)"
            R"({"now_s":9.0,"uptime_s":5.5,"boot":"b"},"lease_s":10})";
  EXPECT_EQ(guard.read_majority(), (LastMajority{"db1", {9, 5.5, "b"}, 10}));
  content = "[]";
  EXPECT_FALSE(guard.read_majority());
}

TEST(GuardFiles, OneIsMissedThatWasStartedAndNotStopped) {
  const struct {
    const char* name;
    bool started, stopped, running, want;
  } cases[] = {
      {"there was none", false, false, false, false},
      {"it runs", true, false, true, false},
      {"it was stopped", true, true, false, false},
      {"it was killed", true, false, false, true},
  };
  for (const auto& c : cases) {
    MemoryFiles files;
    GuardFiles guard(files, kDirectory);
    GuardState state;
    state.stopped = c.stopped;
    if (c.started) {
      ASSERT_TRUE(guard.write(guard_state_to_json(state)));
    }
    const auto lock = c.running ? guard.lock() : Result<std::unique_ptr<FileLock>>(nullptr);
    EXPECT_EQ(read_guard(files, kDirectory, at(1)).missing, c.want) << c.name;
    if (c.running) {
      EXPECT_EQ(guard.lock().error().code, Errc::kRefused) << c.name;
    }
  }
}

}  // namespace
}  // namespace ha
