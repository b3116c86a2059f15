// SPDX-License-Identifier: MIT
// Steps that wait for a node, that make it follow another, or none, and that apply or save events.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "tests/fakes/live_stage.h"

namespace ha {
namespace {

constexpr char kLast[] = "\n/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;\n";

std::string text_of(const Result<StepResult>& result) {
  return result ? result->text : result.error().text;
}

bool names(const Result<StepResult>& result, std::string_view words) {
  return text_of(result).find(words) != std::string::npos;
}

const Step kDrain = step_on(Action::kDrain, "db2");

// db2 has received more than it has applied.
void lag(LiveStage& stage) {
  stage.set(2, stage.flavour == Flavour::kMysql ? "Read_Source_Log_Pos" : "Read_Master_Log_Pos",
            "2000");
}

// Its source is gone, and its applier waits for the rest of what it has.
void tear(LiveStage& stage) {
  const bool mysql = stage.flavour == Flavour::kMysql;
  lag(stage);
  stage.set(2, mysql ? "Replica_IO_Running" : "Slave_IO_Running", "No");
  stage.set(2, mysql ? "Replica_SQL_Running_State" : "Slave_SQL_Running_State",
            "Slave has read all relay log; waiting for more updates");
}

TEST(DrainStepTest, WaitsUntilAllIsApplied) {
  for (const Flavour flavour : {Flavour::kMysql, Flavour::kMariadb}) {
    LiveStage stage(flavour);
    lag(stage);
    const std::string column =
        flavour == Flavour::kMysql ? "Exec_Source_Log_Pos" : "Exec_Master_Log_Pos";
    int looks = 0;
    const auto status = [&](const std::string&) -> Result<Rows> {
      return rows_of({with(*stage.db(2).channel, column, ++looks < 5 ? "1300" : "2000")});
    };
    stage.db(2).answer(flavour == Flavour::kMysql ? "SHOW REPLICA STATUS" : "SHOW ALL SLAVES",
                       status);
    const auto drained = stage.perform(kDrain);
    ASSERT_TRUE(drained) << text_of(drained);
    EXPECT_EQ(drained->facts.drained, std::set<std::string>{"db2"});
    EXPECT_EQ(looks, 5);
  }
}

TEST(DrainStepTest, FailsWhereTheApplierDoesNotRun) {
  LiveStage broken, stopped;
  lag(broken);
  broken.set(2, "Last_SQL_Errno", "1062");
  lag(stopped);
  stopped.set(2, "Replica_SQL_Running", "No");
  for (LiveStage* const stage : {&broken, &stopped}) {
    EXPECT_TRUE(names(stage->perform(kDrain), "SQL"));
    EXPECT_FALSE(stage->perform(kDrain));
  }
}

TEST(DrainStepTest, WhatIsNoReplicaHasNothingToDrain) {
  LiveStage stage;
  stage.db(2).channel.reset();
  const auto drained = stage.perform(kDrain);
  ASSERT_TRUE(drained);
  EXPECT_EQ(drained->facts.drained.size(), 0u);
}

TEST(DrainStepTest, TellsWhatTheApplierWaitsFor) {
  const struct {
    Flavour flavour;
    const char *state, *holder, *want;
  } cases[] = {
      {Flavour::kMysql, "FROM performance_schema.threads WHERE", "metadata_locks", "held by"},
      {Flavour::kMariadb, "SELECT STATE FROM information_schema.processlist", "innodb_trx",
       "held, perhaps, by"},
  };
  for (const auto& c : cases) {
    LiveStage stage(c.flavour);
    lag(stage);
    stage.db(2)
        .answer(c.state, one_cell("Waiting for table metadata lock"))
        .answer(c.holder, rows_of({{{"id", "9"}, {"user", "app"}, {"host", "web1"}}}));
    const double begin_s = stage.world.clock.time_s;
    const auto drained = stage.perform(kDrain);
    ASSERT_FALSE(drained);
    EXPECT_TRUE(names(drained, "Waiting for table metadata lock")) << text_of(drained);
    EXPECT_TRUE(names(drained, c.want) && names(drained, "9 of app@web1")) << text_of(drained);
    EXPECT_GE(stage.world.clock.time_s - begin_s, 0.7);
    stage.db(2).answer(c.holder, Rows{});
    EXPECT_FALSE(names(stage.perform(kDrain), "held"));
    stage.db(2).answer(c.state, one_cell("Waiting for semi-sync ACK from slave"));
    EXPECT_TRUE(names(stage.perform(kDrain), "semi-sync"));
  }
}

// Where another node has received as much, one that does not move is given up early.
TEST(DrainStepTest, ASubstituteSavesTime) {
  LiveStage stage;
  lag(stage);
  stage.db(2).answer("FROM performance_schema.threads WHERE", Rows{});
  stage.options.deadline_s = 0.8;
  stage.plan.spare = "db3";
  const double begin_s = stage.world.clock.time_s;
  EXPECT_FALSE(stage.perform(kDrain));
  EXPECT_LT(stage.world.clock.time_s - begin_s, 0.3);
  // db3 is not the candidate, and nobody needs it.
  const double second_s = stage.world.clock.time_s;
  *stage.db(3).channel = *stage.db(2).channel;
  stage.db(3).answer("FROM performance_schema.threads WHERE", Rows{});
  EXPECT_FALSE(stage.perform(step_on(Action::kDrain, "db3")));
  EXPECT_LT(stage.world.clock.time_s - second_s, 0.3);
  // The candidate catches up from it.
  stage.plan.steps = {step_on(Action::kCatchUp, "db2", {}, "db3")};
  const double third_s = stage.world.clock.time_s;
  EXPECT_FALSE(stage.perform(step_on(Action::kDrain, "db3")));
  EXPECT_GE(stage.world.clock.time_s - third_s, 0.7);
}

TEST(DrainStepTest, HalfATransactionAtTheEndIsNothing) {
  for (const Flavour flavour : {Flavour::kMysql, Flavour::kMariadb})
    for (const char* const busy : {"0", "1"}) {
      LiveStage stage(flavour);
      tear(stage);
      const bool mysql = flavour == Flavour::kMysql;
      stage.db(2)
          .answer(mysql ? "replication_applier_status_by_worker" : "COMMAND = 'Slave_worker'", busy)
          .answer(mysql ? "FROM performance_schema.threads WHERE"
                        : "SELECT STATE FROM information_schema.processlist",
                  Rows{});
      const auto drained = stage.perform(kDrain);
      EXPECT_EQ(drained.has_value(), std::string_view(busy) == "0") << text_of(drained);
      if (!drained) continue;
      EXPECT_TRUE(drained->facts.drained.contains("db2"));
      EXPECT_TRUE(names(drained, "an incomplete transaction"));
    }
}

// MariaDB's position stands at the end at once.
TEST(DrainStepTest, AfterALiftedDelayTheApplierTells) {
  LiveStage stage(Flavour::kMariadb);
  stage.plan.steps = {step_on(Action::kSetDelay, "db2")};
  stage.db(2)
      .answer("COMMAND = 'Slave_worker'", "0")
      .answer("SELECT STATE FROM information_schema.processlist", Rows{});
  EXPECT_FALSE(stage.perform(kDrain));
  stage.set(2, "Slave_SQL_Running_State", "Slave has read all relay log; waiting");
  EXPECT_TRUE(stage.perform(kDrain));
}

TEST(WaitStepTest, ComparesWithTheOtherNode) {
  for (const Action action : {Action::kWaitEqual, Action::kCatchUp}) {
    const Step step = step_on(action, "db2", {}, "db1");
    LiveStage stage;
    const auto equal = stage.perform(step);
    ASSERT_TRUE(equal) << text_of(equal);
    EXPECT_EQ(equal->facts.closed_at.has_value(), action == Action::kWaitEqual);
    stage.db(1).binlog.offset = 2000;
    EXPECT_TRUE(names(stage.perform(step), "db1"));
    EXPECT_FALSE(stage.perform(step));
    stage.set(2, "Replica_IO_Running", "No");
    stage.set(2, "Last_IO_Errno", "1236");
    EXPECT_TRUE(names(stage.perform(step), "IO"));
    stage.set(2, "Last_SQL_Errno", "1062");
    EXPECT_TRUE(names(stage.perform(step), "SQL"));
    stage.db(2).channel.reset();
    EXPECT_FALSE(stage.perform(step));
    stage.kill(1);
    EXPECT_FALSE(stage.perform(step));
  }
}

TEST(RecordStepTest, TellsBothPositions) {
  LiveStage stage;
  stage.db(2).binlog = {"binlog.000003", 77};
  const auto recorded = stage.perform(step_on(Action::kRecord, "db2"));
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->facts.binlog, (BinlogPosition{"binlog.000003", 77}));
  EXPECT_EQ(recorded->facts.applied, (BinlogPosition{"binlog.000007", 1234}));
  // One that has caught up from a sibling has what that one had.
  stage.set(3, "Exec_Source_Log_Pos", "999");
  const auto sibling = stage.perform(step_on(Action::kRecord, "db2", {}, "db3"));
  ASSERT_TRUE(sibling);
  EXPECT_EQ(sibling->facts.applied, (BinlogPosition{"binlog.000007", 999}));
  EXPECT_EQ(sibling->facts.binlog, (BinlogPosition{"binlog.000003", 77}));
}

const Statements kPromotion = {{Part::kStop, "STOP REPLICA"},
                               {Part::kForget, "RESET REPLICA ALL"},
                               {Part::kSemiSyncOn, "SET GLOBAL x=1"}};

TEST(PromoteStepTest, LeavesNoReplica) {
  const Step step = step_on(Action::kPromote, "db2", kPromotion);
  LiveStage stage;
  EXPECT_TRUE(stage.perform(step));
  EXPECT_FALSE(stage.db(2).channel);
  // Again: only the rest is done.
  stage.db(2).asked.clear();
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).count("RESET"), 0);
  EXPECT_EQ(stage.db(2).count("SET GLOBAL x=1"), 1);
  LiveStage stays;
  stays.db(2).answer("RESET", Rows{});
  EXPECT_FALSE(stays.perform(step));
}

