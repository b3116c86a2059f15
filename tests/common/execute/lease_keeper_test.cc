// SPDX-License-Identifier: MIT
#include "common/execute/lease_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <new>
#include <thread>
#include <utility>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

Rows one(const std::string& value) { return Rows{{"value"}, {{value}}}; }

const Error kGone{Errc::kUnreachable, "lost connection", 2013};

// A server that votes, and its locks.
struct Voter {
  std::string name;
  bool gone = false;
  std::optional<Error> error = {};  // as it answers a login
  std::string read_only = "1", uptime = "5000";
  std::map<std::string, int> locks = {};  // by name: the connection that has it
  int connections = 0;
  std::function<void()> before_word = {};  // before it answers that we are there: once
};

class VoterSession : public SqlSession {
 public:
  explicit VoterSession(Voter& voter) : voter_(voter), id_(++voter.connections) {}
  ~VoterSession() override {
    std::erase_if(voter_.locks, [this](const auto& lock) { return lock.second == id_; });
  }

  Result<Rows> query(const std::string& sql) override {
    if (voter_.gone) return kGone;
    if (sql.starts_with("SELECT GET_LOCK(")) {
      const int holder = voter_.locks.try_emplace(name_in(sql), id_).first->second;
      return one(holder == id_ ? "1" : "0");
    }
    if (sql.starts_with("SELECT RELEASE_LOCK(")) {
      voter_.locks.erase(name_in(sql));
      return one("1");
    }
    if (sql.find(") = IS_USED_LOCK(") != sql.npos) {
      const std::string first = name_in(sql), second = name_in(sql.substr(sql.find(" = ")));
      if (!voter_.locks.contains(first)) return one("1");
      const bool both = voter_.locks.contains(second);
      return one(both && voter_.locks[first] == voter_.locks[second] ? "1" : "0");
    }
    if (sql == "DO 0")
      if (const auto before = std::exchange(voter_.before_word, nullptr)) before();
    if (sql == "SET GLOBAL read_only=1") voter_.read_only = "1";
    FakeSession answers("10.11.6-MariaDB");
    return answers.answer("@@GLOBAL.port", one("3306"))
        .answer("@@GLOBAL.pid_file", one("/run/mysqld.pid"))
        .answer("Uptime", Rows{{"Variable_name", "Value"}, {{"Uptime", voter_.uptime}}})
        .answer("SHOW GLOBAL VARIABLES",
                Rows{{"Variable_name", "Value"}, {{"hostname", voter_.name}, {"server_id", "1"}}})
        .answer("@@GLOBAL.read_only", one(voter_.read_only))
        .answer("STATUS", Rows{{"File", "Position"}, {{"binlog.000007", "4711"}}})
        .answer("GLOBAL_VALUE_ORIGIN", one("SQL"))
        .answer("SELECT HOST", one("192.0.2.8:50001"))
        .answer("COALESCE(IS_USED_LOCK(", one("17"))
        .answer("CONNECTION_ID()", one("3"))
        .answer("SHOW PROCESSLIST", Rows{{"Id", "User", "Command"}, {}})
        .answer("SET ", Rows{})
        .answer("DO 0", Rows{})
        .query(sql);
  }
  const Version& version() const override { return version_; }

 private:
  static std::string name_in(const std::string& sql) {
    const std::size_t begin = sql.find('\'') + 1;
    return sql.substr(begin, sql.find('\'', begin) - begin);
  }

  Voter& voter_;
  const int id_;
  const Version version_ = parse_version("10.11.6-MariaDB");
};

// Process 77 is the server db1.
class OneProcess : public FakePrograms {
 public:
  Result<ServerProcess> find_server(int id, unsigned) override {
    return ServerProcess{id, 5, 5000};
  }
  bool is_running(const ServerProcess&) override { return running; }
  Result<Done> kill_server(const ServerProcess&) override {
    running = immortal;
    return Done{};
  }
  bool running = true, immortal = false;
};

