// SPDX-License-Identifier: MIT
#include "common/execute/own_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

using State = OwnServer::State;

Rows one(const std::string& value) { return Rows{{"value"}, {{value}}}; }

const Error kGone{Errc::kUnreachable, "lost connection", 2013};
const Error kRefused{Errc::kUnreachable, "Can't connect to server on 'db1' (111)", 2003};
const Error kFull{Errc::kRefused, "Too many connections", 1040};
const Error kDenied{Errc::kAccessDenied, "Access denied for user 'ha'", 1045};

// Process 77 is the server of port 3306.
class ServerTable : public FakePrograms {
 public:
  Result<ServerProcess> find_server(int id, unsigned port) override {
    if (id == 77 && port == 3306 && running) return ServerProcess{77, 5, 5000};
    return Error{Errc::kRefused, "process " + std::to_string(id) + " is no mysqld or mariadbd"};
  }
  bool is_running(const ServerProcess&) override { return running; }
  Result<Done> kill_server(const ServerProcess& process) override {
    EXPECT_EQ(process.id, 77);
    ++killed;
    running = immortal;
    return Done{};
  }

  bool running = true, immortal = false;
  int killed = 0;
};

// The server db1, which changes under open sessions.
struct Server {
  std::optional<Error> refuses = {};    // new connections
  std::optional<Error> fails = {};      // statements
  std::optional<Error> ends_once = {};  // one statement
  std::string read_only = "0", uptime = "4998";
  bool locked = false;             // it cannot be made read-only
  std::string state = "";          // of its client
  int quiet = 0;                   // so often it is not seen in that state
  std::string burns = "";          // a statement that fails
  double login_s = 0;              // for which a login takes
  int connections = 0, ended = 0;  // of those that were made, the first ones are ended
  std::vector<std::string> asked = {};

  Result<Rows> query(const std::string& sql) {
    asked.push_back(sql);
    if (fails) return *fails;
    if (ends_once) return *std::exchange(ends_once, std::nullopt);
    if (sql == burns) return Error{Errc::kRefused, "it burns", 1105};
    const bool is_quiet = sql == "SHOW PROCESSLIST" && quiet-- > 0;
    if (sql == "SET GLOBAL read_only=1" && locked)
      return Error{Errc::kRefused, "Lock wait timeout exceeded", 1205};
    if (sql == "SET GLOBAL read_only=1") read_only = "1";
    FakeSession answers("10.11.6-MariaDB");
    return answers.answer("@@GLOBAL.port", one("3306"))
        .answer("@@GLOBAL.pid_file", one("/run/mysqld.pid"))
        .answer("Uptime", Rows{{"Variable_name", "Value"}, {{"Uptime", uptime}}})
        .answer("@@GLOBAL.read_only", one(read_only))
        .answer("GLOBAL_VALUE_ORIGIN", one("SQL"))
        .answer(" STATUS", Rows{{"File", "Position"}, {{"binlog.000007", "4711"}}})
        .answer("information_schema.PROCESSLIST", one("Waiting for commit lock"))
        .answer("'rpl_semi_sync%'",
                Rows{{"Variable_name", "Value"}, {{"rpl_semi_sync_source_enabled", "ON"}}})
        .answer("SET ", Rows{})
        .answer("DO 0", Rows{})
        .answer("CONNECTION_ID()", one("3"))
        .answer("IS_USED_LOCK", one("4"))
        .answer("SHOW PROCESSLIST", Rows{{"Id", "User", "Command", "State"},
                                         {{"3", "ha", "Query", ""},
                                          {"4", "ha", "Sleep", ""},
                                          {"9", "app", "Sleep", is_quiet ? "" : state}}})
        .answer("KILL CONNECTION 9", Rows{})
        .query(sql);
  }
};

class ServerSession : public SqlSession {
 public:
  explicit ServerSession(Server& server) : server_(server), number_(++server.connections) {}
  Result<Rows> query(const std::string& sql) override {
    if (number_ <= server_.ended) return kGone;
    return server_.query(sql);
  }
  const Version& version() const override { return version_; }

 private:
  Server& server_;
  const int number_;
  const Version version_ = parse_version("10.11.6-MariaDB");
};