TEST(PromoteStepTest, AnApplierWithHalfATransactionIsEnded) {
  const Step step = step_on(Action::kPromote, "db2", kPromotion);
  LiveStage stage;
  tear(stage);
  bool killed = false;
  stage.db(2)
      .answer("replication_applier_status_by_coordinator",
              [&](const std::string&) -> Result<Rows> {
                if (killed) return Rows{};
                return rows_of({{{"PROCESSLIST_ID", "44"}, {"open", "1"}, {"idle", "1"}}});
              })
      .answer("KILL 44", [&](const std::string&) -> Result<Rows> {
        killed = true;
        return Rows{};
      });
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).count("KILL 44"), 1);
  LiveStage forbidden;
  tear(forbidden);
  forbidden.db(2)
      .answer("replication_applier_status_by_coordinator",
              rows_of({{{"PROCESSLIST_ID", "44"}, {"open", "1"}, {"idle", "1"}}}))
      .answer("CURRENT_USER", "m@%")
      .fail("KILL 44");
  EXPECT_TRUE(names(forbidden.perform(step), "GRANT SYSTEM_USER"));
  EXPECT_EQ(forbidden.db(2).count("STOP"), 0);
  // One that has nothing open, or is far from the end, stops by itself.
  for (const char* const idle : {"0", "1"}) {
    LiveStage other;
    tear(other);
    other.db(2).answer("replication_applier_status_by_coordinator",
                       rows_of({{{"PROCESSLIST_ID", "44"}, {"open", "0"}, {"idle", idle}}}));
    EXPECT_TRUE(other.perform(step, {}, 10));
    EXPECT_EQ(other.db(2).count("KILL"), 0);
  }
}

