// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_replication_lag.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/report.h"
#include "tests/builders.h"
#include "tests/fakes/fake_session.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// A channel that is this far behind.
ChannelLag behind(std::optional<double> lag_s, const std::string& name = "") {
  return {healthy_channel(name), LagMethod::kStatus, lag_s, "lag unknown, the server says NULL"};
}

LagFacts facts_of(std::vector<ChannelLag> channels) { return {"db2", std::move(channels)}; }

std::string line(const LagFacts& facts, const LagLimits& limits = {}) {
  return render({"mysql_replication_lag"}, evaluate(facts, limits)).output;
}

TEST(ReplicationLagTest, LagPicksTheState) {
  const struct {
    std::optional<double> lag_s;
    State want;
  } cases[] = {{0, State::kOk},          {10, State::kOk},
               {10.1, State::kWarning},  {60, State::kWarning},
               {60.1, State::kCritical}, {-2, State::kOk},
               {-2.1, State::kUnknown},  {std::nullopt, State::kUnknown}};
  for (const auto& c : cases)
    EXPECT_EQ(evaluate(facts_of({behind(c.lag_s)}), {}).state, c.want)
        << testing::PrintToString(c.lag_s);
}

TEST(ReplicationLagTest, TheWholeLine) {
  EXPECT_EQ(line(facts_of({behind(0.4)})),
            "MYSQL REPLICATION LAG OK - db2: 0.4s behind db1:3306 (status) | 'lag'=0.4s;10;60;0 "
            "'sql_delay'=0s;;;0 'relay_log_space'=4096B;;;0\n");
}

TEST(ReplicationLagTest, SeveralChannelsWorstFirst) {
  EXPECT_EQ(line(facts_of({behind(0.4), behind(70, "b")})),
            "MYSQL REPLICATION LAG CRITICAL - db2: channel 'b': 70s behind db1:3306 (status) | "
            "'lag'=0.4s;10;60;0 'sql_delay'=0s;;;0 'relay_log_space'=4096B;;;0 "
            "'b_lag'=70s;10;60;0 'b_sql_delay'=0s;;;0 'b_relay_log_space'=4096B;;;0\n"
            "[CRITICAL] channel 'b': 70s behind db1:3306 (status)\n"
            "[OK] 0.4s behind db1:3306 (status)\n");
  std::vector<ChannelLag> channels = {behind(0.4, "a"), behind(7, "b")};
  EXPECT_EQ(evaluate(facts_of(channels), {}).text, "db2: 2 channels, at most 7s behind (status)");
  channels[0].method = LagMethod::kApplier;
  EXPECT_EQ(evaluate(facts_of(channels), {}).text,
            "db2: 2 channels, at most 7s behind (applier, status)");
}

TEST(ReplicationLagTest, AStoppedThreadIsCriticalWithItsError) {
  ChannelLag channel = behind(std::nullopt);
  channel.status.sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
  EXPECT_EQ(
      line(facts_of({channel})),
      "MYSQL REPLICATION LAG CRITICAL - db2: SQL thread stopped, error 1062: Duplicate entry; "
      "lag behind db1:3306 unknown | 'lag'=U;10;60;0 'sql_delay'=0s;;;0 "
      "'relay_log_space'=4096B;;;0\n");
  channel.status = healthy_channel();
  channel.status.io.state = ThreadState::kConnecting;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).text,
            "db2: IO thread connecting; lag behind db1:3306 unknown");
  channel = behind(0);
  channel.status.sql_delay_s = 3600;
  channel.status.io.lacks_space = true;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kCritical);
  EXPECT_EQ(evaluate(facts_of({channel}), {}).text,
            "db2: IO thread waits for disk space; lag behind db1:3306 unknown");
}