class OwnServerTest : public testing::Test {
 protected:
  OwnServerTest() {
    world_.files.files["/run/mysqld.pid"] = "77\n";
    world_.connector.servers["db1"] =
        [this](const MysqlOptions& login) -> Result<std::unique_ptr<SqlSession>> {
      if (db1_.refuses) return *db1_.refuses;
      world_.clock.time_s += std::min<double>(db1_.login_s, login.connect_timeout_s);
      if (db1_.login_s > login.connect_timeout_s) return kGone;
      return std::unique_ptr<SqlSession>(std::make_unique<ServerSession>(db1_));
    };
    processes_.programs["kill-it"] = [](const Command&) { return ProcessOutcome{}; };
  }

  OwnServer own() { return {env_, options_, {"db1", "db1", 3306}}; }
  Deadline second() { return Deadline::after(world_.clock, 1); }

  FakeWorld world_;
  ServerTable processes_;
  Env env_{world_.clock, world_.connector, processes_,
           world_.files, world_.network,   world_.workers};
  FailoverOptions options_;
  Server db1_;
};

TEST_F(OwnServerTest, WhatTellsLaterThatItIsAsItWasWhenItWasClosed) {
  EXPECT_EQ(own().read_closing().error().text, "it accepts writes again");
  db1_.read_only = "1";
  const auto closing = own().read_closing();
  ASSERT_TRUE(closing);
  EXPECT_EQ(*closing, (OwnClosing{"db1", {"binlog.000007", 4711}}));
  db1_.fails = kGone;
  EXPECT_EQ(own().read_closing().error().text, "lost connection");
}

// A server may serve the sessions that it has, and let no new one in.
TEST_F(OwnServerTest, AServerThatLetsNoClientInIsSilent) {
  const struct {
    const char* name;
    Error refuses;
    State state;
  } cases[] = {
      {"it gives no greeting", kGone, State::kSilent},
      {"it is full", kFull, State::kWritable},
      {"it shuts down", kRefused, State::kWritable},
  };
  for (const auto& c : cases) {
    db1_ = {};
    OwnServer own = this->own();
    EXPECT_EQ(own.look(), State::kWritable) << c.name;
    db1_.refuses = c.refuses;
    EXPECT_EQ(own.look(), State::kWritable) << c.name << ", just logged in";
    world_.clock.time_s += 20;
    EXPECT_EQ(own.look(), c.state) << c.name;
    EXPECT_EQ(own.look(), c.state) << c.name << ", once more";
    db1_.refuses.reset();
    EXPECT_EQ(own.look(), State::kWritable) << c.name << ", and it is over";
  }
}

TEST_F(OwnServerTest, WhetherItTakesWrites) {
  struct {
    const char* name;
    std::string read_only;
    std::optional<Error> fails, refuses;
    bool known, running;  // its process
    State state;
  } const cases[] = {
      {"writable", "0", {}, {}, true, true, State::kWritable},
      {"read-only", "1", {}, {}, true, true, State::kClosed},
      {"as MariaDB 12 says it", "NO_LOCK", {}, {}, true, true, State::kClosed},
      {"it hangs", "0", kGone, kGone, true, true, State::kSilent},
      {"it was killed", "0", kGone, kRefused, true, false, State::kEnded},
      {"nothing listens, and it has not ended", "0", kGone, kRefused, true, true, State::kSilent},
      {"nothing listens, its process is unknown", "0", kGone, kRefused, false, true, State::kEnded},
      {"it hangs, its process is unknown", "0", kGone, kGone, false, true, State::kSilent},
      {"it takes no more connections", "0", kGone, kFull, true, true, State::kUnread},
      {"it does not know us any more", "0", kGone, kDenied, true, true, State::kDenied},
  };
  for (const auto& c : cases) {
    db1_ = {.uptime = c.known ? "4998" : "3"};
    processes_.running = true;
    OwnServer server = own();
    EXPECT_EQ(server.look(), State::kWritable) << c.name;
    db1_.read_only = c.read_only;
    db1_.fails = c.fails;
    db1_.refuses = c.refuses;
    processes_.running = c.running;
    if (c.fails) server.look();  // the session that was open
    EXPECT_EQ(server.look(), c.state) << c.name;
  }
}

TEST_F(OwnServerTest, ItsClientsAreEndedAndOursAreNot) {
  const auto closed = own().close(second());
  ASSERT_TRUE(closed) << closed.error().text;
  EXPECT_EQ(closed->text, "read-only, 1 connections ended");
  EXPECT_FALSE(closed->found_closed);
  EXPECT_EQ(db1_.asked.end()[-2], "KILL CONNECTION 9");
  EXPECT_EQ(std::ranges::count(db1_.asked, "KILL CONNECTION 4"), 0);
}