const Statements kPointing = {{Part::kStop, "STOP REPLICA"},
                              {Part::kPoint,
                               "CHANGE REPLICATION SOURCE TO SOURCE_HOST='db2', F={binlog_file}",
                               {Placeholder::kBinlogEnd}},
                              {Part::kStart, "START REPLICA"}};
const Step kRepoint = step_on(Action::kRepoint, "db3", kPointing, "db2");
const RunFacts kDrained = {.drained = {"db3"}, .binlog = BinlogPosition{"b.1", 4}};

// No lock holds up the applier of db3.
void let_follow(LiveStage& stage) {
  stage.db(3).answer("FROM performance_schema.threads WHERE", Rows{});
}

TEST(RepointStepTest, FollowsTheNewSource) {
  LiveStage stage;
  let_follow(stage);
  const auto repointed = stage.perform(kRepoint, kDrained);
  ASSERT_TRUE(repointed) << text_of(repointed);
  EXPECT_EQ(stage.db(3).count("SOURCE_HOST='db2', F='b.1'"), 1);
  // Done once more, it only goes on.
  stage.db(3).asked.clear();
  EXPECT_TRUE(stage.perform(kRepoint, kDrained));
  EXPECT_EQ(stage.db(3).count("CHANGE"), 0);
  EXPECT_EQ(stage.db(3).count("START REPLICA"), 1);
}