TEST(ReplicationLagTest, AHeartbeatGoesOnAgeingBehindAStoppedThread) {
  ChannelLag channel = behind(3);
  channel.method = LagMethod::kHeartbeat;
  channel.status.sql.state = ThreadState::kStopped;
  const CheckResult result = evaluate(facts_of({channel}), {});
  EXPECT_EQ(result.state, State::kCritical);
  EXPECT_EQ(result.text, "db2: SQL thread stopped; 3s behind db1:3306 (heartbeat)");
  EXPECT_EQ(result.items[0].metrics[0].value, 3);
}

TEST(ReplicationLagTest, TheDelayOnPurposeIsSubtractedUnlessWanted) {
  ChannelLag channel = behind(3613);
  channel.status.sql_delay_s = 3600;
  const CheckResult subtracted = evaluate(facts_of({channel}), {});
  EXPECT_EQ(subtracted.text, "db2: 13s behind db1:3306 (status, 60m 00s delay subtracted)");
  EXPECT_EQ(subtracted.state, State::kWarning);
  EXPECT_EQ(subtracted.items[0].metrics[0].value, 13.0);
  EXPECT_EQ(subtracted.items[0].metrics[1].value, 3600.0);
  EXPECT_EQ(evaluate(facts_of({channel}), {.include_delay = true}).state, State::kCritical);
  channel.lag_s = 3000;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).items[0].metrics[0].value, 0.0);
}

TEST(ReplicationLagTest, SilenceBeyondTheLimitIsAStall) {
  const struct {
    Silence silence;
    double stall_s;
    State want;
  } cases[] = {
      {{89, 30}, 0, State::kOk},       {{91, 30}, 0, State::kWarning},  {{9999, {}}, 0, State::kOk},
      {{9999, 0}, 0, State::kOk},      {{11, 30}, 10, State::kWarning}, {{9, 30}, 10, State::kOk},
      {{11, {}}, 10, State::kWarning},
  };
  for (const auto& c : cases) {
    ChannelLag channel = behind(0);
    channel.silence = c.silence;
    EXPECT_EQ(evaluate(facts_of({channel}), {.stall_s = c.stall_s}).state, c.want)
        << c.silence.seconds;
  }
}

TEST(ReplicationLagTest, AStallHasItsOwnStateAndNeverHidesAWorseOne) {
  ChannelLag channel = behind(0);
  channel.silence = Silence{200, 30};
  EXPECT_EQ(evaluate(facts_of({channel}), {.stall = State::kCritical}).state, State::kCritical);
  EXPECT_EQ(
      evaluate(facts_of({channel}), {}).text,
      "db2: 0s behind db1:3306 (status); nothing received from db1:3306 for 3m 20s, not even a "
      "heartbeat");
  channel.lag_s = 100;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kCritical);
}

TEST(ReplicationLagTest, AnUnfinishedReceiptIsExcusedNoLongerThanSilence) {
  ChannelLag channel = behind(0);
  channel.silence = Silence{89, 30, true};
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kOk);
  channel.silence = Silence{200, 30, true};
  EXPECT_EQ(evaluate(facts_of({channel}), {}).state, State::kWarning);
  EXPECT_EQ(evaluate(facts_of({channel}), {}).text,
            "db2: 0s behind db1:3306 (status); a transaction from db1:3306 began to arrive 3m 20s "
            "ago and has not ended");
}

TEST(ReplicationLagTest, NotAReplicaHasTheChosenState) {
  EXPECT_EQ(line(facts_of({})), "MYSQL REPLICATION LAG WARNING - db2: not a replica\n");
  EXPECT_EQ(evaluate(facts_of({}), {.not_replica = State::kOk}).state, State::kOk);
}

TEST(ReplicationLagTest, AChannelThatDoesNotExistIsCritical) {
  LagFacts facts = facts_of({behind(0)});
  facts.missing_channels = {"x"};
  EXPECT_EQ(evaluate(facts, {}).state, State::kCritical);
  EXPECT_EQ(evaluate(facts, {}).text, "db2: 0s behind db1:3306 (status); no channel 'x'");
  facts.channels.clear();
  EXPECT_EQ(evaluate(facts, {}).text, "db2: no channel 'x'");
}

