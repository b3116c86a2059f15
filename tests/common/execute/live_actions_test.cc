// SPDX-License-Identifier: MIT
// Steps that prove that a plan still holds, that run programs, and that open and close servers.
#include "common/execute/live_actions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fakes/fake_machine.h"
#include "tests/fakes/live_stage.h"

namespace ha {
namespace {

using End = ProcessOutcome::End;

std::string text_of(const Result<StepResult>& result) {
  return result ? result->text : result.error().text;
}

bool names(const Result<StepResult>& result, std::string_view words) {
  return text_of(result).find(words) != std::string::npos;
}

// The program /p ends like this.
void let_end(LiveStage& stage, End end, int code) {
  stage.world.programs.programs["/p"] = [=](const Command&) {
    return ProcessOutcome{end, code, "words\n", 1};
  };
}

Step program_step(Action action, const char* node = "") {
  Step step{1, action, node};
  step.argv = {"/p", "-x"};
  return step;
}

// An MHA script that moves the address may open the node, too; from then on there is no way back.
TEST(MhaScriptStepTest, ANewPrimaryThatItMayHaveOpenedIsOpen) {
  const struct {
    const char* name;
    const char* node;
    int number, code;
    bool read_only, silent, opened;
  } cases[] = {
      {"it has opened it", "db2", 1, 0, false, false, true},
      {"with a warning", "db2", 1, 10, false, false, true},
      {"it has moved the address alone", "db2", 1, 0, true, false, false},
      {"nobody can tell", "db2", 1, 0, true, true, true},
      {"it was for the old primary", "db1", 1, 0, false, false, false},
      {"it takes the address back", "db2", 0, 0, false, false, false},
  };
  for (const auto& c : cases) {
    LiveStage stage;
    let_end(stage, End::kExited, c.code);
    stage.db(2).read_only = c.read_only;
    if (c.silent) stage.kill(2);
    Step step = program_step(Action::kMhaScript, c.node);
    step.number = c.number;
    const auto done = stage.perform(step);
    ASSERT_TRUE(done) << c.name;
    EXPECT_EQ(done->facts.opened, c.opened) << c.name;
    EXPECT_EQ(done->warning.empty(), c.code == 0) << c.name;
  }
}

TEST(LockStepTest, IsRefusedWhereAnotherRunHasIt) {
  LiveStage stage;
  EXPECT_TRUE(stage.perform(step_on(Action::kLock, "db2")));
  stage.db(2).answer("GET_LOCK(", "0").answer("COALESCE(IS_USED_LOCK", "42");
  const auto refused = stage.perform(step_on(Action::kLock, "db2"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kRefused);
  EXPECT_TRUE(names(refused, "run: KILL 42"));
}

TEST(LockStepTest, LetsTheServerKeepASessionForAsLongAsItsRunMayTake) {
  LiveStage stage;
  stage.options.deadline_s = 60;
  EXPECT_TRUE(stage.perform(step_on(Action::kLock, "db2")));
  stage.plan.command = PlanCommand::kResync;
  EXPECT_TRUE(stage.perform(step_on(Action::kLock, "db2")));
  EXPECT_EQ(stage.db(2).count("SET SESSION wait_timeout = 360"), 1);
  EXPECT_EQ(stage.db(2).count("SET SESSION wait_timeout = 86400"), 1);
}

// The run that had the lock before may have changed the roles.
TEST(LockStepTest, FailsOnANodeThatIsNotAsItWasPlanned) {
  LiveStage opened, moved, freed;
  opened.db(2).read_only = false;
  moved.set(2, "Source_Host", "db3");
  freed.db(2).channel.reset();
  for (LiveStage* const stage : {&opened, &moved, &freed})
    EXPECT_FALSE(stage->perform(step_on(Action::kLock, "db2")));
}

TEST(ConfirmDeadStepTest, OnlySilenceIsDeath) {
  LiveStage stage;
  EXPECT_FALSE(stage.perform(step_on(Action::kConfirmDead, "db1")));
  // It cannot be read, and is there.
  stage.db(1).fail("SHOW GLOBAL VARIABLES");
  EXPECT_FALSE(stage.perform(step_on(Action::kConfirmDead, "db1")));
  EXPECT_FALSE(stage.perform(step_on(Action::kConfirmDead, "db9")));
  stage.kill(1);
  EXPECT_TRUE(stage.perform(step_on(Action::kConfirmDead, "db1")));
}

TEST(ConfirmDeadStepTest, AskingAPrimaryThatHasNoLeaseTakesAMoment) {
  LiveStage stage;
  stage.options.probe_timeout_s = 5;
  unsigned asked_s = 0;
  stage.world.connector.servers["db1"] =
      [&](const MysqlOptions& login) -> Result<std::unique_ptr<SqlSession>> {
    asked_s = login.connect_timeout_s;
    return Error{Errc::kUnreachable, "no route to host", 2003};
  };
  for (const Action action : {Action::kConfirmDead, Action::kRecheck}) {
    stage.context.primary_lease_expired.reset();
    EXPECT_TRUE(stage.perform(step_on(action, "db1")));
    EXPECT_GE(asked_s, 3u);
    stage.context.primary_lease_expired = "its guard was not heard for 5s";
    EXPECT_TRUE(stage.perform(step_on(action, "db1")));
    EXPECT_EQ(asked_s, 1u);
  }
}

TEST(RecheckStepTest, NeedsItsLocksAndADeadPrimary) {
  LiveStage stage;
  EXPECT_FALSE(stage.perform(step_on(Action::kRecheck, "db1")));
  EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db1"), {.fenced = true}));
  stage.kill(1);
  EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db1")));
  stage.db(3).answer("IS_USED_LOCK(", "0");
  EXPECT_TRUE(names(stage.perform(step_on(Action::kRecheck, "db1")), "db3"));
  stage.kill(3);
  EXPECT_FALSE(stage.perform(step_on(Action::kRecheck, "db1")));
}

// What was asked before a server stood still is asked again after it.
TEST(RecheckStepTest, WhatIsOldIsAskedAgain) {
  for (const auto& [node, statement] :
       {std::pair(2, "IS_USED_LOCK("), std::pair(3, "SHOW REPLICA STATUS")}) {
    LiveStage stage;
    const auto primary = stage.world.connector.servers["db1"];
    stage.kill(1);
    EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db1")));
    const bool locks = node == 2;
    stage.db(node).answer(statement, [&, locks](const std::string&) -> Result<Rows> {
      stage.world.clock.time_s += 12;
      stage.world.connector.servers["db1"] = primary;
      return locks ? one_cell("1") : rows_of({*stage.db(3).channel});
    });
    EXPECT_TRUE(names(stage.perform(step_on(Action::kRecheck, "db1"), {}, 30), "it answers"))
        << statement;
  }
}

// Servers that stand still until the deadline of the step.
class LateWorkers : public InlineWorkers {
 public:
  std::vector<End> for_all(std::size_t count, const Deadline&, Work) override {
    return std::vector(count, End::kLate);
  }
};

TEST(RecheckStepTest, AServerThatDoesNotTellOfItsLockEndsItInTime) {
  LiveStage stage;
  LateWorkers workers;
  const Env& env = stage.world.env;
  LiveActions actions({env.clock, env.connector, env.process, env.files, env.network, workers},
                      stage.options, {linked(stage.nodes), {}, {}}, stage.plan, "run1",
                      "/state/mysql", std::nullopt);
  EXPECT_EQ(text_of(actions.perform(step_on(Action::kRecheck, "db1"), {.fenced = true},
                                    Deadline::after(stage.world.clock, 1))),
            "the lock on db2 cannot be confirmed: no answer in time");
}

TEST(RecheckStepTest, APrimaryThatWasRestartedInASwitchoverMayBeOpen) {
  LiveStage stage;
  stage.plan.command = PlanCommand::kSwitchover;
  // A server that our session has closed, and whose lock it holds, is closed.
  EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db2")));
  stage.db(1).answer("IS_USED_LOCK(", "0");
  EXPECT_TRUE(names(stage.perform(step_on(Action::kRecheck, "db2")), "db1 was restarted"));
  stage.db(1).read_only = true;
  EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db2")));
  stage.kill(1);
  EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db2")));
}

TEST(RecheckStepTest, APrimaryThatLostEventsIsNotReopened) {
  for (const auto& [size, file, may] :
       {std::tuple("1234", "binlog.000007", true), std::tuple("1000", "binlog.000007", false),
        std::tuple("9", "binlog.000008", true)}) {
    LiveStage stage;
    stage.plan = {.command = PlanCommand::kReopen, .primary = "db1", .candidate = "db1"};
    for (Node& node : stage.nodes)
      for (ChannelStatus& channel : *node.facts->channels) channel.read = {"binlog.000007", 1234};
    stage.db(1).answer("SHOW BINARY LOGS", rows_of({{{"Log_name", file}, {"File_size", size}}}));
    const auto checked = stage.perform(step_on(Action::kRecheck, "db1"));
    EXPECT_EQ(checked.has_value(), may) << size << " " << text_of(checked);
    stage.db(1).fail("SHOW BINARY LOGS");
    EXPECT_FALSE(stage.perform(step_on(Action::kRecheck, "db1")));
  }
}

TEST(RecheckStepTest, AServerThatItsGuardHasClosedIsOpenedAsItWasLeft) {
  LiveStage stage;
  stage.plan = {.command = PlanCommand::kReopen, .primary = "db1", .candidate = "db1"};
  stage.plan.closed_by_guard = true;
  for (int i = 2; i <= 3; ++i) stage.facts(i).channels->front().uses_gtid = true;
  stage.db(1).read_only = stage.facts(1).read_only.emplace(true);
  stage.context.own_closing = {"db1", stage.db(1).binlog, ""};
  EXPECT_TRUE(stage.perform(step_on(Action::kRecheck, "db1")));
  stage.context.own_closing->set_at = "2026-11-30 09:00:00";
  EXPECT_TRUE(names(stage.perform(step_on(Action::kRecheck, "db1")),
                    "its guard has closed it, and read_only was set again"));
  stage.context.own_closing->set_at = "";
  stage.db(1).binlog = {"binlog.000007", 1240};
  EXPECT_TRUE(names(stage.perform(step_on(Action::kRecheck, "db1")),
                    "its guard has closed it, and its binlog ends elsewhere"));
}

TEST(HookStepTest, IsToldOfTheChange) {
  for (const Action action : {Action::kHook, Action::kStartService}) {
    LiveStage stage;
    let_end(stage, End::kExited, 0);
    EXPECT_TRUE(stage.perform(program_step(action), {.applied = BinlogPosition{"b.7", 12}}));
    const Command& ran = stage.world.programs.ran.at(0);
    EXPECT_EQ(ran.argv, (std::vector<std::string>{"/p", "-x"}));
    const std::vector<std::pair<std::string, std::string>> environment = {
        {"HA_COMMAND", "failover"},   {"HA_RUN", "run1"},
        {"HA_FAILED_NODE", "db1"},    {"HA_FAILED_HOST", "db1"},
        {"HA_FAILED_PORT", "3306"},   {"HA_SUCCESSOR_NODE", "db2"},
        {"HA_SUCCESSOR_HOST", "db2"}, {"HA_SUCCESSOR_PORT", "3306"},
        {"HA_BINLOG_FILE", "b.7"},    {"HA_BINLOG_POSITION", "12"}};
    EXPECT_EQ(ran.environment, environment);
    let_end(stage, End::kExited, 3);
    EXPECT_TRUE(names(stage.perform(program_step(action)), "exited with 3"));
    stage.world.programs.programs.clear();
    EXPECT_FALSE(stage.perform(program_step(action)));
  }
}

TEST(FenceStepTest, ItsExitCodeDecides) {
  const struct {
    End end;
    int code;
    bool hung, succeeds, fenced, warns;
  } cases[] = {
      {End::kExited, 0, false, true, true, false},
      {End::kExited, 0, true, true, true, false},
      {End::kExited, 10, false, true, false, true},
      {End::kExited, 10, true, false, false, false},
      {End::kExited, 1, false, false, false, false},
      {End::kSignalled, 10, false, false, false, false},
      {End::kTimedOut, 0, false, false, false, false},
  };
  for (const auto& c : cases) {
    LiveStage stage;
    stage.plan.hung = c.hung;
    let_end(stage, c.end, c.code);
    const auto result = stage.perform(program_step(Action::kFence, "db1"));
    ASSERT_EQ(result.has_value(), c.succeeds) << c.code << text_of(result);
    if (!result) continue;
    EXPECT_EQ(result->facts.fenced, c.fenced) << c.code;
    EXPECT_EQ(!result->warning.empty(), c.warns) << c.code;
    EXPECT_EQ(stage.world.programs.ran.at(0).environment.back(),
              std::pair(std::string("HA_FENCE_ACTION"), std::string("off")));
  }
  LiveStage none;
  EXPECT_FALSE(none.perform(program_step(Action::kFence, "db1")));
}

TEST(FenceStepTest, ByClosingWhatIsDeadTakesNoWrites) {
  LiveStage stage;
  stage.db(1).answer("SHOW PROCESSLIST", Rows{});
  Step step = step_on(Action::kFence, "db1", {{Part::kClose, "SET GLOBAL read_only=1"}});
  const auto closed = stage.perform(step);
  ASSERT_TRUE(closed) << text_of(closed);
  EXPECT_TRUE(closed->facts.closed);
  EXPECT_TRUE(stage.db(1).read_only);
  stage.kill(1);
  EXPECT_FALSE(stage.perform(step));
  step.may_fail = true;
  const auto dead = stage.perform(step);
  ASSERT_TRUE(dead);
  EXPECT_FALSE(dead->facts.closed);
}

// MySQL's commits go on waiting when their clients are gone, and hold up the closing.
TEST(FenceStepTest, CommitsThatWaitForReplicasAreLetGoWhenNoClientIsLeft) {
  const std::string off = "SET GLOBAL rpl_semi_sync_source_enabled=OFF";
  const Step step = step_on(Action::kFence, "db1", {{Part::kClose, "SET GLOBAL read_only=1"}});
  for (const char* const state :
       {"Waiting for global read lock", "Waiting for commit lock", "Waiting for backup lock", ""}) {
    LiveStage stage;
    stage.facts(1).semi_sync.source_variable = "rpl_semi_sync_source_enabled";
    stage.db(1)
        .answer("SHOW PROCESSLIST",
                rows_of({{{"Id", "8"},
                          {"User", "app"},
                          {"Command", "Query"},
                          {"State", "Waiting for semi-sync ACK from replica"}},
                         {{"Id", "5"}, {"User", "ha"}, {"Command", "Query"}, {"State", "init"}}}))
        .answer("SELECT CONNECTION_ID()", "5")
        .answer("SELECT STATE FROM", state);
    const auto closed = stage.perform(step, {}, 10);
    EXPECT_TRUE(closed) << text_of(closed);
    const bool held_up = std::string_view(state) != "";
    EXPECT_EQ(stage.db(1).count(off), held_up ? 1 : 0) << state;
    EXPECT_EQ(stage.db(1).count("KILL CONNECTION 5"), 0);
    const std::vector<std::string>& asked = stage.db(1).asked;
    if (!held_up) continue;
    EXPECT_EQ(*(std::ranges::find(asked, off) - 1), "KILL CONNECTION 8");
  }
}

// The end of the first of a group lets MariaDB acknowledge the commits of the others.
TEST(FenceStepTest, AClientThatWaitsForTheWholeGroupIsEndedLast) {
  LiveStage stage;
  stage.facts(1).semi_sync.source_variable = "rpl_semi_sync_master_enabled";
  const auto client = [](const char* id, const char* state) {
    return Fields{{"Id", id}, {"User", "app"}, {"Command", "Query"}, {"State", state}};
  };
  stage.db(1)
      .answer("SHOW PROCESSLIST",
              rows_of({client("7", "Waiting for semi-sync ACK from slave"), client("8", "Commit")}))
      .answer("SELECT CONNECTION_ID()", "5")
      .answer("SELECT STATE FROM", "Waiting for backup lock");
  const auto closed =
      stage.perform(step_on(Action::kFence, "db1", {{Part::kClose, "SET GLOBAL read_only=1"}}));
  ASSERT_TRUE(closed) << text_of(closed);
  const std::vector<std::string>& asked = stage.db(1).asked;
  const auto first = std::ranges::find(asked, "KILL CONNECTION 7");
  ASSERT_NE(first, asked.end());
  EXPECT_EQ(*(first - 1), "KILL CONNECTION 8");
}

TEST(BlockWritersStepTest, EndsClientsAndNobodyElse) {
  LiveStage stage;
  const auto client = [](const char* id, const char* user, const char* command) {
    return Fields{{"Id", id}, {"User", user}, {"Command", command}};
  };
  stage.db(1).answer(
      "SHOW PROCESSLIST",
      rows_of({client("7", "monitor", "Query"), client("8", "app", "Sleep"),
               client("9", "system user", "Slave_SQL"), client("10", "repl", "Binlog Dump GTID"),
               client("11", "event_scheduler", "Daemon"), client("12", "app", "Query")}));
  const auto blocked = stage.perform(step_on(
      Action::kBlockWriters, "db1",
      {{Part::kClose, "SET GLOBAL read_only=1"}, {Part::kLock, "FLUSH TABLES WITH READ LOCK"}}));
  ASSERT_TRUE(blocked) << text_of(blocked);
  EXPECT_TRUE(names(blocked, "4 connections"));
  EXPECT_EQ(stage.db(1).count("KILL CONNECTION 8"), 2);
  EXPECT_EQ(stage.db(1).count("KILL CONNECTION 12"), 2);
  EXPECT_EQ(stage.db(1).count("KILL "), 4);
  EXPECT_EQ(stage.db(1).asked.end()[-2], "FLUSH TABLES WITH READ LOCK");
}

TEST(BlockWritersStepTest, FailsOnAServerThatStaysOpen) {
  LiveStage stage;
  stage.db(1).answer("SHOW PROCESSLIST", Rows{}).answer("SET GLOBAL read_only=1", Rows{});
  EXPECT_FALSE(stage.perform(
      step_on(Action::kBlockWriters, "db1", {{Part::kClose, "SET GLOBAL read_only=1"}})));
}

TEST(UnblockStepTest, WaitsForTheClientsThatItTurnsAway) {
  LiveStage stage;
  int looks = 0;
  stage.db(1).answer("SHOW PROCESSLIST", [&](const std::string&) -> Result<Rows> {
    if (++looks > 4) return Rows{};
    return rows_of({{{"Id", "8"}, {"User", "app"}, {"Command", "Query"}}});
  });
  EXPECT_TRUE(stage.perform(step_on(Action::kUnblock, "db1", {{Part::kUnlock, "UNLOCK TABLES"}})));
  EXPECT_EQ(looks, 5);
  EXPECT_EQ(stage.db(1).count("KILL CONNECTION 8"), 1);
  EXPECT_EQ(stage.db(1).asked.back(), "UNLOCK TABLES");
}

TEST(MakeWritableStepTest, ReadsBackThatItIsOpen) {
  const Step step =
      step_on(Action::kMakeWritable, "db2", {{Part::kOpen, "SET GLOBAL read_only=0"}});
  LiveStage stage;
  const auto opened = stage.perform(step);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->facts.opened);
  EXPECT_FALSE(stage.db(2).read_only);
  LiveStage stays;
  stays.db(2).answer("SET GLOBAL read_only=0", Rows{});
  EXPECT_FALSE(stays.perform(step));
}

TEST(EventsStepTest, LeavesNoWordInTheBinlog) {
  const std::string disable = "ALTER DEFINER=`a`@`%` EVENT `s`.`e` DISABLE ON REPLICA";
  const Step step = step_on(Action::kEvents, "db2", {{Part::kDisableEvent, disable}});
  for (const bool stays : {false, true}) {
    LiveStage stage;
    stage.db(2).answer("information_schema.events",
                       rows_of({{{"event_schema", "s"},
                                 {"event_name", "e"},
                                 {"definer", "a@%"},
                                 {"status", stays ? "ENABLED" : "REPLICA_SIDE_DISABLED"},
                                 {"originator", "1"}}}));
    EXPECT_EQ(stage.perform(step).has_value(), !stays);
    EXPECT_EQ(stage.db(2).asked.at(0), "SET SESSION sql_log_bin=0");
    EXPECT_EQ(stage.db(2).asked.at(1), disable);
    EXPECT_EQ(stage.db(2).asked.at(2), "SET SESSION sql_log_bin=1");
  }
}

TEST(WriteFileStepTest, ReplacesIt) {
  LiveStage stage;
  Step step{1, Action::kWriteFile};
  step.path = "/etc/flag";
  step.content = "db2\n";
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.world.files.files["/etc/flag"], "db2\n");
  stage.world.files.full = true;
  EXPECT_FALSE(stage.perform(step));
}

TEST(VipStepTest, MovesIt) {
  LiveStage stage;
  stage.options.vip = {"192.0.2.10", 24, "eth0"};
  bool held[] = {true, false}, answers = true;
  stage.world.network.machine = [&](const std::string& host) {
    return std::make_unique<FakeMachine>(answers ? &held[host == "db2"] : nullptr);
  };
  EXPECT_TRUE(stage.perform(step_on(Action::kVipDown, "db1")));
  EXPECT_FALSE(held[0]);
  EXPECT_TRUE(stage.perform(step_on(Action::kVipUp, "db2")));
  EXPECT_TRUE(held[1]);
  EXPECT_FALSE(stage.perform(step_on(Action::kVipUp, "db9")));
  // A machine that is off holds no address, whether or not it can be asked.
  answers = false;
  EXPECT_FALSE(stage.perform(step_on(Action::kVipDown, "db1")));
  EXPECT_TRUE(stage.perform(step_on(Action::kVipDown, "db1"), {.fenced = true}));
  EXPECT_FALSE(stage.perform(step_on(Action::kVipUp, "db2"), {.fenced = true}));
}

TEST(LiveActionsTest, ANodeThatDoesNotAnswerOrIsNoneFailsItsStep) {
  LiveStage stage;
  stage.kill(2);
  for (const char* const node : {"db2", "db9"})
    EXPECT_FALSE(stage.perform(step_on(Action::kStopReceiver, node)));
}

TEST(LiveActionsTest, StatementsAreRunInTheirOrder) {
  LiveStage stage;
  const Step step = step_on(Action::kStopReceiver, "db2",
                            {{Part::kStop, "STOP REPLICA IO_THREAD"}, {Part::kStart, "DO 1"}});
  EXPECT_TRUE(stage.perform(step));
  EXPECT_EQ(stage.db(2).asked, (std::vector<std::string>{"STOP REPLICA IO_THREAD", "DO 1"}));
  stage.db(2).asked.clear();
  stage.db(2).fail("STOP");
  EXPECT_FALSE(stage.perform(step));
  EXPECT_EQ(stage.db(2).asked.size(), 1u);
}

}  // namespace
}  // namespace ha