// The guard of db1, which takes writes; db2 and a server that votes. A lease of 5 s, a margin of 1.
class LeaseKeeperTest : public testing::Test {
 protected:
  LeaseKeeperTest() {
    options_.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
    options_.votes = {{"vote", 3306}};
    options_.state_dir = "/state";
    options_.cluster_name = "c";
    for (const char* name : {"db1", "db2", "vote"}) {
      voters_[name].name = name;
      world_.connector.servers[name] =
          [this, name](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
        if (voters_[name].gone) return kGone;
        if (voters_[name].error) return *voters_[name].error;
        return std::unique_ptr<SqlSession>(std::make_unique<VoterSession>(voters_[name]));
      };
    }
    voters_["db1"].read_only = "0";
    world_.files.files["/run/mysqld.pid"] = "77";
    make_keeper({.lease_s = 5, .hung_after_s = 30});
  }

  struct Limits {
    int lease_s;
    double hung_after_s;
  };
  void make_keeper(const Limits& limits) {
    options_.lease.lease_s = limits.lease_s;
    options_.policy.hung_after_s = limits.hung_after_s;
    keeper_ =
        std::make_shared<LeaseKeeper>(env_, options_, options_.cluster.nodes[0],
                                      [this](const std::string& line) { log_.push_back(line); });
  }

  // Lets the loops turn for some time.
  LeaseAct turn(double seconds) {
    LeaseAct act = LeaseAct::kRelease;
    for (const double end_s = world_.clock.time_s + seconds; world_.clock.time_s < end_s;
         world_.clock.time_s += 0.1) {
      keeper_->look();
      act = keeper_->judge();
      for (std::size_t i = 0; i < keeper_->voters(); ++i) keeper_->tend(i);
      keeper_->remember();
    }
    return act;
  }

  std::size_t votes() const {
    return static_cast<std::size_t>(std::ranges::count_if(voters_, [this](const auto& voter) {
      return voter.second.locks.contains(options_.lease_lock());
    }));
  }

  struct Food {
    int meals = 0;
    bool disarmed = false;
    std::function<void()> before = [] {};
  };
  class FakeWatchdog : public Watchdog {
   public:
    explicit FakeWatchdog(Food& food) : food_(food) {}
    Result<Done> feed() override {
      food_.before();
      ++food_.meals;
      return Done{};
    }
    Result<Done> disarm() override {
      food_.disarmed = true;
      return Done{};
    }

   private:
    Food& food_;
  };

  // What the guard has left of a closing.
  std::optional<OwnClosing> closing() {
    return GuardFiles(world_.files, "/state/c").read_closing();
  }

  // As a guard after this one reads it.
  double last_lease_ends_s() {
    return GuardFiles(world_.files, "/state/c").read_majority()->at.uptime_s + 5;
  }

  void cut_off() { voters_["db2"].gone = voters_["vote"].gone = true; }

  FakeWorld world_;
  OneProcess processes_;
  Env env_{world_.clock, world_.connector, processes_,
           world_.files, world_.network,   world_.workers};
  FailoverOptions options_;
  std::map<std::string, Voter> voters_;
  std::vector<std::string> log_;
  std::shared_ptr<LeaseKeeper> keeper_;
};

TEST_F(LeaseKeeperTest, APrimaryHasTheLease) {
  EXPECT_EQ(turn(0.3), LeaseAct::kHold);
  EXPECT_EQ(votes(), 3U);
  EXPECT_EQ(turn(60), LeaseAct::kHold);
  const LeaseStatus status = keeper_->status();
  EXPECT_TRUE(status.wanted);
  EXPECT_EQ(status.votes, 3U);
  EXPECT_NEAR(status.left_s.value_or(0), 3.5, 0.6);
  EXPECT_EQ(status.obstacle, "");
}

TEST_F(LeaseKeeperTest, AReplicaHasNoneAndItsGuardIsSeen) {
  voters_["db1"].read_only = "1";
  EXPECT_EQ(turn(2), LeaseAct::kRelease);
  EXPECT_EQ(votes(), 0U);
  for (const auto& [name, voter] : voters_)
    EXPECT_TRUE(voter.locks.contains(options_.guard_lock("db1"))) << name;
  EXPECT_FALSE(keeper_->status().wanted);
}

TEST_F(LeaseKeeperTest, AServerThatWasClosedGivesTheVotesBack) {
  turn(1);
  voters_["db1"].read_only = "1";
  EXPECT_EQ(turn(0.2), LeaseAct::kRelease);
  EXPECT_EQ(votes(), 0U);
}

