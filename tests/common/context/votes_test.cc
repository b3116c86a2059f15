// SPDX-License-Identifier: MIT
#include "common/context/votes.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

// Work beside the caller's waits until the test lets it go on.
class PatientWorkers : public InlineWorkers {
 public:
  Result<std::unique_ptr<Job>> start(std::function<void()> work) override {
    begun = std::move(work);
    return std::unique_ptr<Job>(nullptr);
  }

  std::function<void()> begun;
};

// A clock that rings once during a wait.
class AlarmClock : public FakeClock {
 public:
  void pause(double seconds) override {
    FakeClock::pause(seconds);
    if (alarm && time_s >= alarm_s) std::exchange(alarm, nullptr)();
  }

  double alarm_s = 0;
  std::function<void()> alarm;
};

// Three servers: two nodes and a voter. Each answers as its entry says.
class VotesTest : public testing::Test {
 protected:
  enum class Voter { kWilling, kGivenAway, kRestarted, kAbsent, kGone };

  VotesTest() {
    options_.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
    options_.votes = {{"vote", 3306}};
    for (const char* host : {"db1", "db2", "vote"}) {
      voters_[host] = Voter::kWilling;
      connector_.servers[host] = [this, host](const MysqlOptions&) { return open(host); };
    }
  }

  Result<std::unique_ptr<SqlSession>> open(const std::string& host) {
    const Voter voter = voters_[host];
    if (voter == Voter::kAbsent) return Error{Errc::kUnreachable, "no route to host"};
    auto session = std::make_unique<FakeSession>("10.11.6-MariaDB");
    session->answer("SET SESSION wait_timeout = 10", Rows{})
        .answer("SHOW GLOBAL VARIABLES",
                Rows{{"Variable_name", "Value"}, {{"hostname", host}, {"server_id", "1"}}})
        .answer("Uptime", Rows{{"Variable_name", "Value"},
                               {{"Uptime", voter == Voter::kRestarted ? "3" : "5000"}}})
        .answer("GET_LOCK('monitoring-plugins-ha:mysql:vote', 0)",
                Rows{{"got"}, {{voter == Voter::kGivenAway ? "0" : "1"}}})
        .answer("SELECT HOST", Rows{{"HOST"}, {{"192.0.2.8:50001"}}})
        .answer("IS_USED_LOCK", Rows{{"id"}, {{guard_ ? "17" : ""}}});
    if (voter != Voter::kGone) session->answer("DO 0", Rows{});
    session->answer("SELECT STATE", Rows{{"STATE"}, {{guard_waits_ ? "User lock" : ""}}})
        .answer("RELEASE_LOCK('monitoring-plugins-ha:mysql:p", Rows{{"freed"}, {{"1"}}})
        .answer("GET_LOCK('monitoring-plugins-ha:mysql:p", Rows{{"got"}, {{"1"}}})
        .answer("SET SESSION wait_timeout = 5", Rows{});
    return std::unique_ptr<SqlSession>(std::move(session));
  }

  Result<Votes::Taken> take(const Topology& topology = {}) {
    return Votes::take(env_, options_, change_terms(options_), topology,
                       Deadline::after(clock_, 60));
  }

  AlarmClock clock_;
  FakeConnector connector_;
  FakeNetwork network_;
  PatientWorkers workers_;
  ProbeEnv env_{clock_, connector_, network_, workers_};
  FailoverOptions options_;
  std::map<std::string, Voter> voters_;
  bool guard_ = true, guard_waits_ = true;  // a holder of any lock; one that waits for another
};

TEST_F(VotesTest, AChangeNeedsTheMajorityOfAllVoters) {
  struct {
    const char* name;
    Voter db1, db2, vote;
    std::string shortage;  // empty: there is a majority
    double seconds;        // after which that is known
  } const cases[] = {
      {"all", Voter::kWilling, Voter::kWilling, Voter::kWilling, "", 0},
      {"the primary is dead", Voter::kAbsent, Voter::kWilling, Voter::kWilling, "", 0},
      {"cut off with one node", Voter::kAbsent, Voter::kWilling, Voter::kAbsent,
       "a change needs the votes of 2 of 3 servers, and this manager can have 1: db1: no "
       "route to host; vote:3306: no route to host",
       0},
      {"cut off from all", Voter::kAbsent, Voter::kAbsent, Voter::kAbsent,
       "a change needs the votes of 2 of 3 servers, and this manager can have none: db1: "
       "no route to host; db2: no route to host; vote:3306: no route to host",
       0},
      {"another manager is at work", Voter::kAbsent, Voter::kGivenAway, Voter::kWilling,
       "a change needs the votes of 2 of 3 servers, and this manager can have 1: db1: no "
       "route to host; db2: another manager has its vote (connection 17 from "
       "192.0.2.8:50001)",
       11},
      {"a voter has forgotten", Voter::kAbsent, Voter::kRestarted, Voter::kWilling,
       "a change needs the votes of 2 of 3 servers, and this manager can have 1: db1: no "
       "route to host; db2: it was started just now and votes 11s after its start",
       11},
  };
  for (const auto& c : cases) {
    voters_ = {{"db1", c.db1}, {"db2", c.db2}, {"vote", c.vote}};
    const double begin_s = clock_.time_s;
    const auto votes = take();
    EXPECT_EQ(votes ? "" : votes.error().text, c.shortage) << c.name;
    EXPECT_NEAR(clock_.time_s - begin_s, c.seconds, 0.6) << c.name;
  }
}

