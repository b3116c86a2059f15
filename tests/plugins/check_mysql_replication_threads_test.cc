// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_replication_threads.h"

#include <gtest/gtest.h>

#include "common/report.h"
#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

ThreadsFacts facts_of(std::vector<ChannelStatus> channels) {
  return {"db2", std::move(channels), true};
}

Rows read_only(const char* value) {
  return rows_of({{{"Variable_name", "read_only"}, {"Value", value}}});
}

ChannelStatus channel_with(ReplicationThread io, ReplicationThread sql) {
  ChannelStatus channel = healthy_channel();
  channel.io = std::move(io);
  channel.sql = std::move(sql);
  return channel;
}

const ReplicationThread kRuns{ThreadState::kRunning}, kConnects{ThreadState::kConnecting},
    kStops{ThreadState::kStopped};

TEST(ReplicationThreadsTest, TheWholeLine) {
  EXPECT_EQ(
      render({"mysql_replication_threads"}, evaluate(facts_of({healthy_channel()}), {})).output,
      "MYSQL REPLICATION THREADS OK - db2: IO and SQL threads run, source db1:3306 | "
      "'channels'=1;;;0 'io_running'=1;;;0 'sql_running'=1;;;0 'connecting'=0;;;0\n");
}

TEST(ReplicationThreadsTest, ThreadsPickTheState) {
  const struct {
    ReplicationThread io, sql;
    State want;
    const char* text;
  } cases[] = {
      {kRuns, kRuns, State::kOk, "IO and SQL threads run, source db1:3306"},
      {kStops, kRuns, State::kCritical, "IO thread stopped, source db1:3306"},
      {kConnects, kRuns, State::kCritical, "IO thread connecting, source db1:3306"},
      {kRuns, kStops, State::kCritical, "SQL thread stopped"},
      {kRuns,
       {ThreadState::kStopped, 1062, "Duplicate"},
       State::kCritical,
       "SQL thread stopped, error 1062: Duplicate"},
      {kStops, kStops, State::kCritical, "SQL thread stopped; IO thread stopped, source db1:3306"},
  };
  for (const auto& c : cases) {
    const CheckResult result = evaluate(facts_of({channel_with(c.io, c.sql)}), {});
    EXPECT_EQ(result.state, c.want) << c.text;
    EXPECT_EQ(result.text, std::string("db2: ") + c.text);
  }
}

TEST(ReplicationThreadsTest, ConnectingHasTheChosenStateButNeverHidesAnother) {
  const ThreadsLimits limits{.connecting = State::kWarning};
  EXPECT_EQ(evaluate(facts_of({channel_with(kConnects, kRuns)}), limits).state, State::kWarning);
  EXPECT_EQ(evaluate(facts_of({channel_with(kConnects, kStops)}), limits).state, State::kCritical);
}

TEST(ReplicationThreadsTest, PositionsTellWhetherAnUntilWasReached) {
  const char* const kUnseen =
      "SQL thread stopped with an UNTIL condition (SQL_AFTER_GTIDS); the server does not show "
      "whether it was reached";
  const struct {
    const char* condition;
    BinlogPosition until;
    State want;
    const char* text;
  } cases[] = {
      {"Master",
       {"binlog.000007", 1234},
       State::kWarning,
       "stopped at its UNTIL condition (Master)"},
      {"Source",
       {"binlog.000006", 9999},
       State::kWarning,
       "stopped at its UNTIL condition (Source)"},
      {"Source",
       {"binlog.000007", 1235},
       State::kCritical,
       "SQL thread stopped at binlog.000007:1234, before its UNTIL condition (Source "
       "binlog.000007:1235)"},
      {"Master",
       {"binlog.000010", 4},
       State::kCritical,
       "SQL thread stopped at binlog.000007:1234, before its UNTIL condition (Master "
       "binlog.000010:4)"},
      {"Relay", {"relay.000002", 50}, State::kWarning, "stopped at its UNTIL condition (Relay)"},
      {"Relay",
       {"relay.000002", 51},
       State::kCritical,
       "SQL thread stopped at relay.000002:50, before its UNTIL condition (Relay relay.000002:51)"},
      {"SQL_AFTER_GTIDS", {}, State::kWarning, kUnseen},
  };
  for (const auto& c : cases) {
    ChannelStatus channel = channel_with(kRuns, kStops);
    channel.relay = {"relay.000002", 50};
    channel.until_condition = c.condition;
    channel.until = c.until;
    EXPECT_EQ(evaluate(facts_of({channel}), {}).state, c.want) << c.text;
    EXPECT_NE(evaluate(facts_of({channel}), {}).text.find(c.text), std::string::npos)
        << evaluate(facts_of({channel}), {}).text;
    channel.sql.error_number = 1062;
    EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kCritical) << c.text;
  }
}