TEST_F(LeaseKeeperTest, AMinorityOfVotersMayBeGone) {
  voters_["vote"].gone = true;
  EXPECT_EQ(turn(60), LeaseAct::kHold);
  EXPECT_EQ(keeper_->status().obstacle, "vote:3306: lost connection");
  voters_["vote"].gone = false;
  turn(2);
  EXPECT_EQ(votes(), 3U);
}

TEST_F(LeaseKeeperTest, AServerThatIsCutOffIsClosedBeforeTheLeaseEnds) {
  turn(10);
  cut_off();
  EXPECT_EQ(turn(2.9), LeaseAct::kHold);
  EXPECT_EQ(voters_["db1"].read_only, "0");
  turn(1.2);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_TRUE(processes_.running);
  EXPECT_EQ(turn(60), LeaseAct::kRelease);
}

// So that it, or the guard after it, may open the server again.
TEST_F(LeaseKeeperTest, WhatIsClosedForWantOfVotesIsOnDiskUntilItTakesWrites) {
  turn(10);
  EXPECT_EQ(closing(), std::nullopt);
  cut_off();
  turn(4.1);
  ASSERT_EQ(voters_["db1"].read_only, "1");
  EXPECT_EQ(closing(), std::nullopt);
  turn(1);
  const OwnClosing left{"db1", {"binlog.000007", 4711}};
  EXPECT_EQ(closing(), left);
  EXPECT_EQ(turn(60), LeaseAct::kRelease);
  make_keeper({.lease_s = 5, .hung_after_s = 30});
  turn(10);
  EXPECT_EQ(closing(), left);
  voters_["db1"].read_only = "0";
  turn(0.2);
  EXPECT_EQ(closing(), std::nullopt);
  // Now by hand.
  voters_["db1"].read_only = "1";
  turn(10);
  EXPECT_EQ(closing(), std::nullopt);
}

TEST_F(LeaseKeeperTest, NothingIsLeftOfAClosingWhenAnotherPrimaryWasSeenOrTheServerHasEnded) {
  for (const bool ended : {true, false}) {
    turn(10);
    cut_off();
    turn(5.1);
    ASSERT_TRUE(closing());
    if (ended)
      processes_.running = !(voters_["db1"].gone = true);
    else
      keeper_->note_other_primary();
    turn(0.2);
    EXPECT_EQ(closing(), std::nullopt);
    processes_.running = true;
    for (auto& [name, voter] : voters_) voter.gone = false;
    voters_["db1"].read_only = "0";
  }
}

TEST_F(LeaseKeeperTest, WhatAnOperatorHasClosedAMomentBeforeIsNotOursToOpen) {
  for (const bool by_operator : {false, true}) {
    turn(10);
    // The guard stood still, and has not looked since.
    world_.clock.time_s += 700;
    if (by_operator) voters_["db1"].read_only = "1";
    EXPECT_EQ(keeper_->judge(), LeaseAct::kClose);
    EXPECT_EQ(voters_["db1"].read_only, "1");
    turn(2);
    EXPECT_EQ(closing().has_value(), !by_operator);
    voters_["db1"].read_only = "0";
  }
}

TEST_F(LeaseKeeperTest, AFullDiskIsToldOnceAndAsksForNoClosing) {
  const auto told = [this](const char* file) {
    return std::ranges::count(log_, std::string("what a guard after this one has to know of db1 is "
                                                "not on disk: cannot write /state/c/") +
                                        file + ": No space left on device");
  };
  world_.files.full = true;
  EXPECT_EQ(turn(10), LeaseAct::kHold);
  EXPECT_EQ(told("guard-lease.json"), 1);
  cut_off();
  turn(10);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_EQ(told("guard-closed.json"), 1);
  world_.files.full = false;
  turn(1);
  EXPECT_TRUE(closing());
}

