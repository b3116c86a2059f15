// SPDX-License-Identifier: MIT
#include "common/failover/lease_decision.h"

#include <gtest/gtest.h>

#include <ostream>

namespace ha {

void PrintTo(LeaseAct act, std::ostream* out) {
  constexpr const char* kNames[] = {"release", "take", "hold", "close", "kill"};
  *out << kNames[static_cast<int>(act)];
}

namespace {

using Server = LeaseView::Server;

// A server that is writable since second 100, at second 1000, with a lease of 5 s and a margin
// of 1.
LeaseView writable() { return {Server::kWritable, 1000, 100}; }

LeaseView with_majority(double age_s) {
  LeaseView view = writable();
  view.majority_s = view.now_s - age_s;
  return view;
}

template <class Change>
LeaseView changed(LeaseView view, Change change) {
  change(view);
  return view;
}

TEST(LeaseDecisionTest, AServerTakesWritesOnlyWithTheLease) {
  const auto silent = [](double seconds) {
    return [seconds](LeaseView& view) { view.silent_since_s = view.now_s - seconds; };
  };
  const auto given_away = [](LeaseView& view) { view.given_away = true; };
  const auto as = [](Server server) { return [server](LeaseView& view) { view.server = server; }; };
  const auto since = [](double seconds) {
    return [seconds](LeaseView& view) { view.writable_since_s = view.now_s - seconds; };
  };
  const auto again = [](LeaseView& view) { view.had_lease = true; };
  const auto stopping = [](LeaseView& view) { view.stopping = true; };
  const auto closing = [](double seconds) {
    return [seconds](LeaseView& view) { view.closing_since_s = view.now_s - seconds; };
  };
  const auto awake = [](double seconds) {
    return [seconds](LeaseView& view) { view.awake_since_s = view.now_s - seconds; };
  };
  const auto doubted = [](LeaseView& view) { view.doubted = true; };
  const auto recalled = [](LeaseView& view) { view.recalled = view.doubted = true; };
  const auto restarted = [](LeaseView& view) { view.had_lease = view.restarted = true; };
  const auto cut_off = [](LeaseView& view) { view.cut_off = true; };
  struct {
    const char* name;
    LeaseView view;
    LeaseAct act;
  } const cases[] = {
      {"it is read-only", changed(writable(), as(Server::kClosed)), LeaseAct::kRelease},
      {"it is not the primary any more", changed(with_majority(0), as(Server::kClosed)),
       LeaseAct::kRelease},
      {"it was closed because the lease had ended",
       changed(with_majority(4.5), as(Server::kClosed)), LeaseAct::kRelease},
      {"its process has ended", changed(with_majority(0), as(Server::kEnded)), LeaseAct::kRelease},
      {"it became writable just now", changed(writable(), since(0)), LeaseAct::kTake},
      {"voters were started just now", changed(writable(), since(11.9)), LeaseAct::kTake},
      {"it never had a majority", changed(writable(), since(12)), LeaseAct::kClose},
      {"it was started again", changed(changed(writable(), since(0.9)), again), LeaseAct::kTake},
      {"it was started again, cut off from the voters",
       changed(changed(writable(), since(1)), again), LeaseAct::kClose},
      {"another primary has the votes", changed(changed(writable(), since(0)), given_away),
       LeaseAct::kClose},
      {"another primary has the votes, and closing takes its time",
       changed(changed(writable(), given_away), closing(0.9)), LeaseAct::kClose},
      {"another primary has the votes, and closing took too long",
       changed(changed(writable(), given_away), closing(1)), LeaseAct::kKill},
      {"the guard was started again after the lease, and logs in to the voters",
       changed(changed(writable(), since(3.9)), restarted), LeaseAct::kTake},
      {"the guard was started again after the lease, and the voters are too slow",
       changed(changed(writable(), since(4)), restarted), LeaseAct::kClose},
      {"the guard was started again after the lease, cut off from the voters",
       changed(changed(changed(writable(), since(0)), restarted), cut_off), LeaseAct::kClose},
      {"it never had a majority, and voters are cut off",
       changed(changed(writable(), since(11.9)), cut_off), LeaseAct::kTake},
      {"it was started again, and voters give no answer yet",
       changed(changed(changed(writable(), since(0.9)), again), cut_off), LeaseAct::kTake},
      {"the same, and closing takes its time",
       changed(changed(changed(writable(), since(4.9)), restarted), closing(0.9)),
       LeaseAct::kClose},
      {"the same, and closing took too long",
       changed(changed(changed(writable(), since(5)), restarted), closing(1)), LeaseAct::kKill},
      {"the guard was started again with something left of the lease",
       changed(with_majority(3.9), recalled), LeaseAct::kHold},
      {"the guard was started again just before the lease ends",
       changed(with_majority(4.6), recalled), LeaseAct::kClose},
      {"the same, and closing takes its time",
       changed(changed(with_majority(4.9), recalled), closing(0.3)), LeaseAct::kClose},
      {"the same, and it is not closed when the lease ends",
       changed(changed(with_majority(5), recalled), closing(0.4)), LeaseAct::kKill},
      {"the same, and the guard was stopped then",
       changed(changed(with_majority(700), recalled), closing(0.9)), LeaseAct::kClose},
      {"the votes are ours", with_majority(0), LeaseAct::kHold},
      {"voters answer slowly", with_majority(3.9), LeaseAct::kHold},
      {"the majority is lost", with_majority(4), LeaseAct::kClose},
      {"closing takes its time", changed(with_majority(4.9), closing(0.9)), LeaseAct::kClose},
      {"closing took too long", changed(with_majority(5), closing(1)), LeaseAct::kKill},
      {"closing was asked late", changed(with_majority(700), closing(0.9)), LeaseAct::kClose},
      {"the guard or its host was stopped for long", with_majority(700), LeaseAct::kClose},
      {"the same, and it knows", changed(with_majority(700), awake(0)), LeaseAct::kClose},
      {"the guard was stopped for a while, and asks first", changed(with_majority(4.5), awake(0.4)),
       LeaseAct::kHold},
      {"the guard was stopped for a while, and votes are lost",
       changed(changed(with_majority(4.5), awake(0.1)), doubted), LeaseAct::kClose},
      {"the guard was stopped for a while, and hears nothing",
       changed(with_majority(4.5), awake(0.5)), LeaseAct::kClose},
      {"the guard was stopped before it had a majority",
       changed(changed(writable(), since(700)), awake(11.9)), LeaseAct::kTake},
      {"the clock was set back", with_majority(-3), LeaseAct::kClose},
      {"the clock was set back and closing took too long", changed(with_majority(-3), closing(1)),
       LeaseAct::kKill},
      {"others have taken the votes", changed(with_majority(1), given_away), LeaseAct::kClose},
      {"it gives no answer", changed(with_majority(0), silent(29.9)), LeaseAct::kHold},
      {"it hangs", changed(with_majority(0), silent(30)), LeaseAct::kKill},
      {"the guard was stopped while it was asked",
       changed(changed(with_majority(0), silent(700)), awake(29.9)), LeaseAct::kHold},
      {"it gives no answer and the majority is lost", changed(with_majority(4), silent(2)),
       LeaseAct::kClose},
      {"it gives no answer and the lease has ended",
       changed(changed(with_majority(5), silent(2)), closing(1)), LeaseAct::kKill},
      {"the host shuts down", changed(with_majority(0), stopping), LeaseAct::kRelease},
      {"the guard is stopped before it had a majority", changed(writable(), stopping),
       LeaseAct::kRelease},
  };
  for (const auto& c : cases)
    EXPECT_EQ(decide_lease(c.view, {.lease_s = 5, .margin_s = 1, .hung_after_s = 30}), c.act)
        << c.name;
}

TEST(LeaseDecisionTest, WhatPeopleAreTold) {
  LeaseView recalled = with_majority(1), returned = writable(), hangs = with_majority(0);
  recalled.recalled = true;
  LeaseView ends = with_majority(5);
  returned.closing_since_s = ends.closing_since_s = 999;
  hangs.silent_since_s = 900;
  const struct {
    LeaseView view;
    LeaseAct act;
    std::string_view obstacle, line;
  } cases[] = {
      {with_majority(0), LeaseAct::kHold, "", "db1 has the lease of the primary"},
      {recalled, LeaseAct::kHold, "",
       "db1 has what is left of the lease of the guard before this one, which asks for it again"},
      {returned, LeaseAct::kKill, "db2: gone",
       "killing db1: it has no majority of votes, and it is not closed"},
      {ends, LeaseAct::kKill, "", "killing db1: its lease has ended, and it is not closed"},
      {ends, LeaseAct::kKill, "db2: gone", "killing db1: its lease has ended: db2: gone"},
      {hangs, LeaseAct::kKill, "", "killing db1: it was asked and gives no answer"},
  };
  for (const auto& c : cases) EXPECT_EQ(describe(c.view, c.act, "db1", c.obstacle), c.line);
}

TEST(LeaseDecisionTest, AGuardThatIsStartedAgainCountsFromTheLastMajority) {
  const LastMajority last{"db1", {9000, 100, "a"}, 10};
  const struct {
    const char* name;
    Moment now;
    int lease_s;
    std::optional<double> want;
  } cases[] = {
      {"at once", {9000, 100, "a"}, 10, 100},
      {"later, with the clock set", {5, 300, "a"}, 10, 100},
      {"the lease was longer", {9001, 101, "a"}, 4, 100},
      {"the lease was shorter", {9001, 101, "a"}, 30, 80},
      {"after a reboot", {9100, 101, "b"}, 10, {}},
      {"the uptime is not known", {9001}, 10, {}},
      {"the uptime was less then", {9001, 99, "a"}, 10, {}},
  };
  for (const auto& c : cases) EXPECT_EQ(recall_majority(last, c.now, c.lease_s), c.want) << c.name;
}

TEST(LeaseDecisionTest, AWatchdogIsFedWhileTheMajorityIsYoung) {
  const LeaseLimits limits{.lease_s = 5, .margin_s = 1, .hung_after_s = 30};
  LeaseView asking = with_majority(4.5);
  asking.awake_since_s = asking.now_s;
  const struct {
    const char* name;
    LeaseView view;
    LeaseAct act;
    bool fed;
  } cases[] = {
      {"it takes no writes", {Server::kClosed, 1000}, LeaseAct::kRelease, true},
      {"it asks for its first votes", writable(), LeaseAct::kTake, true},
      {"it has the lease", with_majority(0), LeaseAct::kHold, true},
      {"half of it is left", with_majority(3), LeaseAct::kHold, true},
      {"less is left", with_majority(3.1), LeaseAct::kHold, false},
      {"its guard was stopped and asks first", asking, LeaseAct::kHold, false},
      {"it is to be closed", with_majority(4), LeaseAct::kClose, false},
      {"it is to be killed", with_majority(5), LeaseAct::kKill, false},
  };
  for (const auto& c : cases) EXPECT_EQ(may_feed(c.view, c.act, limits), c.fed) << c.name;
}

// Whatever a guard does that has fed its watchdog: when it stops then, its host ends with the
// lease.
TEST(LeaseDecisionTest, AWatchdogActsBeforeTheLeaseEnds) {
  for (int lease_s = 2; lease_s <= 61; ++lease_s) {
    const int timeout_s = watchdog_timeout_s(lease_s);
    EXPECT_GE(timeout_s, 1);
    EXPECT_LE(timeout_s, (lease_s + 1) / 2) << lease_s;
    const LeaseLimits limits{static_cast<double>(lease_s), 1, 30};
    for (double age_s = 0; age_s < lease_s; age_s += 0.0625) {
      const LeaseView view = with_majority(age_s);
      if (may_feed(view, decide_lease(view, limits), limits)) {
        EXPECT_LE(age_s + timeout_s, lease_s) << lease_s;
      }
    }
  }
}

}  // namespace
}  // namespace ha