// It would wait for them as long as it is waited for.
TEST(RepointStepTest, AnApplierThatWaitsForReplicasIsLetGoFirst) {
  LiveStage stage;
  let_follow(stage);
  stage.set(3, "Replica_IO_Running", "No");
  std::ptrdiff_t let_go = 0;
  stage.db(3).answer("replication_applier_status_by_coordinator",
                     [&](const std::string&) -> Result<Rows> {
                       let_go = stage.db(3).count("SET GLOBAL s=OFF");
                       return rows_of({{{"PROCESSLIST_ID", "7"}, {"open", "0"}, {"idle", "1"}}});
                     });
  Step step = kRepoint;
  step.statements.insert(step.statements.begin(), {Part::kSemiSyncOff, "SET GLOBAL s=OFF"});
  static_cast<void>(stage.perform(step, kDrained));
  EXPECT_EQ(let_go, 1);
  EXPECT_EQ(stage.db(3).count("SET GLOBAL s=OFF"), 1);
}

TEST(RepointStepTest, NeverThrowsAwayWhatIsNotApplied) {
  LiveStage stage;
  let_follow(stage);
  EXPECT_FALSE(stage.perform(kRepoint, {.binlog = BinlogPosition{"b.1", 4}}));
  EXPECT_EQ(stage.db(3).count("STOP"), 0);
  stage.plan.command = PlanCommand::kSwitchover;
  EXPECT_TRUE(stage.perform(kRepoint, {.binlog = BinlogPosition{"b.1", 4}}));
}

TEST(RepointStepTest, AnApplierBehindALockIsNotStopped) {
  LiveStage stage;
  stage.db(3)
      .answer("FROM performance_schema.threads WHERE", one_cell("Waiting for table metadata lock"))
      .answer("metadata_locks", Rows{});
  EXPECT_FALSE(stage.perform(kRepoint, kDrained));
  EXPECT_EQ(stage.db(3).count("STOP"), 0);
}

TEST(RepointStepTest, FailsWhereAThreadDoesNotRun) {
  const struct {
    const char *running, *state, *column, *number, *want;
  } cases[] = {{"Replica_IO_Running", "Connecting", "Last_IO_Errno", "2003", "db2"},
               {"Replica_IO_Running", "No", "Last_IO_Errno", "1236", "IO"},
               {"Replica_SQL_Running", "No", "Last_SQL_Errno", "1062", "SQL"}};
  for (const auto& c : cases) {
    LiveStage stage;
    let_follow(stage);
    stage.db(3).answer("START REPLICA", [&](const std::string&) -> Result<Rows> {
      stage.set(3, "Replica_SQL_Running", "Yes");
      stage.set(3, c.running, c.state);
      stage.set(3, c.column, c.number);
      return Rows{};
    });
    const auto repointed = stage.perform(kRepoint, kDrained);
    ASSERT_FALSE(repointed) << c.state;
    EXPECT_TRUE(names(repointed, c.want)) << text_of(repointed);
  }
}

TEST(RepointStepTest, OneThatAppliesNothingIsNoReplica) {
  LiveStage stage;
  stage.db(2).binlog.offset = 5000;
  std::string wait;
  stage.db(3)
      .answer("FROM performance_schema.threads WHERE",
              [&](const std::string&) -> Result<Rows> {
                if (stage.db(3).count("START REPLICA") == 0 || wait.empty()) return Rows{};
                return one_cell(wait);
              })
      .answer("metadata_locks", Rows{});
  // A long transaction moves nothing either.
  EXPECT_TRUE(stage.perform(kRepoint, kDrained));
  stage.set(3, "Source_Host", "db1");
  stage.db(3).asked.clear();
  wait = "Waiting for table metadata lock";
  EXPECT_TRUE(names(stage.perform(kRepoint, kDrained), wait));
}

