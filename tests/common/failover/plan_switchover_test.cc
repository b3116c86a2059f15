// SPDX-License-Identifier: MIT
// plan_switchover, plan_rejoin and plan_resync: changes while the primary lives.
#include <gtest/gtest.h>

#include <algorithm>

#include "common/failover/plan.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

Node by_position(Node node) {
  node.facts->history = {};
  if (node.channels().empty()) return node;
  channel(node).uses_gtid = false;
  channel(node).read = channel(node).executed = {"binlog.000007", 1000};
  return node;
}

Policy with_account() {
  Policy policy;
  policy.repl_user = "repl";
  return policy;
}

std::string outline(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps)
    if (step.action != Action::kLock && step.action != Action::kRecheck)
      words.push_back(fmt::format("{}({})", action_name(step.action), step.node));
  return join(words, " ");
}

std::string sql_of(const Plan& plan, Action action, const std::string& node) {
  for (const Step& step : plan.steps)
    if (step.action == action && step.node == node) return join(sql_of(step.statements), "; ");
  return "";
}

Plan switchover(std::vector<Node> nodes, std::string_view to = "",
                const Policy& policy = with_account()) {
  return plan_switchover(linked(std::move(nodes)), policy, {}, to);
}

TEST(PlanSwitchoverTest, WritersAreBlockedBeforeAndTheOldPrimaryFollowsAfter) {
  Policy policy = with_account();
  policy.vip = "192.0.2.10/24";
  policy.pre_switchover = {{"pre"}};
  policy.post_switchover = {{"post"}};
  policy.pre_failover = {{"not for this"}};
  EXPECT_EQ(outline(switchover({writer(1), replica(2, 1), replica(3, 1)}, "db3", policy)),
            "hook() block-writers(db1) wait-equal(db3) record(db3) promote(db3) vip-down(db1) "
            "vip-up(db3) make-writable(db3) repoint(db2) unblock(db1) repoint(db1) hook()");
}

// Pandora searches for text as its own server stores it.
TEST(PlanSwitchoverTest, TheLastStepTellsPandorasConsole) {
  Policy policy = with_account();
  policy.console_database = "pan`dora";
  policy.post_switchover = {{"post"}};
  const Plan plan = switchover({writer(1), replica(2, 1)}, "db2", policy);
  const Step& last = plan.steps.back();
  ASSERT_EQ(last.action, Action::kConsoleEvent);
  EXPECT_EQ(last.node, "db2");
  EXPECT_TRUE(last.may_fail);
  const std::string sql = join(sql_of(last.statements), "; ");
  EXPECT_NE(sql.find("USE `pan``dora`; INSERT INTO tevento ("), sql.npos) << sql;
  EXPECT_NE(sql.find("'mysql_ha&#x20;switchover:&#x20;db2&#x20;replaces&#x20;db1&#x20;as&#x20;the"
                     "&#x20;primary', NOW(), 0, UNIX_TIMESTAMP(), 'system', 0, 0, 1, "),
            sql.npos)
      << sql;
}

TEST(PlanSwitchoverTest, EveryStepBeforeTheOpeningThatChangesAServerCanBeRolledBack) {
  const Plan plan = switchover({writer(1), replica(2, 1), replica(3, 1)});
  for (const Step& step : plan.steps) {
    if (step.action == Action::kMakeWritable) break;
    EXPECT_EQ(step.undo.empty(), step.statements.empty()) << action_name(step.action);
  }
}

TEST(PlanSwitchoverTest, WithoutGtidsSiblingsMustBeEqualToo) {
  EXPECT_EQ(outline(switchover(
                {by_position(writer(1)), by_position(replica(2, 1)), by_position(replica(3, 1))})),
            "block-writers(db1) wait-equal(db2) wait-equal(db3) record(db2) promote(db2) "
            "make-writable(db2) repoint(db3) unblock(db1) repoint(db1)");
}