TEST(ReplicationThreadsTest, AtASetOfGtidsMariadbStopsItsReceiverToo) {
  ChannelStatus channel = channel_with(kStops, kStops);
  channel.until_condition = "Gtid";
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kWarning);
  EXPECT_EQ(evaluate(facts_of({channel}), {}).text,
            "db2: SQL thread stopped with an UNTIL condition (Gtid); the server does not show "
            "whether it was reached; IO thread stopped, source db1:3306");
  channel.sql = kRuns;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).text,
            "db2: IO thread stopped with an UNTIL condition (Gtid); the server does not show "
            "whether it was reached");
  channel.io = kConnects;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kCritical);
  channel.io = {ThreadState::kStopped, 1236, "gone"};
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kCritical);
}

TEST(ReplicationThreadsTest, AThreadThatWaitsForItsDiskDoesNotWork) {
  ReplicationThread waits = kRuns;
  waits.lacks_space = true;
  const CheckResult receiver = evaluate(facts_of({channel_with(waits, kRuns)}), {});
  EXPECT_EQ(receiver.state, State::kCritical);
  EXPECT_EQ(receiver.text, "db2: IO thread waits for disk space, source db1:3306");
  EXPECT_EQ(receiver.metrics[1].value, 0.0);
  ChannelStatus applier = channel_with(kRuns, waits);
  applier.until_condition = "Master";
  EXPECT_EQ(evaluate(facts_of({applier}), {}).state, State::kCritical);
  EXPECT_EQ(evaluate(facts_of({applier}), {}).text, "db2: SQL thread waits for disk space");
}

TEST(ReplicationThreadsTest, TheWorkersErrorsAreTold) {
  ThreadsFacts facts =
      facts_of({channel_with(kRuns, {ThreadState::kStopped, 1062, "see workers"})});
  facts.worker_errors[""] = "worker 3: error 1062: Duplicate entry";
  EXPECT_EQ(evaluate(facts, {}).text,
            "db2: SQL thread stopped, worker 3: error 1062: Duplicate entry");
}

TEST(ReplicationThreadsTest, AWritableReplicaHasTheChosenState) {
  ThreadsFacts facts = facts_of({healthy_channel()});
  facts.read_only = false;
  EXPECT_EQ(evaluate(facts, {}).state, State::kWarning);
  EXPECT_EQ(evaluate(facts, {}).text,
            "db2: IO and SQL threads run, source db1:3306; accepts writes (read_only=0)");
  EXPECT_EQ(evaluate(facts, {.writable = State::kOk}).state, State::kOk);
  facts.obstacles.reasons = {"innodb_read_only is ON"};
  EXPECT_EQ(evaluate(facts, {}).text,
            "db2: IO and SQL threads run, source db1:3306; is not read-only (read_only=0), though "
            "it takes no writes now: innodb_read_only is ON");
  facts.obstacles = {};
  EXPECT_EQ(evaluate(facts, {.writable = State::kCritical}).state, State::kCritical);
}

TEST(ReplicationThreadsTest, AnotherSourceThanExpectedIsCritical) {
  ThreadsFacts facts = facts_of({healthy_channel("a"), healthy_channel("b")});
  facts.wrong_source = {{"a", false}, {"b", true}};
  const CheckResult result = evaluate(facts, {.expected_source = "db9:3306"});
  EXPECT_EQ(result.state, State::kCritical);
  EXPECT_EQ(result.text, "db2: channel 'b': attached to db1:3306 instead of db9:3306");
}

TEST(ReplicationThreadsTest, TheNumberOfChannelsHasItsRange) {
  const ThreadsLimits limits{.channels = {Range{2, 2}, Range{1, 5}}};
  EXPECT_EQ(evaluate(facts_of({healthy_channel("a"), healthy_channel("b")}), limits).state,
            State::kOk);
  EXPECT_EQ(evaluate(facts_of({healthy_channel()}), limits).state, State::kWarning);
  EXPECT_EQ(evaluate(facts_of({healthy_channel()}), limits).text,
            "db2: IO and SQL threads run, source db1:3306; 1 channel");
  EXPECT_EQ(evaluate(facts_of({}), limits).state, State::kCritical);
}