// Of a replica that applied what was committed at 980 and received what was committed at 990.
Rows activity(const char* applying_commit, const char* arrived = "990") {
  return rows_of({{{"channel", ""},
                   {"now_s", "1000"},
                   {"period", "30"},
                   {"thread_age", "100"},
                   {"queueing", "0"},
                   {"queueing_since", "0"},
                   {"heartbeat", "999"},
                   {"queued", "990"},
                   {"arrived", arrived},
                   {"connect_error", "0"},
                   {"queued_commit", "990"},
                   {"applied_commit", "980"},
                   {"applying_commit", applying_commit},
                   {"processing_commit", "0"}}});
}

// Received and not all applied; `behind` is the server's own number.
Fields busy_row(const char* behind) {
  return with(with(mysql_row(), "Read_Source_Log_Pos", "5678"), "Seconds_Behind_Source", behind);
}

TEST(ReplicationLagTest, AutoTakesCommitTimesWhereTheServerHasThem) {
  FakeSession session("8.4.0");
  session.answer("SHOW REPLICA", rows_of({busy_row("99")}))
      .answer("performance_schema", activity("996.5"));
  const auto facts = gather(session, "db2", {});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->channels[0].method, LagMethod::kApplier);
  EXPECT_EQ(facts->channels[0].lag_s, 3.5);
  EXPECT_EQ(facts->channels[0].silence.value_or(Silence{-1}).seconds, 1);
}

// Measures the one channel of a MySQL replica.
ChannelLag measured(const Fields& row, const Rows& activity, LagMethod method = LagMethod::kAuto) {
  FakeSession session("8.4.0");
  session.answer("SHOW REPLICA", rows_of({row})).answer("performance_schema", activity);
  const auto facts = gather(session, "db2", {.method = method});
  EXPECT_TRUE(facts);
  return facts ? facts->channels.at(0) : ChannelLag{};
}

TEST(ReplicationLagTest, CommitTimesTellTheLagInEveryPhase) {
  constexpr LagMethod kApplier = LagMethod::kApplier, kStatus = LagMethod::kStatus;
  const struct {
    const char* story;
    Fields row;
    const char* applying;
    LagMethod method;
    std::optional<double> want;
  } cases[] = {
      {"something is applied", busy_row("3"), "996", kApplier, 4},
      {"all received was executed", mysql_row(), "0", kApplier, 0},
      {"something came after the status was read", mysql_row(), "999", kApplier, 1},
      {"it waits: the newest received is younger", busy_row("17"), "0", kStatus, 17},
      {"it waits, and the server does not tell", with(busy_row("0"), "Seconds_Behind_Source", {}),
       "0", kStatus, std::nullopt},
  };
  for (const auto& c : cases)
    for (const LagMethod asked : {LagMethod::kAuto, LagMethod::kApplier}) {
      const ChannelLag channel = measured(c.row, activity(c.applying), asked);
      EXPECT_EQ(channel.lag_s, c.want) << c.story;
      EXPECT_EQ(channel.method, c.method) << c.story;
      EXPECT_EQ(channel.clock_skew_s, std::nullopt) << c.story;
    }
}

TEST(ReplicationLagTest, CommitTimesDoNotCountWhereTheClocksDiffer) {
  const struct {
    const char* story;
    const char *behind, *applying, *arrived;  // committed at 990, read at 1000
    std::optional<double> skew, lag;
  } cases[] = {
      {"ahead", "2", "254", "1734", 744, 2},
      {"behind: what is applied lies in the future", "2", "1742", "246", -744, 2},
      {"behind, and so old that it does not show", "40", "985", "975", -15, 40},
      {"ahead by little more than a way to here takes", "0", "985", "1005", 15, 0},
      {"no newer receipt since the IO thread was started", "2", "254", "0", 744, 2},
      {"rounding", "1", "997", "993", std::nullopt, 3},
      {"a statement of 10 minutes: the server counts from its start", "604", "996", "990.1",
       std::nullopt, 4},
      {"after an outage: old when it came", "600", "400", "1590", std::nullopt, 600},
      {"a clock was set since the IO thread connected", "0", "940", "990.1", std::nullopt, 60},
  };
  for (const auto& c : cases) {
    const ChannelLag channel = measured(busy_row(c.behind), activity(c.applying, c.arrived));
    EXPECT_EQ(channel.clock_skew_s, c.skew) << c.story;
    EXPECT_EQ(channel.lag_s, c.lag) << c.story;
    EXPECT_EQ(channel.method, c.skew ? LagMethod::kStatus : LagMethod::kApplier) << c.story;
  }
}