// A former primary waits with the first transaction that it applies, and could not be stopped.
TEST(PlanSwitchoverTest, AnApplierThatWaitsForSemiSyncReplicasOfItsOwnIsLetGo) {
  const auto semi_sync = [](Node& node) {
    node.facts->semi_sync = {"rpl_semi_sync_source_enabled", true, true};
  };
  const auto behind = [&](Node& node) {
    semi_sync(node);
    std::get<MysqlHistory>(node.facts->history).retrieved =
        std::get<MysqlHistory>(writer(1, "#1:1-110").facts->history).executed;
  };
  const Plan plan =
      switchover({with(writer(1, "#1:1-110"), semi_sync), with(replica(2, 1), behind),
                  with(replica(3, 1), behind), with(replica(4, 1, "#1:1-110"), semi_sync),
                  with(replica(5, 1, "#1:1-110"), semi_sync)});
  const std::string off = "SET GLOBAL rpl_semi_sync_source_enabled=OFF",
                    on = "SET GLOBAL rpl_semi_sync_source_enabled=ON";
  const auto step = [&](Action action, std::string_view node) {
    return *std::ranges::find_if(
        plan.steps, [&](const Step& s) { return s.action == action && s.node == node; });
  };
  EXPECT_EQ(sql_of(step(Action::kWaitEqual, "db4").statements), std::vector<std::string>{off});
  const Step repoint = step(Action::kRepoint, "db3");
  for (const auto& sql : {sql_of(repoint.statements), sql_of(repoint.undo[0].statements)}) {
    EXPECT_EQ(sql.front(), off);
    EXPECT_EQ(sql[sql.size() - 2], on);
    EXPECT_TRUE(sql.back().starts_with("START ")) << sql.back();
  }
  // Once more on, one that has nothing to do would wait.
  EXPECT_EQ(sql_of(plan, Action::kRepoint, "db5").find("semi_sync"), std::string::npos);
}

TEST(PlanSwitchoverTest, TheRolesOfSemiSyncAreExchanged) {
  const auto settings = [](std::optional<bool> source, std::optional<bool> replica) {
    return [=](Node& node) {
      node.facts->semi_sync = {"rpl_semi_sync_source_enabled", source, replica};
      node.facts->semi_sync.replica_variable = "rpl_semi_sync_replica_enabled";
      node.facts->semi_sync.wait_no_replica = true;
    };
  };
  const Plan plan = switchover(
      {with(writer(1), settings(true, false)), with(replica(2, 1), settings(false, true))});
  EXPECT_NE(sql_of(plan, Action::kPromote, "db2").find("rpl_semi_sync_source_enabled=ON"),
            std::string::npos);
  EXPECT_TRUE(sql_of(plan, Action::kRepoint, "db1")
                  .starts_with("SET GLOBAL rpl_semi_sync_source_enabled=OFF; SET GLOBAL "
                               "rpl_semi_sync_replica_enabled=ON; "));
  EXPECT_TRUE(plan.warnings.empty()) << plan.warnings[0];
  // What was asynchronous stays so.
  EXPECT_EQ(render(switchover({with(writer(1), settings(false, false)),
                               with(replica(2, 1), settings(false, true))}))
                .find("semi_sync"),
            std::string::npos);
}

TEST(PlanSwitchoverTest, MariadbsAdministratorsAreBlockedByTheGlobalLock) {
  const Plan plan = switchover({writer(1, "0-1-10", kMariadb), replica(2, 1, "0-1-10", kMariadb)});
  EXPECT_EQ(sql_of(plan, Action::kBlockWriters, "db1"),
            "SET GLOBAL read_only=1; FLUSH TABLES WITH READ LOCK");
  EXPECT_EQ(sql_of(plan, Action::kRepoint, "db1"),
            "SET GLOBAL gtid_slave_pos=@@GLOBAL.gtid_current_pos; CHANGE MASTER TO "
            "MASTER_USER='repl', MASTER_PASSWORD={repl_password}, MASTER_SSL=0, "
            "MASTER_HOST='db2', MASTER_PORT=3306, MASTER_USE_GTID=slave_pos; START SLAVE");
}

TEST(PlanSwitchoverTest, TheOldPrimaryConnectsAsItsSuccessorDid) {
  const Plan plan = switchover({writer(1), with(replica(2, 1), [](Node& node) {
                                  node.facts->version = parse_version("9.1.0");
                                  channel(node).tls = {true, true, "/etc/ca.pem"};
                                  channel(node).retry = {5, 86400};
                                })});
  const std::string sql = sql_of(plan, Action::kRepoint, "db1");
  EXPECT_NE(sql.find("_SSL=1, "), sql.npos) << sql;
  EXPECT_NE(sql.find("_SSL_CA='/etc/ca.pem', "), sql.npos) << sql;
  EXPECT_NE(sql.find("_SSL_VERIFY_SERVER_CERT=1, "), sql.npos) << sql;
  EXPECT_NE(sql.find("_CONNECT_RETRY=5, "), sql.npos) << sql;
  EXPECT_NE(sql.find("_RETRY_COUNT=86400, "), sql.npos) << sql;
}