TEST_F(OwnServerTest, ItIsClosedOverAConnectionThatItHad) {
  OwnServer server = own();
  EXPECT_EQ(server.look(), State::kWritable);
  db1_.refuses = kFull;
  ASSERT_TRUE(server.close(second()));
  EXPECT_EQ(db1_.read_only, "1");
}

// They are kept alive, for a server ends what is idle, and replaced.
TEST_F(OwnServerTest, TheConnectionsForAClosingAreRenewed) {
  OwnServer server = own();
  EXPECT_EQ(server.look(), State::kWritable);
  EXPECT_EQ(db1_.connections, 3);
  const double between_s = options_.policy.hung_after_s * 2 / 3;
  for (int i = 1; i <= 3; ++i) {
    world_.clock.time_s += between_s;
    EXPECT_EQ(server.look(), State::kWritable);
    EXPECT_EQ(std::ranges::count(db1_.asked, "DO 0"), 2 * i);
    EXPECT_EQ(db1_.connections, 3 + i);
  }
  db1_.ended = db1_.connections;
  world_.clock.time_s += between_s;
  EXPECT_EQ(server.look(), State::kWritable);
  db1_.refuses = kFull;
  ASSERT_TRUE(server.close(second()));
  EXPECT_EQ(db1_.read_only, "1");
}

TEST_F(OwnServerTest, AServerOnWhichLoginsAreSlowIsNotSilent) {
  for (const auto& [hung_after_s, login_s, state] : {std::tuple(30.0, 9.0, State::kWritable),
                                                     {30.0, 11.0, State::kSilent},
                                                     {6.0, 1.5, State::kWritable},
                                                     {6.0, 3.0, State::kSilent}}) {
    options_.policy.hung_after_s = hung_after_s;
    db1_ = {.login_s = login_s};
    OwnServer server = own();
    EXPECT_EQ(server.look(), state) << login_s;
  }
}

// What could not be learnt at the login must not be missing when the guard is started again.
TEST_F(OwnServerTest, WhichProcessItIsIsAskedUntilItIsKnown) {
  OwnServer server = own();
  processes_.running = false;
  EXPECT_EQ(server.look(), State::kWritable);
  EXPECT_FALSE(server.process());
  processes_.running = true;
  EXPECT_EQ(server.look(), State::kWritable);
  EXPECT_TRUE(server.process());
  EXPECT_EQ(server.find_kill_obstacle(), "");
  const auto asked = db1_.asked.size();
  server.look();
  EXPECT_EQ(db1_.asked.size(), asked + 1);
}

TEST_F(OwnServerTest, AConnectionThatWasEndedIsMadeAgain) {
  OwnServer server = own();
  EXPECT_EQ(server.look(), State::kWritable);
  db1_.ends_once = kGone;
  ASSERT_TRUE(server.close(second()));
  EXPECT_EQ(db1_.read_only, "1");
}

TEST_F(OwnServerTest, WhatOthersHaveClosedIsToldApart) {
  db1_.read_only = "1";
  const auto closed = own().close(second());
  ASSERT_TRUE(closed) << closed.error().text;
  EXPECT_EQ(closed->text, "read-only before, 1 connections ended");
  EXPECT_TRUE(closed->found_closed);
}

// They are ended before semi-sync is, and hear nothing of their commits.
TEST_F(OwnServerTest, ClientsThatWaitForReplicasDoNotKeepItOpen) {
  db1_.state = "Waiting for semi-sync ACK from replica";
  const auto closed = own().close(second());
  ASSERT_TRUE(closed) << closed.error().text;
  EXPECT_EQ(db1_.read_only, "1");
  const auto off = std::ranges::find(db1_.asked, "SET GLOBAL rpl_semi_sync_source_enabled=OFF");
  ASSERT_NE(off, db1_.asked.end());
  EXPECT_EQ(std::count(db1_.asked.begin(), off, "KILL CONNECTION 9"), 1);
}

// A statement that had begun before may come to its commit, and to that wait, at any time.
TEST_F(OwnServerTest, ACommitThatBeginsToWaitLateDoesNotKeepItOpen) {
  db1_.state = "Waiting for semi-sync ACK from replica";
  db1_.quiet = 5;
  const auto closed = own().close(second());
  ASSERT_TRUE(closed) << closed.error().text;
  EXPECT_EQ(std::ranges::count(db1_.asked, "SET GLOBAL rpl_semi_sync_source_enabled=OFF"), 1);
}