// A MySQL replica that tells another status when it is asked again.
class RestlessSession : public FakeSession {
 public:
  RestlessSession(const Fields& first, Fields second)
      : FakeSession("8.4.0"), second_(std::move(second)) {
    answer("SHOW REPLICA", rows_of({first}));
  }

  Result<Rows> query(const std::string& sql) override {
    const bool shown = sql.starts_with("SHOW REPLICA") && std::ranges::count(asked, sql) > 0;
    if (!shown) return FakeSession::query(sql);
    ++repeated;
    return rows_of({second_});
  }

  int repeated = 0;

 private:
  Fields second_;
};

TEST(ReplicationLagTest, AClockIsAheadOnlyByTwoReadings) {
  constexpr LagMethod kApplier = LagMethod::kApplier, kStatus = LagMethod::kStatus;
  const struct {
    const char* story;
    Fields first, second;
    const char* applying;  // committed at, read at 1000
    LagMethod method;
    std::optional<double> skew, lag;
    int repeated;
  } cases[] = {
      {"after an outage, read between two transactions",
       busy_row("0"),
       busy_row("700"),
       "300",
       kApplier,
       {},
       700,
       1},
      {"likewise, with nothing to apply at that moment",
       mysql_row(),
       busy_row("698"),
       "300",
       kApplier,
       {},
       700,
       1},
      {"ahead", busy_row("0"), busy_row("1"), "256", kStatus, 743, 1, 1},
      {"ahead, all is applied each time", mysql_row(), mysql_row(), "256", kStatus, 744, 0, 1},
      {"in step", busy_row("1"), busy_row("9"), "998", kApplier, {}, 2, 0},
      {"behind, which needs no second reading", busy_row("0"), busy_row("9"), "1744", kStatus, -744,
       0, 0},
  };
  for (const auto& c : cases) {
    RestlessSession session(c.first, c.second);
    session.answer("performance_schema", activity(c.applying, "1734"));
    const auto facts = gather(session, "db2", {});
    ASSERT_TRUE(facts) << c.story;
    EXPECT_EQ(facts->channels.at(0).lag_s, c.lag) << c.story;
    EXPECT_EQ(facts->channels.at(0).clock_skew_s, c.skew) << c.story;
    EXPECT_EQ(facts->channels.at(0).method, c.method) << c.story;
    EXPECT_EQ(session.repeated, c.repeated) << c.story;
  }
}

TEST(ReplicationLagTest, WhatIsStillBeingReceivedIsOldThoughTheServerSaysZero) {
  const Rows arriving = [](Rows rows) {
    rows.columns.emplace_back("queueing_commit");
    rows.cells.at(0).emplace_back("256");
    return rows;
  }(activity("256", "1734"));
  EXPECT_EQ(measured(busy_row("0"), arriving).lag_s, 744);
  EXPECT_EQ(measured(busy_row("0"), arriving).clock_skew_s, std::nullopt);
  EXPECT_EQ(measured(busy_row("2"), arriving).lag_s, 2);
  EXPECT_EQ(measured(busy_row("2"), arriving).clock_skew_s, 742);
}