TEST(PlanSwitchoverTest, NothingIsTriedThatMayHaveToWait) {
  const auto refusal = [](std::vector<Node> nodes, std::string_view to = "",
                          const Policy& policy = with_account()) {
    const Plan plan = switchover(std::move(nodes), to, policy);
    return std::string(refusal_name(plan.refusal)) + ": " + plan.reason;
  };
  EXPECT_EQ(refusal({lost(1), replica(2, 1)}), "unknown-primary: no node accepts writes");
  EXPECT_EQ(refusal({writer(1), writer(2)}),
            "second-writer: several nodes accept writes: db1, db2");
  EXPECT_EQ(refusal({writer(1), replica(2, 1)}, "db1"), "not-ready: db1 is the primary already");
  EXPECT_EQ(refusal({writer(1), replica(2, 1)}, "db9"), "no-candidate: no node is called 'db9'");
  EXPECT_EQ(refusal({writer(1), lost(2), replica(3, 1)}, "db2"),
            "no-candidate: db2 cannot be promoted: cannot be read: no answer");
  EXPECT_EQ(refusal({writer(1),
                     with(replica(2, 1),
                          [](Node& node) { channel(node).sql.state = ThreadState::kStopped; })}),
            "not-ready: db2 does not replicate: its IO or SQL thread does not run, or it applies "
            "with a delay");
  EXPECT_EQ(refusal({writer(1),
                     with(replica(2, 1), [](Node& node) { channel(node).seconds_behind = 60; })}),
            "not-ready: db2 is 60s behind, more than 10s");
  const auto without_binlog_end = [](Node& node) {
    node.facts->binlog.reset();
    node.facts->notes = {"run: GRANT"};
  };
  EXPECT_EQ(refusal({with(writer(1), without_binlog_end), by_position(replica(2, 1))}),
            "not-ready: db1: the end of its binlog cannot be read: run: GRANT");
  EXPECT_EQ(refusal({writer(1), replica(2, 1)}, "", Policy()),
            "not-ready: db1 could not become a replica: give the replication account "
            "(--repl-username, --repl-defaults-file)");
}

TEST(PlanSwitchoverTest, WhatHasLostItsOwnTransactionsIsNotPromoted) {
  const Node db1 = replica(1, 2, "#1:1-5,#2:1-9"), db2 = writer(2, "#1:1-10,#2:1-9");
  const Plan alone = switchover({db1, db2}, "db1");
  EXPECT_EQ(alone.refusal, Refusal::kNotReady);
  EXPECT_EQ(alone.reason,
            "db1 lacks 5 transactions that it wrote itself and that db2 still has; replication "
            "never brings them back: " +
                gtids("#1:6-10").print() + "; run: mysql_ha resync db1");
  EXPECT_EQ(switchover({db1, db2, replica(3, 2, "#1:1-10,#2:1-9")}, "db1").refusal,
            Refusal::kNoCandidate);
  EXPECT_EQ(switchover({db1, db2, replica(3, 2, "#1:1-10,#2:1-9")}).candidate, "db3");
  const Node maria1 = replica(1, 2, "0-1-5,0-2-20", kMariadb),
             maria2 = writer(2, "0-1-10,0-2-20", kMariadb);
  EXPECT_EQ(switchover({maria1, maria2}, "db1").refusal, Refusal::kNotReady);
}

// Its replicas skip what it writes under numbers that they know already.
TEST(PlanSwitchoverTest, APrimaryThatHasLostItsOwnTransactionsHandsNothingOver) {
  const Plan plan = switchover({writer(1, "#1:1-5"), replica(2, 1, "#1:1-10")});
  EXPECT_EQ(plan.refusal, Refusal::kNotReady);
  EXPECT_EQ(plan.reason,
            "db1 has lost transactions that it wrote and that its replicas have; they skip new "
            "transactions with the same numbers; see: mysql_ha status");
  EXPECT_EQ(switchover({writer(1, "0-1-5", kMariadb), replica(2, 1, "0-1-10", kMariadb)}).refusal,
            Refusal::kNotReady);
}

TEST(PlanSwitchoverTest, AReplicaAtAWrongPositionBlocksNoOther) {
  Node wrong = replica(3, 1);
  ChannelStatus& channel = wrong.facts->channels->front();
  channel.io = {ThreadState::kStopped, 13114, "from binary log: 'position > file size'"};
  channel.read = {"binlog.000007", 400};
  const Plan plan = switchover({writer(1), replica(2, 1), wrong}, "db2");
  EXPECT_TRUE(plan.possible()) << plan.reason;
  channel.io.error = "'Replica has more GTIDs than the source has'";
  EXPECT_EQ(switchover({writer(1), replica(2, 1), wrong}, "db2").refusal, Refusal::kNotReady);
}

TEST(PlanSwitchoverTest, WhatTakesNoWritesIsNotPromoted) {
  Node blocked = replica(2, 1);
  blocked.facts->obstacles.reasons = {"innodb_read_only is ON"};
  EXPECT_EQ(switchover({writer(1), blocked, replica(3, 1)}, "db2").reason,
            "db2 cannot be promoted: would take no writes: innodb_read_only is ON");
  EXPECT_EQ(switchover({writer(1), blocked, replica(3, 1)}).candidate, "db3");
}