// Whatever ended the guard before it.
TEST_F(LeaseKeeperTest, AGuardThatIsStartedAgainHasNoMoreTimeThanWasLeft) {
  const auto restart = [this](double down_s) {
    turn(10);
    cut_off();
    world_.clock.time_s += down_s;
    make_keeper({.lease_s = 5, .hung_after_s = 30});
  };
  const auto come_back = [this] {
    for (auto& [name, voter] : voters_) voter.gone = false;
    voters_["db1"].read_only = "0";
  };
  restart(1);
  EXPECT_EQ(turn(1.8), LeaseAct::kHold);
  turn(1.3);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_TRUE(processes_.running);
  // The votes may be had again, and were another manager's meanwhile.
  come_back();
  restart(60);
  EXPECT_EQ(turn(0.1), LeaseAct::kTake);
  turn(0.2);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_TRUE(processes_.running);
  come_back();
  // Less than the margin.
  turn(10);
  cut_off();
  world_.clock.time_s = last_lease_ends_s() - 0.9;
  make_keeper({.lease_s = 5, .hung_after_s = 30});
  turn(0.2);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_TRUE(processes_.running);
  come_back();
  restart(60);
  come_back();
  EXPECT_EQ(turn(30), LeaseAct::kHold);
  // Of another boot nothing is known.
  auto& left = world_.files.files["/state/c/guard-lease.json"];
  restart(1);
  left.replace(left.find("\"boot\":\"boot\""), 13, "\"boot\":\"else\"");
  make_keeper({.lease_s = 5, .hung_after_s = 30});
  EXPECT_EQ(turn(11), LeaseAct::kTake);
}

// Nobody can tell it from one that takes writes as soon as it goes on.
TEST_F(LeaseKeeperTest, AServerThatHangsWhenTheGuardIsStartedAgainIsKilledAtTheEndOfTheLease) {
  const Error full{Errc::kRefused, "Too many connections", 1040};
  const Error denied{Errc::kAccessDenied, "Access denied", 1045};
  const struct {
    const char* name;
    double at_s;                // of the start, from the end of the lease
    std::string read_only;      // as the guard before has seen it
    Error error;                // of the server, from then on
    std::optional<double> end;  // of the server, from the end of the lease
  } cases[] = {
      {"most of the lease is left", -4, "0", kGone, 0},
      {"less than the margin is left", -0.3, "0", kGone, 0},
      {"the lease has ended", 60, "0", kGone, 61.1},
      {"it takes no more connections", -4, "0", full, 0},
      {"it was read-only before", -4, "1", kGone, {}},
      {"the password is wrong now", -4, "0", denied, {}},
  };
  for (const auto& c : cases) {
    turn(10);
    voters_["db1"].read_only = c.read_only;
    turn(0.3);
    cut_off();
    voters_["db1"].error = c.error;
    const double end_s = last_lease_ends_s();
    world_.clock.time_s = end_s + c.at_s;
    make_keeper({.lease_s = 5, .hung_after_s = 300});
    turn(end_s + c.end.value_or(60) - 0.1 - world_.clock.time_s);
    EXPECT_TRUE(processes_.running) << c.name;
    turn(0.3);
    EXPECT_EQ(processes_.running, !c.end) << c.name;
    // It answers again.
    processes_.running = true;
    for (auto& [name, voter] : voters_) voter.gone = false;
    voters_["db1"].error.reset();
    voters_["db1"].read_only = "0";
    make_keeper({.lease_s = 5, .hung_after_s = 30});
  }
}

// Logging in to them takes many times as long as a word.
TEST_F(LeaseKeeperTest, AGuardThatIsStartedAgainLateWaitsForVotersThatAreSlow) {
  for (const bool closed : {false, true}) {
    turn(10);
    if (closed) {
      cut_off();
      turn(10);
      ASSERT_EQ(voters_["db1"].read_only, "1");
      // Another manager opens it before the new guard looks.
      for (auto& [name, voter] : voters_) voter.gone = false;
      voters_["db1"].read_only = "0";
    }
    world_.clock.time_s += 60;
    make_keeper({.lease_s = 5, .hung_after_s = 30});
    const double begin_s = world_.clock.time_s;
    for (; world_.clock.time_s < begin_s + 3.9; world_.clock.time_s += 0.1) {
      keeper_->look();
      EXPECT_EQ(keeper_->judge(), LeaseAct::kTake) << closed;
    }
    EXPECT_EQ(turn(30), LeaseAct::kHold) << closed;
    EXPECT_EQ(voters_["db1"].read_only, "0") << closed;
  }
}