TEST(ReplicationLagTest, DifferentClocksAreTold) {
  ChannelLag channel = behind(104);
  channel.clock_skew_s = 744;
  channel.status.sql_delay_s = 100;
  EXPECT_EQ(evaluate(facts_of({channel}), {}).text,
            "db2: 4s behind db1:3306 (status, this server's clock is about 12m 24s ahead of the "
            "source's, 100s delay subtracted)");
  channel.clock_skew_s = -15;
  EXPECT_EQ(evaluate(facts_of({channel}), {.include_delay = true}).text,
            "db2: 104s behind db1:3306 (status, this server's clock is about 15s behind the "
            "source's)");
}

TEST(ReplicationLagTest, AutoFallsBackToTheStatusAndSaysWhyWhenVerbose) {
  FakeSession session("8.4.0");
  session.answer("SHOW REPLICA", rows_of({with(mysql_row(), "Seconds_Behind_Source", "7")}))
      .answer("performance_schema", Error{Errc::kPrivilege, "db2: denied"});
  const auto facts = gather(session, "db2", {});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->channels[0].method, LagMethod::kStatus);
  EXPECT_EQ(facts->channels[0].lag_s, 7.0);
  ASSERT_EQ(facts->notes.size(), 1u);
  EXPECT_TRUE(facts->notes[0].starts_with("db2: denied; run: GRANT SELECT")) << facts->notes[0];
  EXPECT_FALSE(gather(session, "db2", {.method = LagMethod::kApplier}));
}

TEST(ReplicationLagTest, TheApplierMethodIsUnknownOnMariadb) {
  FakeSession session("10.11.6-MariaDB");
  session.answer("SHOW ALL", rows_of({mariadb_row()}));
  const auto facts = gather(session, "db2", {.method = LagMethod::kApplier});
  ASSERT_FALSE(facts);
  EXPECT_EQ(from_error(facts.error()).state, State::kUnknown);
  EXPECT_EQ(facts.error().text,
            "db2: --method applier needs MySQL 8 or later, this is 10.11.6-MariaDB");
}

TEST(ReplicationLagTest, EachChannelHasTheHeartbeatOfItsSource) {
  FakeSession session("10.11.6-MariaDB");
  session
      .answer("SHOW ALL",
              rows_of({mariadb_row("a"), with(mariadb_row("b"), "Master_Server_Id", "12")}))
      .answer("heartbeat", rows_of({heartbeat_row("12", 1), heartbeat_row("11", 5)}));
  const auto facts = gather(session, "db2", {.heartbeat = HeartbeatTable{}});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->channels[0].method, LagMethod::kHeartbeat);
  EXPECT_EQ(facts->channels[0].lag_s, 5.0);
  EXPECT_EQ(facts->channels[1].lag_s, 1.0);
}

TEST(ReplicationLagTest, AChannelTakesNoOthersHeartbeat) {
  const auto measure = [](std::vector<std::string> names, std::optional<std::uint32_t> id) {
    FakeSession session("10.11.6-MariaDB");
    session
        .answer("SHOW ALL",
                rows_of({mariadb_row("east"), with(mariadb_row("west"), "Master_Server_Id", "12")}))
        .answer("heartbeat", rows_of({heartbeat_row("11", 5)}));
    const auto facts =
        gather(session, "db2",
               {.channel_names = std::move(names), .heartbeat = HeartbeatTable{.server_id = id}});
    EXPECT_TRUE(facts);
    return *facts;
  };
  const LagFacts both = measure({}, {});
  EXPECT_EQ(both.channels[0].lag_s, 5.0);
  EXPECT_EQ(both.channels[1].lag_s, std::nullopt);
  EXPECT_EQ(evaluate(both, {}).state, State::kCritical);
  EXPECT_EQ(evaluate(both, {}).text,
            "db2: channel 'west': no heartbeat of server 12, its source, in heartbeat.heartbeat; "
            "where another server's row comes through this channel, name both by --channel and "
            "--heartbeat-server-id");
  EXPECT_EQ(measure({"west"}, {}).channels[0].lag_s, std::nullopt) << "alone judged, not alone";
  EXPECT_EQ(measure({"west"}, 11).channels[0].lag_s, 5.0) << "the operator says so";
  EXPECT_EQ(measure({}, 11).channels[1].lag_s, std::nullopt);
}