TEST(PlanSwitchoverTest, NorDoesItFollowAnotherOne) {
  const Plan plan = switchover({replica(1, 2, "#1:1-5,#2:1-9"), writer(2, "#1:1-10,#2:1-9"),
                                replica(3, 2, "#1:1-10,#2:1-9")},
                               "db3");
  EXPECT_EQ(sql_of(plan, Action::kRepoint, "db1"), "");
  EXPECT_EQ(join(plan.warnings, "|"),
            "db1 needs a resync: it has lost transactions that it wrote itself and db3 has: " +
                gtids("#1:6-10").print());
}

TEST(PlanSwitchoverTest, ThePreferredReplicaThatIsReadyIsTaken) {
  Policy policy = with_account();
  policy.promotion["db3"] = Promotion::kPreferred;
  EXPECT_EQ(switchover({writer(1), replica(2, 1), replica(3, 1)}, "", policy).candidate, "db3");
  const Node lame =
      with(replica(3, 1), [](Node& node) { channel(node).io.state = ThreadState::kConnecting; });
  EXPECT_EQ(switchover({writer(1), replica(2, 1), lame}, "", policy).candidate, "db2");
}

Plan rejoin(std::vector<Node> nodes, const std::optional<CrashRecord>& record = {}) {
  return plan_rejoin(linked(std::move(nodes)), with_account(), {}, "db1", record);
}

TEST(PlanRejoinTest, AContainedNodeFollowsTheWriter) {
  const Plan plan = rejoin({writer(1, "#1:1-100"), writer(2, "#1:1-100,#2:1-5")});
  EXPECT_EQ(outline(plan), "fence(db1) repoint(db1)");
  EXPECT_EQ(plan.primary, "db2");
}

TEST(PlanRejoinTest, WhatOnlyTheNodeHasIsSavedAndTheReturnRefused) {
  const Plan plan = rejoin({writer(1, "#1:1-103"), writer(2, "#1:1-100,#2:1-5")});
  EXPECT_EQ(plan.refusal, Refusal::kDiverged);
  EXPECT_EQ(plan.reason, "db1 has 3 transactions that db2 lacks: " + gtids("#1:101-103").print());
  EXPECT_EQ(outline(plan), "fence(db1) save-extra(db1)");
}

TEST(PlanRejoinTest, WhatHasLostItsOwnTransactionsNeedsAResync) {
  const Node db2 = writer(2, "#1:1-10,#2:1-9");
  const Plan plan = rejoin({writer(1, "#1:1-5"), db2});
  EXPECT_EQ(plan.refusal, Refusal::kNeedsResync);
  EXPECT_TRUE(plan.reason.ends_with("; run: mysql_ha resync db1")) << plan.reason;
  EXPECT_EQ(outline(plan), "fence(db1)");
  EXPECT_EQ(outline(rejoin({writer(1, "#1:1-5,#3:1"), db2})), "fence(db1) save-extra(db1)");
  // It is closed already, and follows already: all the same.
  EXPECT_EQ(rejoin({replica(1, 2, "#1:1-5"), db2}).refusal, Refusal::kNeedsResync);
  EXPECT_EQ(outline(rejoin({replica(1, 2, "#1:1-5"), db2})), "");
  const Node maria = writer(1, "0-1-5", kMariadb), maria2 = writer(2, "0-1-10,0-2-20", kMariadb);
  EXPECT_EQ(rejoin({maria, maria2}).refusal, Refusal::kNeedsResync);
  CrashRecord record{"db2", false, "", {}, {}, {"binlog.000007", 1000}, {"binlog.000003", 500}};
  record.lost = true;
  const Plan position = rejoin({by_position(writer(1)), by_position(writer(2))}, record);
  EXPECT_EQ(position.refusal, Refusal::kNeedsResync);
  EXPECT_EQ(outline(position), "fence(db1)");
}

TEST(PlanRejoinTest, AServerThatWasInstalledAnewNeedsAResync) {
  const Plan plan = rejoin({writer(1, ""), writer(2, "#9:1-10,#2:1-9")});
  EXPECT_EQ(plan.refusal, Refusal::kNeedsResync);
  EXPECT_EQ(plan.reason, "db1 has none of the transactions of db2; run: mysql_ha resync db1");
}

TEST(PlanRejoinTest, AWritableNodeIsClosedWhateverElseIsRefused) {
  const Node db1 = with(replica(1, 2), writable), db2 = writer(2);
  EXPECT_EQ(outline(rejoin({by_position(writer(1)), by_position(db2)})), "fence(db1)");
  EXPECT_EQ(
      outline(rejoin(
          {with(db1, [](Node& node) { node.facts->channels->push_back(channel_from(9)); }), db2})),
      "fence(db1)");
  EXPECT_EQ(outline(rejoin({writer(1), writer(2), writer(3)})), "");
}