TEST(RepointStepTest, AnOldPrimaryThatWroteSinceItWasClosedDoesNotReturn) {
  LiveStage stage;
  stage.plan.command = PlanCommand::kSwitchover;
  stage.db(1).answer("FROM performance_schema.threads WHERE", Rows{});
  const Step step = step_on(Action::kRepoint, "db1", kPointing, "db2");
  RunFacts known = kDrained;
  known.closed_at = BinlogPosition{"binlog.000007", 1000};
  EXPECT_TRUE(names(stage.perform(step, known), "mysql_ha rejoin db1"));
  known.closed_at->offset = 1234;
  EXPECT_TRUE(stage.perform(step, known));
  EXPECT_TRUE(stage.db(1).channel);
}

TEST(RepointStepTest, AReturningNodeThatWroteSinceIsRefused) {
  for (const std::uint64_t offset : {1234u, 1300u}) {
    LiveStage stage;
    stage.plan.command = PlanCommand::kRejoin;
    stage.db(1).answer("FROM performance_schema.threads WHERE", Rows{});
    stage.db(1).binlog.offset = offset;
    const auto returned =
        stage.perform(step_on(Action::kRepoint, "db1", kPointing, "db2"), kDrained);
    EXPECT_EQ(returned.has_value(), offset == 1234) << text_of(returned);
  }
}

// Another replica's is left alone.
TEST(RepointStepTest, AReturningNodeHasNoFormerConnectionToItsSource) {
  for (const auto command : {PlanCommand::kRejoin, PlanCommand::kSwitchover}) {
    LiveStage stage(Flavour::kMariadb);
    stage.plan.command = command;
    stage.db(2)
        .answer("rpl_semi_sync_master_enabled", "1")
        .answer("SHOW PROCESSLIST",
                Rows{{"Id", "Host", "Command"},
                     {{"41", "db3:5001", "Binlog Dump"}, {"42", "db1:5002", "Binlog Dump"}}});
    (void)stage.perform(step_on(Action::kRepoint, "db1",
                                {{Part::kPoint, "CHANGE MASTER TO MASTER_HOST='db2'"},
                                 {Part::kStart, "START SLAVE"}},
                                "db2"),
                        kDrained);
    EXPECT_EQ(stage.db(1).count("CHANGE MASTER"), 1);
    EXPECT_EQ(stage.db(2).count("KILL CONNECTION 42"), command == PlanCommand::kRejoin ? 1 : 0);
    EXPECT_EQ(stage.db(2).count("KILL CONNECTION 41"), 0);
  }
}

TEST(RestoreStepTest, AChannelThatIsStillThereOnlyGoesOn) {
  const Step step = step_on(Action::kRestore, "db2",
                            {{Part::kStop, "STOP REPLICA"},
                             {Part::kPoint, "CHANGE REPLICATION SOURCE TO SOURCE_HOST='db1'"},
                             {Part::kStart, "START REPLICA"}},
                            "db1");
  LiveStage stage;
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).count("CHANGE"), 0);
  stage.db(2).channel.reset();
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).count("CHANGE"), 1);
  EXPECT_TRUE(stage.db(2).channel);
}

// By position it would go on behind what it has lost.
TEST(RestoreStepTest, ACandidateThatLostTheEndOfItsBinlogIsNotAsItWas) {
  const Step step = step_on(Action::kRestore, "db2", kPointing, "db1");
  for (const auto& [size, by_gtid, restored] :
       {std::tuple("1234", false, true), std::tuple("1000", false, false),
        std::tuple("1000", true, true)}) {
    LiveStage stage;
    stage.plan.by_gtid = by_gtid;
    stage.db(2).channel.reset();
    stage.db(2).answer("SHOW BINARY LOGS",
                       rows_of({{{"Log_name", "binlog.000007"}, {"File_size", size}}}));
    const auto done = stage.perform(step, {.binlog = BinlogPosition{"binlog.000007", 1234}});
    EXPECT_EQ(done.has_value(), restored) << text_of(done);
    EXPECT_EQ(stage.db(2).count("CHANGE"), restored ? 1 : 0);
    EXPECT_EQ(names(done, "it has lost the end of its binlog, from before binlog.000007:1234"),
              !restored)
        << text_of(done);
  }
}