// One that was started just now answers, and cannot know to whom it gave its vote.
TEST_F(LeaseKeeperTest, AGuardThatIsStartedAgainLateWaitsForVotersThatHaveForgotten) {
  turn(10);
  world_.clock.time_s += 60;
  make_keeper({.lease_s = 5, .hung_after_s = 30});
  voters_["db2"].uptime = voters_["vote"].uptime = "3";
  EXPECT_EQ(turn(3), LeaseAct::kTake);
  voters_["db2"].uptime = voters_["vote"].uptime = "6";
  EXPECT_EQ(turn(30), LeaseAct::kHold);
  EXPECT_EQ(voters_["db1"].read_only, "0");
}

TEST_F(LeaseKeeperTest, WhatIsLeftOfAnEarlierLeaseIsNotTakenForOne) {
  turn(10);
  cut_off();
  make_keeper({.lease_s = 5, .hung_after_s = 30});
  log_.clear();
  EXPECT_EQ(turn(1), LeaseAct::kHold);
  EXPECT_TRUE(keeper_->status().recalled);
  for (auto& [name, voter] : voters_) voter.gone = false;
  EXPECT_EQ(turn(1.5), LeaseAct::kHold);
  EXPECT_FALSE(keeper_->status().recalled);
  EXPECT_EQ(log_,
            (std::vector<std::string>{
                "db1 has what is left of the lease of the guard before this one, which asks for it "
                "again",
                "db1 has the lease of the primary"}));
}

// A guard that is seen and has no vote would tell others that its server takes no writes.
TEST_F(LeaseKeeperTest, AGuardIsNotSeenBeforeAServerThatItClosesIsClosed) {
  int closings = 0;
  for (double down_s = 2.5; down_s < 4.5; down_s += 0.1) {
    turn(10);
    world_.clock.time_s += down_s;
    make_keeper({.lease_s = 5, .hung_after_s = 30});
    for (auto& [name, voter] : voters_) voter.locks.clear();
    world_.clock.time_s += 0.3;
    keeper_->look();
    closings += keeper_->judge() == LeaseAct::kClose;
    for (std::size_t i = 0; i < keeper_->voters(); ++i) keeper_->tend(i);
    for (const auto& [name, voter] : voters_)
      EXPECT_EQ(voter.locks.count(options_.guard_lock("db1")),
                voter.locks.count(options_.lease_lock()))
          << down_s;
    turn(1);
    voters_["db1"].read_only = "0";
  }
  EXPECT_GT(closings, 0);
}

TEST_F(LeaseKeeperTest, AServerThatHangsIsKilledWhenTheLeaseEnds) {
  turn(10);
  cut_off();
  voters_["db1"].gone = true;
  turn(3.8);
  EXPECT_TRUE(processes_.running);
  turn(1.5);
  EXPECT_FALSE(processes_.running);
}

TEST_F(LeaseKeeperTest, AGuardThatWasStoppedForLongClosesTheServer) {
  turn(10);
  world_.clock.time_s += 700;
  EXPECT_EQ(keeper_->judge(), LeaseAct::kClose);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_EQ(turn(60), LeaseAct::kRelease);
  EXPECT_TRUE(processes_.running);
}

TEST_F(LeaseKeeperTest, AGuardThatWasStoppedKillsAServerThatCannotBeClosedThen) {
  turn(10);
  world_.clock.time_s += 700;
  voters_["db1"].gone = true;
  turn(0.8);
  EXPECT_TRUE(processes_.running);
  turn(0.5);
  EXPECT_FALSE(processes_.running);
}

TEST_F(LeaseKeeperTest, AGuardThatWasStoppedWhileItsServerClosesGivesItTheTimeAgain) {
  turn(10);
  cut_off();
  voters_["db1"].gone = true;
  turn(3.8);
  world_.clock.time_s += 20;
  turn(0.8);
  EXPECT_TRUE(processes_.running);
  turn(0.5);
  EXPECT_FALSE(processes_.running);
}