TEST(PlanRejoinTest, ByGtidThePrimaryMustHaveWhatIsToBeSentInItsBinlog) {
  Node db2 = writer(2, "#9:1-105,#2:1-5");
  std::get<MysqlHistory>(db2.facts->history).purged = gtids("#9:1-100");
  EXPECT_EQ(outline(rejoin({writer(1, "#9:1-100"), db2})), "fence(db1) repoint(db1)");
  std::get<MysqlHistory>(db2.facts->history).purged = gtids("#9:1-105");
  const Plan plan = rejoin({writer(1, "#9:1-100"), db2});
  EXPECT_EQ(plan.refusal, Refusal::kNeedsResync);
  EXPECT_EQ(plan.reason, "db2 has no binlog that begins where db1 ended; run: mysql_ha resync db1");

  // Not logged are db1's transactions; of a domain in which it wrote none, it sends from the first.
  const auto returns_to = [](std::string_view binlog, std::string_view position, bool logs) {
    Node old = writer(1, "0-1-10", kMariadb), primary = writer(2, binlog, kMariadb);
    std::get<MariadbHistory>(old.facts->history).current_position = *MariadbGtids::parse(position);
    std::get<MariadbHistory>(primary.facts->history).applied_position =
        *MariadbGtids::parse("0-1-10");
    primary.facts->log_replica_updates = logs;
    return refusal_name(rejoin({old, primary}).refusal);
  };
  EXPECT_EQ(returns_to("0-2-15", "0-1-10", true), "none");
  EXPECT_EQ(returns_to("0-2-15", "0-1-10", false), "needs-resync");
  EXPECT_EQ(returns_to("0-2-15", "0-2-12", false), "none");
  EXPECT_EQ(returns_to("7-2-15", "0-1-10", false), "none");
}

TEST(PlanRejoinTest, AFollowerThatIsWritableIsOnlyClosed) {
  const Plan plan = rejoin({with(replica(1, 2), writable), writer(2)});
  EXPECT_TRUE(plan.possible()) << plan.reason;
  EXPECT_EQ(outline(plan), "fence(db1)");
  // In a ring its successor gets what it has.
  const Node db1 = with(replica(1, 2, "#1:1-103"), writable);
  EXPECT_EQ(outline(rejoin({db1, with(replica(2, 1), writable)})), "fence(db1)");
  EXPECT_EQ(rejoin({db1, writer(2)}).refusal, Refusal::kDiverged);
}

TEST(PlanRejoinTest, ThePrimaryIsNotTakenForTheOneThatReturns) {
  Context context;
  context.runs = {"db1", "run1", 100, {"db2"}};
  const Plan plan = plan_rejoin(linked({writer(1), writer(2)}), with_account(), context, "db1", {});
  EXPECT_EQ(plan.reason,
            "db1 has replaced db2 (run run1) and accepts writes; to make a replica of db2, run: "
            "mysql_ha rejoin db2");
  EXPECT_TRUE(plan.steps.empty());
  // Nor when another manager has made db2 the primary since.
  const auto outline_with = [&](const Memory& memory) {
    context.memory = memory;
    return outline(plan_rejoin(linked({writer(1), writer(2, "#1:1-100,#2:1")}), with_account(),
                               context, "db1", {}));
  };
  EXPECT_EQ(outline_with({"db2", 50}), "");
  EXPECT_EQ(outline_with({"db2", 200}), "fence(db1) repoint(db1)");
  Memory replica_then{"db1", 200};
  replica_then.nodes["db2"].channels.push_back({"", "db1"});
  EXPECT_EQ(outline_with(replica_then), "fence(db1) repoint(db1)");
}

TEST(PlanRejoinTest, AnApplierThatWaitsForReplicasOfItsOwnIsLetGoBeforeItIsStopped) {
  const Node db1 = with(replica(1, 3), [](Node& node) {
    node.facts->semi_sync = {.source_variable = "rpl_semi_sync_source_enabled",
                             .source_enabled = true};
  });
  const Plan plan = rejoin({db1, writer(2, "#1:1-100,#2:1"), lost(3)});
  const std::string sql = sql_of(plan, Action::kRepoint, "db1");
  EXPECT_TRUE(sql.starts_with("SET GLOBAL rpl_semi_sync_source_enabled=OFF; STOP SLAVE")) << sql;
}

TEST(PlanRejoinTest, AReplicaOfTheWrongNodeKeepsItsAccount) {
  const Plan plan = rejoin({replica(1, 3), writer(2, "#1:1-100,#2:1"), lost(3)});
  EXPECT_EQ(outline(plan), "fence(db1) repoint(db1)");
  EXPECT_EQ(sql_of(plan, Action::kRepoint, "db1").find("PASSWORD"), std::string::npos);
}