// A source that waits for acknowledgements has to count its replica first.
TEST(SemiSyncStepTest, WaitsUntilAReplicaAcknowledges) {
  const auto status = [](const char* active, const char* clients) {
    return rows_of({{{"Variable_name", "Rpl_semi_sync_source_status"}, {"Value", active}},
                    {{"Variable_name", "Rpl_semi_sync_source_clients"}, {"Value", clients}}});
  };
  const struct {
    const char *enabled, *active, *clients;
    bool succeeds;
  } cases[] = {{"1", "ON", "1", true},
               {"1", "OFF", "1", false},
               {"1", "ON", "0", false},
               {"0", "OFF", "0", true}};
  const std::string on = "SET GLOBAL rpl_semi_sync_source_enabled=ON";
  for (const auto& c : cases) {
    LiveStage stage;
    stage.facts(2).semi_sync.source_variable = "rpl_semi_sync_source_enabled";
    stage.facts(2).semi_sync.wait_count = 1;
    stage.db(2)
        .answer("SELECT @@GLOBAL.rpl_semi_sync_source_enabled", c.enabled)
        .answer("SHOW GLOBAL STATUS", status(c.active, c.clients));
    const auto done = stage.perform(step_on(Action::kSemiSync, "db2", {{Part::kSemiSyncOn, on}}));
    EXPECT_EQ(done.has_value(), c.succeeds) << c.enabled << c.active << c.clients;
    // So has one that is to follow it.
    stage.facts(3).semi_sync.replica_variable = "rpl_semi_sync_replica_enabled";
    stage.db(3)
        .answer("SELECT @@GLOBAL.rpl_semi_sync_replica_enabled", "1")
        .answer("FROM performance_schema.threads WHERE", Rows{});
    EXPECT_EQ(stage.perform(kRepoint, kDrained).has_value(), c.succeeds);
    stage.db(3).answer("SELECT @@GLOBAL.rpl_semi_sync_replica_enabled", "0");
    EXPECT_TRUE(stage.perform(kRepoint, kDrained));
  }
  LiveStage plain;
  EXPECT_TRUE(plain.perform(step_on(Action::kSemiSync, "db2", {{Part::kSemiSyncOn, on}})));
}

TEST(SetDelayStepTest, KeepsWhatIsReceived) {
  const Statement delay = {Part::kDelay,
                           "CHANGE REPLICATION SOURCE TO R={relay_file}, SOURCE_DELAY=0",
                           {Placeholder::kRelay}};
  const Step step = step_on(Action::kSetDelay, "db2", {delay});
  LiveStage stage;
  stage.set(2, "Relay_Log_File", "relay.000002");
  stage.set(2, "Relay_Log_Pos", "55");
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).count("R='relay.000002'"), 1);
  stage.set(2, "Replica_IO_Running", "No");
  EXPECT_FALSE(stage.perform(step));
  stage.db(2).channel.reset();
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).count("CHANGE"), 1);
  // By GTID, MariaDB would fetch anew what it has not applied.
  LiveStage mariadb(Flavour::kMariadb);
  mariadb.db(2).answer("@@GLOBAL.gtid_binlog_state AS state", rows_of({{{"state", "0-1-5"},
                                                                        {"written", "0-1-5"},
                                                                        {"applied", "0-1-5"},
                                                                        {"current", "0-1-5"}}}));
  const Step by_gtid =
      step_on(Action::kSetDelay, "db2", {{Part::kDelay, "CHANGE MASTER TO MASTER_DELAY=0"}});
  mariadb.set(2, "Gtid_IO_Pos", "0-1-9");
  EXPECT_FALSE(mariadb.perform(by_gtid));
  mariadb.set(2, "Gtid_IO_Pos", "0-1-5");
  EXPECT_TRUE(mariadb.perform(by_gtid));
}

// The rescue command prints this.
void let_print(LiveStage& stage, const std::string& program, const std::string& text) {
  stage.world.programs.programs[program] = [&stage, text](const Command& command) {
    stage.world.files.files[command.output_file] = text;
    return ProcessOutcome{};
  };
}

Step rescue_step() {
  Step step = step_on(Action::kRescue, "db2");
  step.argv = {"/rescue"};
  return step;
}