TEST(ReplicationLagTest, InAChainTheFreshestHeartbeatCounts) {
  FakeSession session("10.11.6-MariaDB");
  session.answer("SHOW ALL", rows_of({mariadb_row()}))
      .answer("heartbeat", rows_of({heartbeat_row("11", 9000), heartbeat_row("9", 2)}));
  const auto facts = gather(session, "db2", {.heartbeat = HeartbeatTable{}});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->channels[0].lag_s, 2.0);
}

TEST(ReplicationLagTest, AMissingHeartbeatIsCriticalButAMissingTableUnknown) {
  FakeSession no_row("10.11.6-MariaDB"), no_table("10.11.6-MariaDB");
  no_row.answer("SHOW ALL", rows_of({mariadb_row()})).answer("heartbeat", Rows{});
  const auto facts = gather(no_row, "db2", {.heartbeat = HeartbeatTable{.server_id = 7}});
  ASSERT_TRUE(facts);
  EXPECT_EQ(evaluate(*facts, {}).state, State::kCritical);
  EXPECT_EQ(evaluate(*facts, {}).text, "db2: no heartbeat of server 7 in heartbeat.heartbeat");

  no_table.answer("SHOW ALL", rows_of({mariadb_row()}))
      .answer("heartbeat", Error{Errc::kMissing, "db2: no such table"});
  const auto missing = gather(no_table, "db2", {.heartbeat = HeartbeatTable{}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(from_error(missing.error()).state, State::kUnknown);
}

TEST(ReplicationLagTest, AFailedReadIsPassedOn) {
  FakeSession session("8.4.0");
  session.answer("SHOW", Error{Errc::kUnreachable, "db2: lost connection"});
  const auto facts = gather(session, "db2", {});
  ASSERT_FALSE(facts);
  EXPECT_EQ(from_error(facts.error()).state, State::kCritical);
}

TEST(ReplicationLagTest, ServerWithoutChannelsIsAskedNothingMore) {
  FakeSession session("8.4.0");
  session.answer("SHOW", Rows{});
  ASSERT_TRUE(gather(session, "db2", {}));
  EXPECT_EQ(session.asked.size(), 1u);
}

// Runs a check on MariaDB, where only a directory can tell a stall.
Result<LagFacts> gather_with_state(const std::string& directory, std::vector<std::string> names) {
  FakeSession session("10.11.6-MariaDB");
  session.answer("SHOW ALL", rows_of({mariadb_row("a"), mariadb_row("b")}));
  return gather(session, "db2", {.channel_names = std::move(names), .state_directory = directory});
}

TEST(ReplicationLagTest, ChecksOfSingleChannelsShareAStateDirectory) {
  const TempDirectory directory;
  const std::string path = directory.path("state");
  ASSERT_TRUE(gather_with_state(path, {"a"}));
  auto receipts = load_receipts(path, "db2");
  ASSERT_EQ(receipts.size(), 2u) << "the other channel's receipt is lost";
  for (Receipt& receipt : receipts) receipt.since_epoch_s -= 100;
  ASSERT_TRUE(save_receipts(path, "db2", receipts));
  for (const char* name : {"b", "a"}) {
    const auto facts = gather_with_state(path, {name});
    ASSERT_TRUE(facts);
    EXPECT_GE(facts->channels.at(0).silence.value_or(Silence{}).seconds, 100) << name;
  }
}

TEST(ReplicationLagTest, AStateDirectoryThatCannotBeUsedIsUnknown) {
  const TempDirectory directory;
  const std::string path = directory.file("file", "");
  const auto facts = gather_with_state(path, {"a"});
  ASSERT_TRUE(facts);
  const CheckResult result = evaluate(*facts, {});
  EXPECT_EQ(result.state, State::kUnknown);
  EXPECT_EQ(result.text, "db2: channel 'a': 0s behind db1:3306 (status); --state-dir: " + path +
                             " is not a directory");
}

}  // namespace
}  // namespace ha