TEST(PlanRejoinTest, ThePrimaryWaitsAgainWhenTheNodeAcknowledges) {
  const auto semi_sync = [](bool source) {
    return [source](Node& node) {
      node.facts->semi_sync = {"rpl_semi_sync_source_enabled", source, false};
      node.facts->semi_sync.replica_variable = "rpl_semi_sync_replica_enabled";
    };
  };
  CrashRecord record{"db2", true};
  const std::vector<Node> nodes = {with(writer(1, "#1:1-100"), semi_sync(true)),
                                   with(writer(2, "#1:1-100,#2:1-5"), semi_sync(false))};
  const auto without = rejoin(nodes, record);
  EXPECT_EQ(outline(without), "fence(db1) repoint(db1)");
  EXPECT_TRUE(sql_of(without, Action::kRepoint, "db1")
                  .starts_with("SET GLOBAL rpl_semi_sync_source_enabled=OFF; CHANGE "));
  record.semi_sync = true;
  const auto with = rejoin(nodes, record);
  EXPECT_EQ(outline(with), "fence(db1) repoint(db1) semi-sync(db2)");
  EXPECT_TRUE(sql_of(with, Action::kRepoint, "db1")
                  .starts_with("SET GLOBAL rpl_semi_sync_source_enabled=OFF; SET GLOBAL "
                               "rpl_semi_sync_replica_enabled=ON; CHANGE "));
}

TEST(PlanSwitchoverTest, EventsRunWhereTheWritesGo) {
  const auto event = [](bool enabled) {
    return [enabled](Node& node) {
      node.facts->event_scheduler = true;
      node.facts->events = {{"`shop`.`tick`", "`app`@`%`", enabled, !enabled, 1}};
    };
  };
  const Plan plan = switchover({with(writer(1, "0-1-10", kMariadb), event(true)),
                                with(replica(2, 1, "0-1-10", kMariadb), event(false))});
  EXPECT_EQ(outline(plan),
            "events(db1) block-writers(db1) wait-equal(db2) record(db2) promote(db2) "
            "make-writable(db2) events(db2) unblock(db1) repoint(db1)");
  EXPECT_EQ(sql_of(plan, Action::kEvents, "db1"),
            "ALTER DEFINER=`app`@`%` EVENT `shop`.`tick` DISABLE ON SLAVE");
  EXPECT_EQ(plan.steps[2].undo[0].statements[0].sql,
            "ALTER DEFINER=`app`@`%` EVENT `shop`.`tick` ENABLE");
  EXPECT_EQ(sql_of(plan, Action::kEvents, "db2"),
            "ALTER DEFINER=`app`@`%` EVENT `shop`.`tick` ENABLE");
  const auto unseen = [](Node& node) { node.facts->event_scheduler = true; };
  EXPECT_EQ(
      switchover({with(writer(1, "0-1-10", kMariadb), unseen), replica(2, 1, "0-1-10", kMariadb)})
          .warnings,
      std::vector<std::string>{"it cannot be seen whether db1 has events; run: GRANT EVENT, SET "
                               "USER, BINLOG ADMIN ON *.* TO the account"});
  EXPECT_EQ(outline(plan_rejoin(linked({with(writer(1, "0-1-10", kMariadb), event(true)),
                                        writer(2, "0-1-10,0-2-11", kMariadb)}),
                                with_account(), {}, "db1", {})),
            "fence(db1) events(db1) repoint(db1)");
}

// The nodes that a plan locks, in its order.
std::string locks_of(const Plan& plan) {
  std::vector<std::string> names;
  for (const Step& step : plan.steps)
    if (step.action == Action::kLock) names.push_back(step.node);
  return join(names, " ");
}

// Two managers that list the nodes differently, and call them differently, would each get some of
// the locks, and neither would act.
TEST(LockOrderTest, IsThatOfHostsAndPortsWhateverTheListSays) {
  std::vector<Node> nodes = {writer(1, "#1:1-100"), replica(2, 1), replica(3, 1), replica(4, 1)};
  nodes[0].host = "10.0.0.7";
  nodes[1].host = "10.0.0.9";
  nodes[2].host = nodes[3].host = "10.0.0.8";
  nodes[2].port = 3307;
  for (Node& node : nodes)
    for (ChannelStatus& channel : *node.facts->channels) channel.source_host = "10.0.0.7";
  std::vector<Node> returning = nodes;
  returning[0].facts->read_only = true;
  returning[1].facts->read_only = false;
  returning[1].facts->channels->clear();
  for (int turn = 0; turn < 4; ++turn) {
    EXPECT_EQ(locks_of(switchover(nodes)), "db1 db4 db3 db2") << turn;
    std::vector<Node> orphans = nodes;
    for (Node& node : orphans) {
      if (node.name == "db1") node = {"db1", "10.0.0.7", 3306, Reach::kUnreachable};
      for (std::size_t c = 0; c < node.channels().size(); ++c)
        (*node.facts->channels)[c].io.state = ThreadState::kConnecting;
    }
    Policy fenced;
    fenced.fence = Fence::kNone;
    EXPECT_EQ(locks_of(plan_failover(linked(orphans), fenced, {}, "db1")), "db4 db3 db2") << turn;
    EXPECT_EQ(locks_of(rejoin(returning)), "db1 db4 db3 db2") << turn;
    std::ranges::rotate(nodes, nodes.begin() + 1);
    std::ranges::rotate(returning, returning.begin() + 1);
  }
}