// Whatever another thread does between the moment of a turn and its decision.
TEST_F(LeaseKeeperTest, AMajorityThatIsFoundMeanwhileDoesNotLieInTheFuture) {
  class HookedClock : public FakeClock {
   public:
    Moment moment() const override {
      const Moment now = FakeClock::moment();
      if (const auto run = std::exchange(hook, nullptr)) run();
      return now;
    }
    mutable std::function<void()> hook = nullptr;
  } clock;
  Env env{clock, world_.connector, processes_, world_.files, world_.network, world_.workers};
  const auto keeper = std::make_shared<LeaseKeeper>(env, options_, options_.cluster.nodes[0],
                                                    [](const std::string&) {});
  const auto tend = [&] {
    for (std::size_t i = 0; i < keeper->voters(); ++i) keeper->tend(i);
  };
  for (int i = 0; i < 2; ++i) {
    keeper->look();
    keeper->judge();
    tend();
  }
  ASSERT_EQ(keeper->judge(), LeaseAct::kHold);
  clock.time_s += 1.5;
  std::promise<void> tended;
  std::thread other;
  clock.hook = [&] {
    other = std::thread([&] {
      clock.time_s += 0.01;
      tend();
      tended.set_value();
    });
    // It has to wait for the decision, or has been before it.
    tended.get_future().wait_for(std::chrono::milliseconds(100));
  };
  EXPECT_EQ(keeper->judge(), LeaseAct::kHold);
  other.join();
  EXPECT_EQ(voters_["db1"].read_only, "0");
}

// The votes are still ours, as the sessions tell that live on.
TEST_F(LeaseKeeperTest, AGuardThatWasStoppedForLessThanTheLeaseAsksFirst) {
  turn(10);
  world_.clock.time_s += 3.6;
  EXPECT_EQ(keeper_->judge(), LeaseAct::kHold);
  EXPECT_EQ(turn(30), LeaseAct::kHold);
  EXPECT_EQ(voters_["db1"].read_only, "0");
}

TEST_F(LeaseKeeperTest, AGuardThatWasStoppedAndHasLostItsVotesClosesTheServer) {
  turn(10);
  world_.clock.time_s += 3.6;
  cut_off();
  turn(0.3);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  EXPECT_TRUE(processes_.running);
}

// What is late on a loaded machine: the word of a voter after it gave its vote.
TEST_F(LeaseKeeperTest, AVoteCountsFromTheMomentWhenItIsGiven) {
  voters_["db1"].before_word = [this] {
    keeper_->tend(1);
    EXPECT_EQ(keeper_->judge(), LeaseAct::kHold);
  };
  EXPECT_EQ(turn(1), LeaseAct::kHold);
  EXPECT_FALSE(voters_["db1"].before_word);
  EXPECT_TRUE(processes_.running);
  EXPECT_EQ(voters_["db1"].read_only, "0");
}

TEST_F(LeaseKeeperTest, APauseOfTheGuardIsNoSilenceOfTheServer) {
  make_keeper({.lease_s = 30, .hung_after_s = 3});
  turn(10);
  // The guard itself was stopped, and its connection is lost.
  world_.clock.time_s += 2.5;
  voters_["db1"].gone = true;
  keeper_->look();
  world_.clock.time_s += 2.5;
  keeper_->judge();
  EXPECT_TRUE(processes_.running);
  voters_["db1"].gone = false;
  EXPECT_EQ(turn(10), LeaseAct::kHold);
  voters_["db1"].gone = true;
  EXPECT_EQ(turn(2.9), LeaseAct::kHold);
  turn(0.5);
  EXPECT_FALSE(processes_.running);
  EXPECT_EQ(std::ranges::count(log_, "killing db1: it was asked and gives no answer"), 1);
}

TEST_F(LeaseKeeperTest, AServerThatIsNotAskedIsNotSilent) {
  make_keeper({.lease_s = 30, .hung_after_s = 3});
  turn(10);
  for (int i = 0; i < 100; ++i) {
    world_.clock.time_s += 0.1;
    EXPECT_EQ(keeper_->judge(), LeaseAct::kHold);
    for (std::size_t place = 0; place < keeper_->voters(); ++place) keeper_->tend(place);
  }
  EXPECT_TRUE(processes_.running);
}

TEST_F(LeaseKeeperTest, VotesThatAreHadAgainTooLateAreNoLease) {
  turn(10);
  world_.clock.time_s += 700;
  for (auto& [name, voter] : voters_) voter.locks.clear();
  for (std::size_t i = 0; i < keeper_->voters(); ++i) keeper_->tend(i);
  EXPECT_EQ(keeper_->judge(), LeaseAct::kClose);
  EXPECT_EQ(voters_["db1"].read_only, "1");
}

