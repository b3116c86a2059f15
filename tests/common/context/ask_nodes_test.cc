// SPDX-License-Identifier: MIT
// What is asked of servers, machines, witnesses and the fence command while there is still time.
#include <gtest/gtest.h>

#include "common/context/node_locks.h"
#include "common/context/preconditions.h"
#include "common/context/witness.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_machine.h"
#include "tests/fakes/fake_server.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

using End = FenceTrial::End;

class AskNodesTest : public testing::Test {
 protected:
  AskNodesTest() {
    int number = 0;
    for (FakeServer* const server : {&db1_, &db2_}) {
      const std::string name = "db" + std::to_string(++number);
      options_.cluster.nodes.push_back({name, name, 3306});
      server->executed = uuid_of(1) + ":1-100";
      server->answer("SHOW GRANTS", one_cell("GRANT ALL PRIVILEGES ON *.* TO `m`@`%`"))
          .answer("CURRENT_USER", "m@%");
      world_.connector.servers[name] =
          [server](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
        return server->session();
      };
    }
    db1_.read_only = false;
    db2_.channel = with(with(mysql_row(), "Auto_Position", "1"), "Retrieved_Gtid_Set", "");
  }

  Deadline deadline() { return Deadline::after(world_.clock, 5); }

  Probe probe(std::vector<Node> nodes) {
    return {linked(std::move(nodes)), {db1_.session(), db2_.session()}};
  }

  FakeWorld world_;
  FakeServer db1_{"8.4.0"}, db2_{"8.4.0"};
  FailoverOptions options_;
};

TEST_F(AskNodesTest, TheReplicationAccountIsTriedEverywhere) {
  options_.policy.repl_user = "repl";
  options_.cluster.mysql.password = "of another account";
  std::vector<MysqlOptions> logins;
  world_.connector.servers["db1"] =
      [&](const MysqlOptions& options) -> Result<std::unique_ptr<SqlSession>> {
    logins.push_back(options);
    return db1_.session();
  };
  EXPECT_EQ(try_replication_account(world_.env, options_, deadline()), Troubles());
  EXPECT_EQ(logins.at(0).user, "repl");
  EXPECT_EQ(logins.at(0).password, "");
  db1_.answer("SHOW GRANTS", one_cell("GRANT SELECT ON *.* TO `m`@`%`"));
  world_.connector.servers.erase("db2");
  Troubles troubles = try_replication_account(world_.env, options_, deadline());
  EXPECT_EQ(troubles.size(), 2u);
  EXPECT_NE(troubles["db1"].find("GRANT REPLICATION SLAVE"), std::string::npos) << troubles["db1"];
  EXPECT_NE(troubles["db2"].find("cannot connect"), std::string::npos) << troubles["db2"];
  db1_.fail("SHOW GRANTS");
  EXPECT_EQ(try_replication_account(world_.env, options_, deadline())["db1"], "it burns");
}

TEST_F(AskNodesTest, TellWhoHasTheirLocksAndWhatTheAccountLacks) {
  db1_.answer("COALESCE(IS_USED_LOCK", "42");
  db2_.answer("SHOW GRANTS", one_cell("GRANT RELOAD, PROCESS ON *.* TO `m`@`%`"));
  Node other = replica(2, 1);
  other.facts->version = db2_.version;
  auto answers = ask_nodes(world_.env, options_, probe({writer(1), other}), deadline());
  ASSERT_TRUE(answers.at("db1"));
  EXPECT_EQ(answers.at("db1")->lock_holder, "42");
  EXPECT_EQ(answers.at("db1")->grant, "");
  ASSERT_TRUE(answers.at("db2"));
  EXPECT_EQ(answers.at("db2")->lock_holder, "");
  EXPECT_NE(answers.at("db2")->grant.find("REPLICATION_SLAVE_ADMIN"), std::string::npos);
  EXPECT_FALSE(answers.at("db2")->later);
}

// What is on its way is no loss to report.
TEST_F(AskNodesTest, AReplicaGetsAMomentToArrive) {
  for (const bool by_gtid : {true, false}) {
    for (const bool arrives : {true, false}) {
      Node late = replica(2, 1, "#1:1-90");
      Node source = writer(1);
      late.facts->log_bin = source.facts->log_bin = true;
      channel(late).uses_gtid = by_gtid;
      channel(late).read = {"binlog.000001", 900};
      *db2_.channel = with(*db2_.channel, "Auto_Position", by_gtid ? "1" : "0");
      *db2_.channel = with(*db2_.channel, "Source_Log_File", "binlog.000001");
      *db2_.channel = with(*db2_.channel, "Read_Source_Log_Pos", arrives ? "1000" : "900");
      db2_.executed = uuid_of(1) + (arrives ? ":1-100" : ":1-90");
      const double begin_s = world_.clock.time_s;
      auto answers = ask_nodes(world_.env, options_, probe({source, late}), deadline());
      ASSERT_TRUE(answers.at("db2"));
      EXPECT_TRUE(answers.at("db2")->later);
      EXPECT_EQ(world_.clock.time_s - begin_s > 0.2, !arrives) << by_gtid;
    }
  }
}

TEST_F(AskNodesTest, WhatIsNotAnsweredIsNotKnown) {
  Probe one = probe({writer(1), replica(2, 1)});
  one.sessions[1].reset();
  db1_.fail("IS_USED_LOCK");
  auto answers = ask_nodes(world_.env, options_, one, deadline());
  EXPECT_EQ(answers.at("db1").error().text, "it burns");
  EXPECT_EQ(answers.at("db2").error().code, Errc::kUnreachable);
  db1_.answer("IS_USED_LOCK", "").fail("SHOW GRANTS");
  answers = ask_nodes(world_.env, options_, one, deadline());
  EXPECT_FALSE(answers.at("db1"));
  // One that gave no facts has no session.
  one.topology.nodes[1] = lost(2);
  EXPECT_EQ(ask_nodes(world_.env, options_, one, deadline()).count("db2"), 0u);
}