TEST(PlanRejoinTest, WithoutGtidsTheRecordDecides) {
  const std::vector<Node> nodes = {by_position(writer(1)), by_position(writer(2))};
  CrashRecord record{"db2", false, "", {}, {}, {"binlog.000007", 1000}, {"binlog.000003", 500}, 0};
  EXPECT_NE(sql_of(rejoin(nodes, record), Action::kRepoint, "db1")
                .find("_LOG_FILE='binlog.000003', MASTER_LOG_POS=500"),
            std::string::npos);
  record.transactions_beyond = 4;
  EXPECT_EQ(rejoin(nodes, record).reason,
            "db1 has 4 transactions after binlog.000007:1000 that db2 lacks");
  record.transactions_beyond.reset();
  EXPECT_EQ(rejoin(nodes, record).refusal, Refusal::kIncomparable);
  record.candidate = "db3";
  EXPECT_EQ(rejoin(nodes, record).reason,
            "no record shows which transactions of db1 db2 has; run: mysql_ha resync db1");
  EXPECT_EQ(rejoin(nodes).refusal, Refusal::kIncomparable);
}

TEST(PlanRejoinTest, AmbiguousWorldsAreRefused) {
  EXPECT_EQ(rejoin({writer(1), writer(2), writer(3)}).refusal, Refusal::kSecondWriter);
  EXPECT_EQ(rejoin({writer(1), replica(2, 1)}).reason, "no other node accepts writes");
  EXPECT_EQ(rejoin({lost(1), writer(2)}).reason, "db1: no answer");
  EXPECT_EQ(rejoin({replica(1, 2), writer(2)}).reason, "db1 follows db2 already");
  EXPECT_EQ(rejoin({lost(3), writer(2)}).reason, "no node is called 'db1'");
}

TEST(PlanRejoinTest, AChannelToAnotherClusterIsLeftAlone) {
  Node db1 = writer(1);
  db1.facts->channels->push_back(channel_from(9));
  EXPECT_TRUE(rejoin({db1, writer(2)}).possible()) << "the cluster's channel, its source is gone";
  db1.facts->channels->back().name = "sales";
  const Plan plan = rejoin({db1, writer(2)});
  EXPECT_EQ(
      plan.reason,
      "db1 replicates from db9:3306, outside the cluster, by channel 'sales'; to end that, run "
      "on db1: STOP SLAVE FOR CHANNEL 'sales'; RESET SLAVE ALL FOR CHANNEL 'sales'; then "
      "run: mysql_ha rejoin db1");
  EXPECT_EQ(plan.refusal, Refusal::kNotReady);
}

Plan resync(std::vector<Node> nodes, const std::optional<CrashRecord>& record = {},
            ExtraTransactions extra_transactions = ExtraTransactions::kSave) {
  return plan_resync(linked(std::move(nodes)), with_account(), {}, "db1", record,
                     extra_transactions);
}

TEST(PlanResyncTest, ANodeIsClosedAndWhatThePrimaryMayLackIsSaved) {
  const Node db2 = writer(2, "#1:1-100,#2:1-5");
  EXPECT_EQ(outline(resync({writer(1, "#1:1-100"), db2})), "fence(db1)");
  EXPECT_EQ(outline(resync({writer(1, "#1:1-101"), db2})), "fence(db1) save-extra(db1)");
  EXPECT_EQ(outline(resync({writer(1, "#1:1-101"), db2}, {}, ExtraTransactions::kDiscard)),
            "fence(db1)");
  // Without numbers only the record of a failover can say that there is nothing.
  const std::vector<Node> unnumbered = {by_position(writer(1)), by_position(db2)};
  CrashRecord record{"db2", false, "", {}, {}, {"binlog.000007", 1000}, {}, 0};
  EXPECT_EQ(outline(resync(unnumbered)), "fence(db1) save-extra(db1)");
  EXPECT_EQ(outline(resync(unnumbered, record)), "fence(db1)");
  record.candidate = "db3";
  EXPECT_EQ(outline(resync(unnumbered, record)), "fence(db1) save-extra(db1)");
  EXPECT_EQ(outline(resync({by_position(replica(1, 2)), by_position(db2)}, record)),
            "fence(db1) save-extra(db1)");
}