TEST_F(LeaseKeeperTest, AWatchdogIsFedWhileTheServerTakesWritesByRight) {
  Food food;
  keeper_->arm(std::make_unique<FakeWatchdog>(food));
  turn(1);
  EXPECT_GE(food.meals, 9);
  // Between two words with the voters, too.
  turn(60);
  EXPECT_GE(food.meals, 600);
  food.meals = 0;
  // Neither closing nor killing succeeds.
  cut_off();
  voters_["db1"].gone = true;
  processes_.immortal = true;
  turn(5);
  // The last votes are a moment old.
  EXPECT_LE(std::exchange(food.meals, 0), 31);
  turn(5);
  EXPECT_EQ(food.meals, 0);
  keeper_->stop(Deadline::after(world_.clock, 1));
  EXPECT_TRUE(food.disarmed);
}

// The loop that is to stop the keeper may hang, on a disk.
TEST_F(LeaseKeeperTest, AWatchdogIsDisarmedAsSoonAsTheGuardIsAskedToStop) {
  Food food;
  keeper_->arm(std::make_unique<FakeWatchdog>(food));
  turn(1);
  EXPECT_FALSE(food.disarmed);
  world_.clock.stop = true;
  // It keeps the lease as long as it runs.
  EXPECT_EQ(turn(0.1), LeaseAct::kHold);
  EXPECT_TRUE(food.disarmed);
  food.meals = 0;
  EXPECT_EQ(turn(10), LeaseAct::kHold);
  EXPECT_EQ(food.meals, 0);
}

// Whatever else hangs when a guard is stopped, such as the disk that it writes to: its host is not
// to be taken down.
TEST_F(LeaseKeeperTest, AWatchdogIsDisarmedAlthoughTheEndOfASessionHangs) {
  class NoneEnds : public InlineWorkers {
   public:
    Result<std::unique_ptr<Job>> start(std::function<void()> work) override {
      return std::unique_ptr<Job>(std::make_unique<Loop>(std::move(work)));
    }

   private:
    struct Loop : Job {
      explicit Loop(std::function<void()> some_work) : work(std::move(some_work)) {}
      bool wait(const Deadline&) override {
        work();
        return false;
      }
      std::function<void()> work;
    };
  };
  NoneEnds workers;
  Env env{world_.clock, world_.connector, processes_, world_.files, world_.network, workers};
  const auto keeper = std::make_shared<LeaseKeeper>(env, options_, options_.cluster.nodes[0],
                                                    [](const std::string&) {});
  Food food;
  keeper->arm(std::make_unique<FakeWatchdog>(food));
  ASSERT_TRUE(keeper->start());
  keeper->stop(Deadline::after(world_.clock, 1));
  EXPECT_TRUE(food.disarmed);
}

// The loop that the test stops after some turns.
class TurningClock : public FakeClock {
 public:
  void pause(double seconds) override {
    time_s += seconds;
    if (++turns == kTurns) at_end();
  }
  static constexpr int kTurns = 5;
  int turns = 0;
  std::function<void()> at_end = {};
};

// In the decision, which feeds the watchdog, or in a word with a voter.
TEST_F(LeaseKeeperTest, ATurnThatGetsNoMemoryEndsNoLoop) {
  for (const bool decides : {true, false}) {
    TurningClock clock;
    InlineWorkers workers;
    Env env{clock, world_.connector, processes_, world_.files, world_.network, workers};
    int wants = 1;
    const auto want = [&wants] {
      if (wants-- > 0) throw std::bad_alloc();
    };
    Food food;
    if (decides) food.before = want;
    world_.connector.servers["vote"] =
        [&](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
      if (!decides) want();
      return kGone;
    };
    auto keeper = std::make_shared<LeaseKeeper>(env, options_, options_.cluster.nodes[0],
                                                [](const std::string&) {});
    keeper->arm(std::make_unique<FakeWatchdog>(food));
    clock.at_end = [&] { keeper->stop(Deadline::after(clock, 1)); };
    EXPECT_NO_THROW(keeper->start()) << decides;
    EXPECT_GE(clock.turns, TurningClock::kTurns) << decides;
    EXPECT_LE(wants, 0) << decides;
  }
}