TEST_F(AskNodesTest, MachinesAreAskedForTheirAddresses) {
  bool held = false;
  world_.network.machine = [&](const std::string& host) {
    return std::make_unique<FakeMachine>(host == "db1" ? &held : nullptr);
  };
  EXPECT_EQ(try_vip_hosts(world_.env, options_, deadline()), Troubles());
  options_.vip = {"192.0.2.10", 24, "eth0"};
  EXPECT_EQ(try_vip_hosts(world_.env, options_, deadline()), (Troubles{{"db2", "ssh: no route"}}));
}

TEST_F(AskNodesTest, OneWitnessWithinReachIsEnough) {
  world_.network.hosts = {"gateway"};
  const std::vector<HostPort> witnesses = {{"gateway", 22}, {"far", 0}};
  const auto reached = reach_witnesses(world_.env, witnesses, deadline());
  EXPECT_EQ(reached, (std::vector<bool>{true, false}));
  EXPECT_EQ(judge_witnesses(reached), Witnesses::kReached);
  EXPECT_EQ(judge_witnesses({false, false}), Witnesses::kUnreached);
  EXPECT_EQ(judge_witnesses({}), Witnesses::kNotAsked);
}

// A program that might take the question for the order is not run.
TEST_F(AskNodesTest, OnlyAFenceThatKnowsTheQuestionIsAsked) {
  const struct {
    const char *what, *program, *content;
    std::vector<std::string> argv;
    End end;
    int code;
  } cases[] = {
      {"a script", "/fence", "#!/bin/sh\n$HA_FENCE_ACTION\n", {"/fence"}, End::kUsable, 0},
      {"it accepts", "/fence", "#!/bin/sh\n$HA_FENCE_ACTION\n", {"/fence"}, End::kAccepts, 10},
      {"it fails", "/fence", "#!/bin/sh\n$HA_FENCE_ACTION\n", {"/fence"}, End::kUnusable, 1},
      {"another script", "/fence", "#!/bin/sh\npoweroff\n", {"/fence"}, End::kUnasked, 0},
      {"another program",
       "/fence",
       "\x7f"
       "ELF",
       {"/fence"},
       End::kNotRun,
       0},
      {"a program that cannot be read", "/other", "", {"/fence"}, End::kNotRun, 0},
      {"a script of an interpreter", "/x", "$HA_FENCE_ACTION", {"/bin/sh", "/x"}, End::kUsable, 0},
      {"words of an interpreter",
       "/x",
       "",
       {"/bin/sh", "-c", "x $HA_FENCE_ACTION"},
       End::kUsable,
       0},
      {"another environment", "/x", "$HA_FENCE_ACTION", {"/bin/sudo", "/x"}, End::kNotRun, 0},
      {"none", "/x", "", {}, End::kNotRun, 0},
  };
  Plan plan{.primary = "db1", .candidate = "db2"};
  const Topology topology = linked({writer(1), replica(2, 1)});
  for (const auto& c : cases) {
    world_.files.files = {{c.program, c.content}};
    world_.programs.ran.clear();
    options_.policy.fence_command = c.argv;
    if (!c.argv.empty())
      world_.programs.programs[c.argv[0]] = [&](const Command&) {
        return ProcessOutcome{ProcessOutcome::End::kExited, c.code, "", 1};
      };
    const FenceTrial trial = try_fence(world_.env, options_, topology, plan, deadline());
    EXPECT_EQ(trial.end, c.end) << c.what << trial.text;
    const bool asked = c.end != End::kNotRun && c.end != End::kUnasked;
    ASSERT_EQ(world_.programs.ran.size(), asked ? 1u : 0u) << c.what;
    if (!asked) continue;
    const auto& environment = world_.programs.ran[0].environment;
    EXPECT_EQ(environment[2], std::pair(std::string("HA_FENCE_ACTION"), std::string("status")));
    EXPECT_EQ(environment[3], std::pair(std::string("HA_FAILED_NODE"), std::string("db1")));
  }
  world_.programs.programs.clear();
  options_.policy.fence_command = {"/bin/sh", "-c", "x $HA_FENCE_ACTION"};
  EXPECT_EQ(try_fence(world_.env, options_, topology, plan, deadline()).end, End::kUnusable);
}

TEST(NodeLockTest, IsTakenReleasedAndAskedFor) {
  FakeServer server("8.4.0");
  const auto session = server.session();
  EXPECT_TRUE(*take_node_lock(*session, "a", 3));
  EXPECT_EQ(server.asked.back(), "SELECT GET_LOCK('a', 3)");
  EXPECT_TRUE(release_node_lock(*session, "a"));
  EXPECT_EQ(server.asked.back(), "SELECT RELEASE_LOCK('a')");
  EXPECT_EQ(*node_lock_holder(*session, "a"), "");
  server.answer("GET_LOCK", "0");
  EXPECT_FALSE(*take_node_lock(*session, "a", 3));
  server.fail("LOCK");
  EXPECT_FALSE(take_node_lock(*session, "a", 3));
  EXPECT_FALSE(release_node_lock(*session, "a"));
  EXPECT_FALSE(node_lock_holder(*session, "a"));
}

}  // namespace
}  // namespace ha