TEST_F(OwnServerTest, AServerThatCouldNotBeClosedWaitsForItsReplicasAgain) {
  const std::string off = "SET GLOBAL rpl_semi_sync_source_enabled=OFF",
                    on = "SET GLOBAL rpl_semi_sync_source_enabled=ON";
  for (const auto& [burns, outcome] :
       {std::pair("", "Lock wait timeout exceeded"),
        {"SET GLOBAL rpl_semi_sync_source_enabled=ON",
         "Lock wait timeout exceeded; it takes writes without semi-sync: it burns"}}) {
    db1_ = {.locked = true, .state = "Waiting for semi-sync ACK from replica", .burns = burns};
    const auto closed = own().close(second());
    ASSERT_FALSE(closed);
    EXPECT_EQ(closed.error().text, outcome);
    const auto first = std::ranges::find(db1_.asked, off);
    EXPECT_EQ(std::count(first, db1_.asked.end(), off), 1);
    EXPECT_EQ(std::count(first, db1_.asked.end(), on), 1);
    EXPECT_EQ(db1_.asked.back(), on);
  }
}

TEST_F(OwnServerTest, AServerThatCannotBeClosed) {
  db1_.locked = true;
  EXPECT_EQ(own().close(second()).error().text, "Lock wait timeout exceeded");
  db1_.refuses = kGone;
  EXPECT_EQ(own().close(second()).error().text, "lost connection");
}

TEST_F(OwnServerTest, ItIsKilledWhateverItAnswers) {
  struct {
    const char* name;
    std::vector<std::string> command;
    std::string pid_file, uptime;
    bool immortal;
    std::string outcome;
    int killed;
  } const cases[] = {
      {"by the file that it names", {}, "", "4998", false, "process 77 was killed", 1},
      {"by the operator's file", {}, "/run/mysqld.pid", "3", false, "process 77 was killed", 1},
      {"the file is another server's",
       {},
       "",
       "3",
       false,
       "its process is not known: process 77 was not started when the server was",
       0},
      {"there is no file",
       {},
       "/run/none.pid",
       "4998",
       false,
       "its process is not known: cannot read /run/none.pid: No such file or directory",
       0},
      {"by the operator's command",
       {"kill-it"},
       "/run/none.pid",
       "4998",
       false,
       "kill-it has killed it",
       0},
      {"the command is not there",
       {"no-such"},
       "",
       "4998",
       false,
       "cannot run no-such: no such file; process 77 was killed",
       1},
      {"it hangs in the kernel",
       {},
       "",
       "4998",
       true,
       "process 77 was killed and has not ended",
       1},
  };
  for (const auto& c : cases) {
    db1_ = {.uptime = c.uptime};
    options_.lease.kill_command = c.command;
    options_.lease.pid_file = c.pid_file;
    processes_.running = true;
    processes_.immortal = c.immortal;
    processes_.killed = 0;
    OwnServer server = own();
    server.look();
    db1_.fails = db1_.refuses = kGone;
    const auto killed = server.kill(second());
    EXPECT_EQ(killed ? killed->text : killed.error().text, c.outcome) << c.name;
    // An operator who can be told in time is told what to do.
    const std::string unknown = "its process is not known: ";
    EXPECT_EQ(server.find_kill_obstacle(),
              c.outcome.starts_with(unknown)
                  ? "db1 could not be killed if it hung: " + c.outcome.substr(unknown.size()) +
                        "; to have it killed, configure kill-command = COMMAND"
                  : "")
        << c.name;
    EXPECT_EQ(processes_.killed, c.killed) << c.name;
  }
}

TEST_F(OwnServerTest, AProcessThatAnEarlierGuardKnewIsKilled) {
  db1_.refuses = kGone;
  OwnServer server = own();
  server.recall({77, 5});
  EXPECT_EQ(server.look(), State::kSilent);
  EXPECT_TRUE(server.kill(second()));
  EXPECT_EQ(server.look(), State::kEnded);
}

TEST_F(OwnServerTest, OneThatWasNeverReadIsNotKilled) {
  EXPECT_EQ(own().kill(second()).error().text, "its process is not known: it has not answered yet");
}

}  // namespace
}  // namespace ha