const std::string kTransaction =
    "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'/*!*/;\nBEGIN;\nINSERT INTO t VALUES (1);\nCOMMIT;\n";

TEST(RescueStepTest, AppliesWhatTheDeadPrimaryWrote) {
  LiveStage stage;
  let_print(stage, "/rescue", kTransaction + kLast);
  stage.db(2).binlog = {"binlog.000001", 900};
  const RunFacts known = {.applied = BinlogPosition{"binlog.000007", 1234}};
  // A step with a program needs no session, unless it works on a node.
  const auto rescued = stage.perform(rescue_step(), known);
  ASSERT_TRUE(rescued) << text_of(rescued);
  EXPECT_EQ(rescued->facts.rescued, 1u);
  EXPECT_EQ(rescued->facts.after_rescue, (BinlogPosition{"binlog.000001", 900}));
  EXPECT_EQ(stage.db(2).count("INSERT INTO t VALUES (1)"), 1);
  const std::string path = "/state/mysql/db1.binlog.000007.1234.rescued.sql";
  EXPECT_TRUE(stage.world.files.files.contains(path));
  // Without GTIDs it would be applied twice.
  EXPECT_TRUE(names(stage.perform(rescue_step(), known), path));
  EXPECT_EQ(stage.db(2).count("INSERT INTO t VALUES (1)"), 1);
}

TEST(RescueStepTest, WhatIsNotWholeIsNotApplied) {
  LiveStage torn, failing, hostile, refusing;
  let_print(torn, "/rescue", kTransaction);
  failing.world.programs.programs["/rescue"] = [](const Command&) {
    return ProcessOutcome{ProcessOutcome::End::kExited, 255, "ssh: no route", 1};
  };
  let_print(refusing, "/rescue", kTransaction + kLast);
  refusing.db(2).fail("INSERT");
  let_print(hostile, "/rescue", kTransaction + kLast);
  const RunFacts known = {.applied = BinlogPosition{"binlog.000007", 1234}};
  for (LiveStage* const stage : {&torn, &failing}) {
    EXPECT_FALSE(stage->perform(rescue_step(), known));
    EXPECT_EQ(stage->db(2).count("INSERT"), 0);
    EXPECT_EQ(stage->world.files.files.size(), 0u);
  }
  EXPECT_FALSE(hostile.perform(rescue_step(), {.applied = BinlogPosition{"../x", 4}}));
  EXPECT_EQ(hostile.world.programs.ran.size(), 0u);
  EXPECT_FALSE(refusing.perform(rescue_step(), known));
  EXPECT_EQ(refusing.db(2).count("super_read_only=1"), 1);
}

TEST(SaveExtraStepTest, KeepsWhatOnlyThisNodeHas) {
  for (const Flavour flavour : {Flavour::kMysql, Flavour::kMariadb}) {
    LiveStage stage(flavour);
    stage.db(1).answer("SHOW BINARY LOGS", rows_of({{{"Log_name", "binlog.000001"}}}));
    Step step = step_on(Action::kSaveExtra, "db1", {}, "db2");
    step.position = {"binlog.000007", 1000};
    const char* const tool = flavour == Flavour::kMysql ? "mysqlbinlog" : "mariadb-binlog";
    let_print(stage, tool, kTransaction + kLast);
    const auto saved = stage.perform(step);
    ASSERT_TRUE(saved) << text_of(saved);
    EXPECT_TRUE(names(saved, "/state/mysql/run1.extra.sql"));
    EXPECT_TRUE(stage.world.files.files.contains("/state/mysql/run1.extra.sql"));
    // The password is gone with the tool.
    EXPECT_FALSE(stage.world.files.files.contains("/state/mysql/run1.cnf"));
    stage.db(1).answer("SHOW BINARY LOGS", Rows{});
    EXPECT_FALSE(stage.perform(step));
    stage.world.programs.programs.clear();
    EXPECT_FALSE(stage.perform(step));
  }
}