// Nothing can be closed then: killing is done by the loop itself.
TEST_F(LeaseKeeperTest, AServerThatLosesItsVotesIsKilledWhenNoThreadIsFree) {
  class NoThread : public InlineWorkers {
   public:
    Result<std::unique_ptr<Job>> start(std::function<void()>) override {
      return Error{Errc::kInternal, "no thread is left"};
    }
  } workers;
  Env env{world_.clock, world_.connector, processes_, world_.files, world_.network, workers};
  keeper_ =
      std::make_shared<LeaseKeeper>(env, options_, options_.cluster.nodes[0],
                                    [this](const std::string& line) { log_.push_back(line); });
  EXPECT_EQ(turn(10), LeaseAct::kHold);
  const double end_s = last_lease_ends_s();
  cut_off();
  turn(end_s - 0.2 - world_.clock.time_s);
  EXPECT_TRUE(processes_.running);
  turn(0.5);
  EXPECT_FALSE(processes_.running);
  EXPECT_EQ(std::ranges::count(log_, "db1: no thread is left"), 1);
  EXPECT_EQ(std::ranges::count(log_, "db1: process 77 was killed"), 1);
}

TEST_F(LeaseKeeperTest, AServerWhoseProcessHasEndedKeepsNobodyWaiting) {
  turn(10);
  processes_.running = false;
  EXPECT_EQ(keeper_->judge(), LeaseAct::kRelease);
  for (std::size_t i = 0; i < keeper_->voters(); ++i) keeper_->tend(i);
  EXPECT_EQ(votes(), 0U);
}

TEST_F(LeaseKeeperTest, AFormerPrimaryThatComesBackWritableIsClosedAtOnce) {
  for (auto& [name, voter] : voters_) {
    voter.connections = 50;
    voter.locks = {{options_.lease_lock(), 40}, {options_.lease_node_lock("db2"), 40}};
  }
  turn(0.2);
  EXPECT_EQ(voters_["db1"].read_only, "1");
  turn(0.2);
  EXPECT_EQ(closing(), std::nullopt);
  EXPECT_EQ(log_[log_.size() - 2], "db1: read-only, 0 connections ended");
  EXPECT_EQ(log_.back(), "db1 takes no writes, and needs no lease");
}

// A switchover has closed it; the sessions of that run would be ended with those of clients.
TEST_F(LeaseKeeperTest, AServerWhoseVotesWereTakenIsLookedAtFirst) {
  for (auto& [name, voter] : voters_) {
    voter.connections = 50;
    voter.locks = {{options_.lease_lock(), 40}, {options_.lease_node_lock("db2"), 40}};
  }
  keeper_->look();
  EXPECT_EQ(keeper_->judge(), LeaseAct::kTake);
  world_.clock.time_s += 0.1;
  for (std::size_t i = 0; i < keeper_->voters(); ++i) keeper_->tend(i);
  EXPECT_EQ(keeper_->judge(), LeaseAct::kTake);
  voters_["db1"].read_only = "1";
  keeper_->look();
  EXPECT_EQ(keeper_->judge(), LeaseAct::kRelease);
}

TEST_F(LeaseKeeperTest, VotesThatARunHasForThisNodeAreWaitedFor) {
  for (auto& [name, voter] : voters_) {
    voter.connections = 50;
    voter.locks = {{options_.lease_lock(), 40}, {options_.lease_node_lock("db1"), 40}};
  }
  EXPECT_EQ(turn(1), LeaseAct::kTake);
  EXPECT_EQ(voters_["db1"].read_only, "0");
  // Without its name nobody could tell whose a vote is.
  for (auto& [name, voter] : voters_) voter.locks.erase(options_.lease_lock());
  EXPECT_EQ(turn(0.2), LeaseAct::kTake);
  EXPECT_EQ(votes(), 0U);
  for (auto& [name, voter] : voters_) voter.locks.erase(options_.lease_node_lock("db1"));
  EXPECT_EQ(turn(0.2), LeaseAct::kHold);
  EXPECT_EQ(votes(), 3U);
  for (auto& [name, voter] : voters_)
    EXPECT_EQ(voter.locks.count(options_.lease_node_lock("db1")), 1U);
}

}  // namespace
}  // namespace ha
