// SPDX-License-Identifier: MIT
#include "common/execute/guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "common/context/guard_files.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

constexpr char kDirectory[] = "/state/mysql";

// A clock whose owner does something at each wait of the guard, and which stops it in the end.
class ScriptedClock : public FakeClock {
 public:
  bool sleep(double seconds) override {
    FakeClock::sleep(seconds);
    if (events.empty()) return !(stop = true);
    const auto event = std::move(events.front());
    events.pop_front();
    if (event) event();
    return !stop;
  }
  bool take_reload() override { return std::exchange(reload, false); }

  std::deque<std::function<void()>> events;
  bool reload = false;
};

// Keeps what the guard says.
class Listener : public GuardHost {
 public:
  void say(const std::string& line) override { said.push_back(line); }
  Log begin_run() override {
    return [this](const std::string& line) { said.push_back("run: " + line); };
  }
  Result<std::unique_ptr<Watchdog>> arm(const std::string&, int) override {
    return Error{Errc::kMissing, "there is no watchdog"};
  }
  void end_run(const FailoverOutcome& outcome) override { said.push_back(outcome.text); }
  std::optional<GuardSettings> reload() override { return next; }
  void show(const std::string& state, double) override { shown = state; }

  long count(const std::string& words) const {
    return std::ranges::count_if(
        said, [&](const std::string& line) { return line.find(words) != line.npos; });
  }

  std::vector<std::string> said;
  std::optional<GuardSettings> next = {};
  std::string shown;
};

// Nodes that answer the guard's question alone, or nothing at all.
class GuardTest : public testing::Test {
 protected:
  GuardTest() {
    settings_.failover.cluster.nodes = {{"db1", "db1", 3306}, {"db2", "db2", 3306}};
    settings_.failover.state_dir = "/state";
    settings_.failover.retry_interval_s = 0.05;
    settings_.guard.process = 7;
  }

  void start(const std::string& host, const std::string& read_only) {
    connector_.servers[host] =
        [read_only](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
      auto session = std::make_unique<FakeSession>("10.11.6-MariaDB");
      session->answer("SELECT @@GLOBAL.read_only", Rows{{"read_only"}, {{read_only}}});
      return std::unique_ptr<SqlSession>(std::move(session));
    };
  }

  Result<Done> guard() { return run_guard(env_, settings_, listener_); }

  GuardState state() { return (*GuardFiles(files_, kDirectory).read()).value_or(GuardState{}); }

  ScriptedClock clock_;
  FakeConnector connector_;
  FakePrograms programs_;
  MemoryFiles files_;
  FakeNetwork network_;
  InlineWorkers workers_;
  Env env_{clock_, connector_, programs_, files_, network_, workers_};
  GuardSettings settings_;
  Listener listener_;
};

TEST_F(GuardTest, OneThatIsStoppedSaysSo) {
  start("db1", "0");
  start("db2", "1");
  ASSERT_TRUE(guard());
  EXPECT_EQ(listener_.said.front(), "guarding db1, db2");
  EXPECT_EQ(listener_.said.back(), "stopped");
  EXPECT_EQ(listener_.count("db1 answers and accepts writes"), 1);
  EXPECT_EQ(listener_.count("db2 answers, read-only"), 1);
  EXPECT_TRUE(state().stopped);
  EXPECT_EQ(state().process, 7);
  EXPECT_FALSE(read_guard(files_, kDirectory, clock_.moment()).missing);
}

TEST_F(GuardTest, ASecondOneIsRefused) {
  const auto lock = GuardFiles(files_, kDirectory).lock();
  const auto refused = guard();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kRefused);
  EXPECT_EQ(
      refused.error().text,
      "another guard watches this cluster (process 7 of this host); to see what it does, run: "
      "mysql_ha guard status");
}

TEST_F(GuardTest, WithoutTheWatchdogThatIsWantedNothingIsGuarded) {
  settings_.guard.node = "db1";
  settings_.failover.lease.lease_s = 5;
  settings_.failover.lease.watchdog = "/dev/watchdog";
  EXPECT_EQ(guard().error().text, "--watchdog: there is no watchdog");
}

TEST_F(GuardTest, WhenAllNodesAreAwayThatIsSaidOnce) {
  clock_.events.resize(300);
  ASSERT_TRUE(guard());
  EXPECT_EQ(listener_.count("db1 gives no answer: cannot connect to db1"), 1);
  EXPECT_EQ(listener_.count("db2 gives no answer"), 1);
  EXPECT_LT(listener_.said.size(), 10u);
  EXPECT_FALSE(state().trouble.empty());
}

TEST_F(GuardTest, AFullDiskEndsNoGuard) {
  clock_.events.resize(20);
  clock_.events[3] = [this] {
    files_.full = true;
    start("db1", "0");
  };
  clock_.events[12] = [this] { files_.full = false; };
  ASSERT_TRUE(guard());
  EXPECT_EQ(listener_.count("No space left on device"), 1);
  EXPECT_EQ(listener_.count("db1 answers and accepts writes"), 1);
  EXPECT_TRUE(state().stopped);
}

TEST_F(GuardTest, WrongOptionsLeaveWhatThereWas) {
  clock_.events.resize(6);
  clock_.events[1] = [this] { clock_.reload = true; };
  clock_.events[2] = [this] {
    listener_.next = settings_;
    listener_.next->failover.state_dir = "/other";
    clock_.reload = true;
  };
  clock_.events[3] = [this] {
    listener_.next = settings_;
    listener_.next->failover.cluster.nodes = {{"db9", "db9", 3306}};
    clock_.reload = true;
  };
  clock_.events[4] = [this] { start("db9", "0"); };
  ASSERT_TRUE(guard());
  EXPECT_EQ(listener_.count("the settings stay as they were"), 2);
  EXPECT_EQ(listener_.count("another state-dir or cluster-name needs a restart"), 1);
  EXPECT_EQ(listener_.count("the options were read again"), 1);
  EXPECT_EQ(listener_.count("db9 answers"), 1);
}

TEST_F(GuardTest, APauseIsToldAndShown) {
  clock_.events.resize(12);
  clock_.events[2] = [this] {
    ASSERT_TRUE(GuardFiles(files_, kDirectory).write_pause({clock_.moment(), 1.2}));
  };
  clock_.events[4] = [this] {
    EXPECT_TRUE(listener_.shown.starts_with("watching, paused: ")) << listener_.shown;
  };
  ASSERT_TRUE(guard());
  EXPECT_EQ(listener_.count("paused for 1.2s"), 1);
  EXPECT_EQ(listener_.count("resumed"), 1) << "its time is over";
}

TEST_F(GuardTest, AnErrorOfOurOwnIsNoFactOfANode) {
  start("db2", "1");
  connector_.servers["db1"] = [](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
    return Error{Errc::kInternal, "no descriptor is left"};
  };
  clock_.events.resize(30);
  ASSERT_TRUE(guard());
  EXPECT_EQ(listener_.count("no descriptor is left"), 1);
  EXPECT_EQ(listener_.count("db1 gives no answer"), 0);
}

}  // namespace
}  // namespace ha