// No answer is taken for another: whatever statement of a step fails, the step fails.
TEST(LiveActionsTest, AStatementThatFailsFailsItsStep) {
  const auto semi_sync = [](LiveStage& stage) {
    stage.facts(2).semi_sync.source_variable = "rpl_semi_sync_source_enabled";
    stage.facts(2).semi_sync.wait_count = 1;
    stage.facts(3).semi_sync.replica_variable = "rpl_semi_sync_replica_enabled";
    stage.db(2)
        .answer("SELECT @@GLOBAL.rpl_semi_sync_source_enabled", "1")
        .answer("SHOW GLOBAL STATUS",
                rows_of({{{"Variable_name", "Rpl_semi_sync_source_status"}, {"Value", "ON"}},
                         {{"Variable_name", "Rpl_semi_sync_source_clients"}, {"Value", "1"}}}));
    stage.db(3)
        .answer("SELECT @@GLOBAL.rpl_semi_sync_replica_enabled", "1")
        .answer("FROM performance_schema.threads WHERE", Rows{});
  };
  const auto torn = [](LiveStage& stage) {
    tear(stage);
    stage.db(2).answer("replication_applier_status_by_worker", "0");
  };
  const auto clients = [](LiveStage& stage) {
    for (const int i : {1, 2, 3}) stage.db(i).answer("SHOW PROCESSLIST", Rows{});
  };
  const auto rejoin = [semi_sync](LiveStage& stage) {
    semi_sync(stage);
    stage.plan.command = PlanCommand::kRejoin;
  };
  const auto rescue = [](LiveStage& stage) { let_print(stage, "/rescue", kTransaction + kLast); };
  const auto save = [](LiveStage& stage) {
    let_print(stage, "mysqlbinlog", kTransaction + kLast);
    stage.db(3).answer("SHOW BINARY LOGS", rows_of({{{"Log_name", "binlog.000001"}}}));
  };
  Step save_extra = step_on(Action::kSaveExtra, "db3", {}, "db2");
  save_extra.position = {"binlog.000007", 1000};
  const auto none = [](LiveStage&) {};
  const auto events = [](LiveStage& stage) {
    stage.db(2).answer("information_schema.events", Rows{});
  };
  const std::pair<Step, std::function<void(LiveStage&)>> cases[] = {
      {step_on(Action::kLock, "db2"), none},
      {kDrain, none},
      {kDrain, torn},
      {step_on(Action::kWaitEqual, "db2", {}, "db3"), none},
      {step_on(Action::kRecord, "db2", {}, "db3"), none},
      {step_on(Action::kPromote, "db2", kPromotion), none},
      {kRepoint, semi_sync},
      {kRepoint, rejoin},
      {step_on(Action::kRestore, "db3", kPointing, "db1"), none},
      {step_on(Action::kSemiSync, "db2", {{Part::kSemiSyncOn, "SET GLOBAL x=1"}}), semi_sync},
      {step_on(Action::kMakeWritable, "db2", {{Part::kOpen, "SET GLOBAL read_only=0"}}), none},
      {step_on(Action::kBlockWriters, "db1",
               {{Part::kClose, "SET GLOBAL read_only=1"}, {Part::kLock, "FLUSH TABLES"}}),
       clients},
      {step_on(Action::kUnblock, "db1", {{Part::kUnlock, "UNLOCK TABLES"}}), clients},
      {step_on(Action::kEvents, "db2", {{Part::kDisableEvent, "ALTER EVENT e"}}), events},
      {step_on(Action::kSetDelay, "db2", {{Part::kDelay, "CHANGE X"}}), none},
      {rescue_step(), rescue},
      {save_extra, save},
      {step_on(Action::kRecheck, "db1"), [](LiveStage& stage) { stage.kill(1); }},
  };
  for (const auto& [step, prepare] : cases)
    for (int node = 1; node <= 3; ++node) {
      LiveStage whole;
      prepare(whole);
      const auto done = whole.perform(step, kDrained);
      ASSERT_TRUE(done) << action_name(step.action) << ": " << text_of(done);
      std::map<std::string, int> times;
      for (std::size_t number = 1; number <= whole.db(node).asked.size(); ++number) {
        // A step that waits asks the same again and again: the first and a later time tell all.
        if (++times[whole.db(node).asked[number - 1]] > 2) continue;
        LiveStage stage;
        prepare(stage);
        stage.db(node).fails_at = number;
        EXPECT_FALSE(stage.perform(step, kDrained)) << action_name(step.action) << " db" << node
                                                    << ": " << whole.db(node).asked[number - 1];
      }
    }
}

}  // namespace
}  // namespace ha