TEST(ReplicationThreadsTest, NotAReplicaHasTheChosenState) {
  EXPECT_EQ(evaluate(facts_of({}), {}).text, "db2: not a replica");
  EXPECT_EQ(evaluate(facts_of({}), {}).state, State::kWarning);
  EXPECT_EQ(evaluate(facts_of({}), {.not_replica = State::kOk}).state, State::kOk);
}

TEST(ReplicationThreadsTest, OnlyTheNamedChannelsAreJudgedButAllAreCounted) {
  ChannelStatus broken = channel_with(kRuns, kStops);
  broken.name = "b";
  const ThreadsFacts facts = facts_of({healthy_channel("a"), broken});
  EXPECT_EQ(evaluate(facts, {.channel_names = {"a"}}).state, State::kOk);
  EXPECT_EQ(evaluate(facts, {.channel_names = {"a"}}).metrics[0].value, 2.0);
  EXPECT_EQ(evaluate(facts, {}).text, "db2: channel 'b': SQL thread stopped");
  EXPECT_EQ(evaluate(facts, {.channel_names = {"x"}}).text, "db2: no channel 'x'");
  EXPECT_EQ(evaluate(facts, {.channel_names = {"x"}}).state, State::kCritical);
}

TEST(ReplicationThreadsTest, GatherReadsWritabilityInEverySpelling) {
  const struct {
    const char* cell;
    bool want;
  } cases[] = {{"0", false}, {"1", true}, {"OFF", false}, {"ON", true}, {"NO_LOCK", true}};
  for (const auto& c : cases) {
    FakeSession session("11.8.2-MariaDB");
    session.answer("SHOW ALL", rows_of({mariadb_row()})).answer("read_only", read_only(c.cell));
    const auto facts = gather(session, "db2", "");
    ASSERT_TRUE(facts) << c.cell;
    EXPECT_EQ(facts->read_only, c.want) << c.cell;
  }
}

FakeSession broken_applier(Result<Rows> workers) {
  FakeSession session("8.4.0");
  Fields row = with(with(mysql_row("a"), "Replica_SQL_Running", "No"), "Last_SQL_Errno", "1062");
  session.answer("SHOW REPLICA", rows_of({row}))
      .answer("read_only", read_only("ON"))
      .answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}))
      .answer("performance_schema", std::move(workers));
  return session;
}

TEST(ReplicationThreadsTest, GatherReadsTheWorkersOfAFailedApplier) {
  const auto worker = [](const char* id, const char* text) -> Fields {
    return {{"CHANNEL_NAME", "a"},
            {"WORKER_ID", id},
            {"LAST_ERROR_NUMBER", "1062"},
            {"LAST_ERROR_MESSAGE", text}};
  };
  FakeSession session = broken_applier(rows_of({worker("1", "dup|"), worker("3", "again")}));
  const auto facts = gather(session, "db2", "");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->worker_errors.at("a"),
            "worker 1: error 1062: dup ; worker 3: error 1062: again");
}

TEST(ReplicationThreadsTest, WorkersThatMayNotBeReadNameTheGrant) {
  FakeSession session = broken_applier(Error{Errc::kPrivilege, "denied"});
  const auto facts = gather(session, "db2", "");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->worker_errors.at("a"),
            "error 1062: ; to see the workers' errors run: "
            "GRANT SELECT ON performance_schema.* TO 'mon'@'%'");
}

TEST(ReplicationThreadsTest, GatherComparesTheSource) {
  const struct {
    const char* expected;
    bool wrong;
  } cases[] = {{"127.0.0.1", false},
               {"127.0.0.1:3306", false},
               {"127.0.0.1:3307", true},
               {"127.0.0.2:3306", true}};
  for (const auto& c : cases) {
    FakeSession session("8.4.0");
    session.answer("SHOW REPLICA", rows_of({with(mysql_row(), "Source_Host", "127.0.0.1")}))
        .answer("read_only", read_only("ON"));
    const auto facts = gather(session, "db2", c.expected);
    ASSERT_TRUE(facts) << c.expected;
    EXPECT_EQ(facts->wrong_source.at(""), c.wrong) << c.expected;
  }
}

TEST(ReplicationThreadsTest, AFailedReadIsPassedOn) {
  FakeSession session("8.4.0");
  session.answer("SHOW", Error{Errc::kUnreachable, "db2: lost connection"});
  const auto facts = gather(session, "db2", "");
  ASSERT_FALSE(facts);
  EXPECT_EQ(from_error(facts.error()).state, State::kCritical);
}

}  // namespace
}  // namespace ha