TEST(PlanResyncTest, ItWillReplicateAsItDidOrAsTheOthersDo) {
  Node named = replica(1, 2);
  channel(named).name = "east";
  channel(named).tls.used = true;
  const Plan before = resync({named, writer(2)});
  EXPECT_EQ(before.channel, "east");
  EXPECT_TRUE(before.tls.used && before.by_gtid);
  Node other = by_position(replica(3, 2));
  channel(other).name = "west";
  const Plan new_one = resync({by_position(writer(1)), by_position(writer(2)), other});
  EXPECT_EQ(new_one.channel, "west");
  EXPECT_FALSE(new_one.by_gtid);
}

TEST(PlanResyncTest, ThePrimaryAndAmbiguousWorldsAreRefused) {
  EXPECT_EQ(resync({writer(1), replica(2, 1)}).reason, "no other node accepts writes");
  EXPECT_EQ(resync({writer(1), writer(2), writer(3)}).refusal, Refusal::kSecondWriter);
  EXPECT_EQ(resync({lost(1), writer(2)}).reason, "db1: no answer");
  EXPECT_EQ(resync({writer(1), writer(2), replica(3, 1)}).reason, "db3 replicates from db1");
  EXPECT_EQ(
      plan_resync(linked({replica(1, 2), writer(2)}), {}, {}, "db1", {}, ExtraTransactions::kSave)
          .reason,
      "give the replication account (--repl-username, --repl-defaults-file)");
}

std::string donor(std::vector<Node> nodes, std::string_view from = "") {
  const Topology topology = linked(std::move(nodes));
  const Plan plan =
      plan_resync(topology, with_account(), {}, "db1", {}, ExtraTransactions::kDiscard);
  const auto found = choose_donor(topology, plan, from);
  return found ? topology.nodes[*found].name : found.error().text;
}

TEST(ChooseDonorTest, ASoundReplicaSparesThePrimary) {
  const Node db1 = replica(1, 2), db2 = writer(2), db3 = replica(3, 2);
  EXPECT_EQ(donor({db1, db2, db3}), "db3");
  EXPECT_EQ(donor({db1, db2}), "db2");
  EXPECT_EQ(donor({db1, db2, lost(3)}), "db2");
  EXPECT_EQ(donor({db1, db2, db3}, "db2"), "db2");
  EXPECT_EQ(donor({by_position(db1), by_position(db2), by_position(db3)}), "db2");
  const auto spoilt = [&](const std::function<void(Node&)>& spoil) {
    const Node node = with(db3, spoil);
    EXPECT_EQ(donor({db1, db2, node}), "db2");
    return donor({db1, db2, node}, "db3");
  };
  EXPECT_EQ(spoilt([](Node& node) { channel(node).sql.state = ThreadState::kStopped; }),
            "db3 cannot be copied: it does not replicate from db2");
  EXPECT_EQ(spoilt([](Node& node) { channel(node) = channel_from(9); }),
            "db3 cannot be copied: it does not replicate from db2");
  EXPECT_EQ(spoilt([](Node& node) { node.facts->history = MysqlHistory{gtids("#1:1-100,#3:1")}; }),
            "db3 cannot be copied: it may have transactions that db2 lacks");
  EXPECT_EQ(spoilt([](Node& node) { channel(node).filters = {"Replicate_Do_DB=shop"}; }),
            "db3 cannot be copied: it replicates with a filter, Replicate_Do_DB=shop");
  EXPECT_EQ(spoilt([](Node& node) { channel(node).sql_delay_s = 60; }),
            "db3 cannot be copied: it applies with a delay");
  EXPECT_EQ(spoilt([](Node& node) { node.facts->log_replica_updates = false; }),
            "db3 cannot be copied: it does not log what it replicates");
  EXPECT_EQ(spoilt([](Node& node) { node.facts->log_bin = false; }),
            "db3 cannot be copied: it has no binlog");
  EXPECT_EQ(spoilt([](Node& node) { node.facts->version.flavour = kMariadb; }),
            "db3 cannot be copied: it is of another flavour");
}

TEST(ChooseDonorTest, WhatCannotBeCopiedIsNamed) {
  const Node db1 = replica(1, 2), db2 = writer(2);
  EXPECT_EQ(donor({db1, db2}, "db1"), "db1 cannot be a copy of itself");
  EXPECT_EQ(donor({db1, db2}, "db9"), "no node is called 'db9'");
  EXPECT_EQ(donor({db1, db2, lost(3)}, "db3"), "db3 cannot be copied: no answer");
  EXPECT_EQ(donor({db1, with(db2, [](Node& node) { node.facts->log_bin = false; })}),
            "db2 cannot be copied: it has no binlog");
  EXPECT_EQ(donor({by_position(db1), by_position(db2), by_position(replica(3, 2))}, "db3"),
            "db3 cannot be copied: without GTIDs only the primary's own binlog shows where "
            "replication continues");
}

}  // namespace
}  // namespace ha