TEST_F(VotesTest, AVoteThatComesFreeIsTaken) {
  voters_ = {{"db1", Voter::kAbsent}, {"db2", Voter::kGivenAway}, {"vote", Voter::kWilling}};
  connector_.servers["db2"] = [this](const MysqlOptions&) {
    if (clock_.time_s > 1003) voters_["db2"] = Voter::kWilling;
    return open("db2");
  };
  const auto votes = take();
  ASSERT_TRUE(votes);
  EXPECT_TRUE(votes->waited);
}

TEST_F(VotesTest, OneServerHasOneVoteWhateverItIsCalled) {
  connector_.servers["vote"] = [this](const MysqlOptions&) { return open("db2"); };
  voters_["db1"] = Voter::kAbsent;
  EXPECT_EQ(take().error().text,
            "a change needs the votes of 2 of 3 servers, and this manager can have 1: db1: no "
            "route to host; vote:3306: it is the same server as db2");
}

TEST_F(VotesTest, AMinorityThatIsGivenAwayStopsNobody) {
  voters_["db1"] = Voter::kGivenAway;
  EXPECT_TRUE(take());
}

TEST_F(VotesTest, ANodeThatGaveNoAnswerIsNotAsked) {
  connector_.servers["db1"] = [](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
    ADD_FAILURE() << "asked";
    return Error{Errc::kUnreachable, ""};
  };
  EXPECT_TRUE(take(linked({lost(1), replica(2, 1)})));
}

TEST_F(VotesTest, VotesCountUntilTheMarginBeforeTheLeaseEnds) {
  const auto votes = take();
  ASSERT_TRUE(votes);
  clock_.time_s += 8.9;
  EXPECT_TRUE(votes->votes->confirm());
  clock_.time_s += 0.2;
  EXPECT_EQ(votes->votes->confirm().error().text,
            "a change needs the votes of 2 of 3 servers, and this manager can have none: db1: "
            "its last answer is older than 9s; db2: its last answer is older than 9s; "
            "vote:3306: its last answer is older than 9s");
}

TEST_F(VotesTest, AKeptVoteLastsAndOneWithoutAnAnswerIsLost) {
  struct {
    Voter db1, db2;
    std::string shortage;
  } const cases[] = {
      {Voter::kGone, Voter::kWilling, ""},
      {Voter::kGone, Voter::kGone,
       "a change needs the votes of 2 of 3 servers, and this manager can have none: db1: "
       "its vote was lost: unexpected statement: DO 0; db2: its vote was lost: unexpected "
       "statement: DO 0; vote:3306: its vote was given back"},
  };
  for (const auto& c : cases) {
    voters_ = {{"db1", c.db1}, {"db2", c.db2}, {"vote", Voter::kWilling}};
    auto votes = take();
    ASSERT_TRUE(votes);
    std::string shortage;
    clock_.alarm_s = clock_.time_s + 30;
    clock_.alarm = [&] {
      const auto ours = votes->votes->confirm();
      shortage = ours ? "" : ours.error().text;
      votes->votes.reset();
    };
    workers_.begun();  // ends with its votes
    EXPECT_EQ(shortage, c.shortage);
  }
}

TEST_F(VotesTest, VotesOfAPrimaryAreHandedOverToItsGuard) {
  struct {
    const char* name;
    bool guard, waits;
    std::string failure;
    double seconds;
  } const cases[] = {
      {"it waits for them", true, true, "", 0},
      {"there is none", false, false, "no guard is connected to most of the voters", 0},
      {"it does not take them", true, false, "its guard has taken 0 of 3 votes", 3},
  };
  options_.lease.lease_s = 5;
  for (const auto& c : cases) {
    guard_ = c.guard;
    guard_waits_ = c.waits;
    const auto taken =
        Votes::take(env_, options_, lease_terms(options_, "db2"), {}, Deadline::after(clock_, 60));
    ASSERT_TRUE(taken) << taken.error().text;
    const double begin_s = clock_.time_s;
    const auto handed =
        taken->votes->hand_over(options_.guard_lock("db2"), Deadline::after(clock_, 3));
    EXPECT_EQ(handed ? "" : handed.error().text, c.failure) << c.name;
    EXPECT_NEAR(clock_.time_s - begin_s, c.seconds, 0.1) << c.name;
    EXPECT_FALSE(taken->votes->confirm()) << c.name;
  }
}

}  // namespace
}  // namespace ha
