// SPDX-License-Identifier: MIT
#include "common/mysql/replica_status.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

Result<std::vector<ChannelStatus>> read(const char* greeting, const std::vector<Fields>& rows) {
  FakeSession session(greeting);
  session.answer("SHOW", rows_of(rows));
  return read_replica_status(session);
}

// The error text of a MySQL 8.4 replica with this row.
std::string error_of(const Fields& row) {
  const auto channels = read("8.4.0", {row});
  if (channels) return "none";
  EXPECT_EQ(channels.error().code, Errc::kBadData);
  return channels.error().text;
}

TEST(ReplicaStatusTest, EveryFlavourReadsTheSame) {
  const struct {
    const char* greeting;
    const char* statement;
    Fields row;
  } cases[] = {
      {"5.7.44", "SHOW SLAVE STATUS", channel_row("Slave", "Master", "Channel_Name")},
      {"8.0.21", "SHOW SLAVE STATUS", channel_row("Slave", "Master", "Channel_Name")},
      {"8.0.36-28", "SHOW REPLICA STATUS", channel_row("Replica", "Source", "Channel_Name")},
      {"8.4.0", "SHOW REPLICA STATUS", mysql_row()},
      {"9.4.0", "SHOW REPLICA STATUS", mysql_row()},
      {"10.6.18-MariaDB", "SHOW ALL SLAVES STATUS", mariadb_row()},
      {"11.8.2-MariaDB", "SHOW ALL SLAVES STATUS", mariadb_row()},
  };
  for (const auto& c : cases) {
    FakeSession session(c.greeting);
    session.answer("SHOW", rows_of({c.row}));
    const auto channels = read_replica_status(session);
    ASSERT_TRUE(channels) << c.greeting << ": " << channels.error().text;
    EXPECT_EQ(session.asked, std::vector<std::string>{c.statement});
    ASSERT_EQ(channels->size(), 1u);
    const ChannelStatus& channel = (*channels)[0];
    const ChannelStatus want = healthy_channel();
    EXPECT_EQ(channel.name, "");
    EXPECT_EQ(channel.source(), "db1:3306");
    EXPECT_EQ(channel.source_server_id, want.source_server_id);
    EXPECT_TRUE(channel.io.running() && channel.sql.running()) << c.greeting;
    EXPECT_EQ(channel.until_condition, "");
    EXPECT_EQ(channel.seconds_behind, 0.0);
    EXPECT_EQ(channel.relay_log_space, 4096.0);
    EXPECT_EQ(channel.read, want.read);
    EXPECT_EQ(channel.executed, want.executed);
  }
}

TEST(ReplicaStatusTest, OnlyMariadbTellsItsHeartbeats) {
  const auto mariadb = read("10.11.6-MariaDB", {mariadb_row("c1")});
  ASSERT_TRUE(mariadb);
  EXPECT_EQ((*mariadb)[0].name, "c1");
  EXPECT_EQ((*mariadb)[0].received_heartbeats, 3u);
  EXPECT_EQ((*mariadb)[0].heartbeat_period_s, 60.0);
  EXPECT_EQ((*read("8.4.0", {mysql_row()}))[0].received_heartbeats, std::nullopt);
}

TEST(ReplicaStatusTest, AllChannelsAreReadInTheirOrder) {
  const auto channels = read("9.4.0", {mysql_row("b"), mysql_row("a"), mysql_row("")});
  ASSERT_TRUE(channels);
  ASSERT_EQ(channels->size(), 3u);
  EXPECT_EQ((*channels)[0].name, "b");
  EXPECT_EQ((*channels)[1].label(), "channel 'a'");
  EXPECT_EQ((*channels)[2].label(), "");
}

TEST(ReplicaStatusTest, NoRowMeansNoReplica) {
  const auto channels = read("8.4.0", {});
  ASSERT_TRUE(channels);
  EXPECT_TRUE(channels->empty());
}

TEST(ReplicaStatusTest, ThreadsStatesAndErrorsAreTold) {
  Fields row = with(mysql_row(), "Replica_IO_Running", "Connecting");
  row = with(row, "Last_IO_Errno", "2003");
  row = with(row, "Last_IO_Error", "error connecting");
  row = with(row, "Replica_SQL_Running", "No");
  row = with(row, "Seconds_Behind_Source", std::nullopt);
  row = with(row, "SQL_Delay", "3600");
  row = with(row, "Until_Condition", "SQL_AFTER_GTIDS");
  const auto channels = read("8.4.0", {row});
  ASSERT_TRUE(channels);
  const ChannelStatus& channel = (*channels)[0];
  EXPECT_EQ(channel.io.state, ThreadState::kConnecting);
  EXPECT_EQ(describe_stop("IO", channel.io), "IO thread connecting, error 2003: error connecting");
  EXPECT_EQ(channel.sql.state, ThreadState::kStopped);
  EXPECT_EQ(describe_stop("SQL", channel.sql), "SQL thread stopped");
  EXPECT_EQ(channel.seconds_behind, std::nullopt);
  EXPECT_EQ(channel.sql_delay_s, 3600);
  EXPECT_EQ(channel.until_condition, "SQL_AFTER_GTIDS");
}

TEST(ReplicaStatusTest, AThreadThatWaitsForItsDiskDoesNotWork) {
  for (const auto& [greeting, replica, source, channel] :
       {std::array{"8.4.0", "Replica", "Source", "Channel_Name"},
        std::array{"5.7.44", "Slave", "Master", "Channel_Name"},
        std::array{"10.11.6-MariaDB", "Slave", "Master", "Connection_name"}}) {
    const std::string io = std::string(replica) + "_IO_State",
                      sql = std::string(replica) + "_SQL_Running_State";
    Fields row = with(channel_row(replica, source, channel), io, "Waiting for disk space");
    auto channels = read(greeting, {with(row, sql, "Waiting for dependent transaction to commit")});
    ASSERT_TRUE(channels) << greeting;
    EXPECT_TRUE((*channels)[0].io.running() && (*channels)[0].sql.works()) << greeting;
    EXPECT_FALSE((*channels)[0].io.works()) << greeting;
    EXPECT_EQ(describe_stop("IO", (*channels)[0].io), "IO thread waits for disk space");
    row = with(row, io, "Waiting for source to send event");
    channels = read(greeting, {with(row, sql, "Waiting for disk space")});
    ASSERT_TRUE(channels) << greeting;
    EXPECT_TRUE((*channels)[0].io.works() && !(*channels)[0].sql.works()) << greeting;
  }
}

TEST(ReplicaStatusTest, ThePositionOfAnUntilIsRead) {
  Fields row = with(mysql_row(), "Until_Condition", "Source");
  row = with(with(row, "Until_Log_File", "binlog.000009"), "Until_Log_Pos", "77");
  EXPECT_EQ((*read("8.4.0", {row}))[0].until, (BinlogPosition{"binlog.000009", 77}));
  EXPECT_EQ((*read("8.4.0", {mysql_row()}))[0].until, BinlogPosition{});
}

TEST(ReplicaStatusTest, NullsAreUnknownNotZero) {
  Fields row = mysql_row();
  for (const char* column : {"Seconds_Behind_Source", "SQL_Delay", "Relay_Log_Space",
                             "Source_Server_Id", "Channel_Name", "Until_Condition"})
    row = with(row, column, std::nullopt);
  const auto channels = read("8.4.0", {row});
  ASSERT_TRUE(channels) << channels.error().text;
  EXPECT_EQ((*channels)[0].seconds_behind, std::nullopt);
  EXPECT_EQ((*channels)[0].relay_log_space, std::nullopt);
  EXPECT_EQ((*channels)[0].source_server_id, std::nullopt);
  EXPECT_EQ((*channels)[0].sql_delay_s, 0);
  EXPECT_EQ((*channels)[0].until_condition, "");
}

TEST(ReplicaStatusTest, AMissingColumnIsNamed) {
  for (const auto& [column, cell] : mysql_row()) {
    if (column == "Channel_Name") continue;  // MySQL has it from 5.7.6 on
    EXPECT_EQ(error_of(without(mysql_row(), column)),
              "SHOW REPLICA STATUS: column " + column + " is missing");
  }
}

TEST(ReplicaStatusTest, AnAnswerThatIsNotUnderstoodIsQuotedHarmlessly) {
  const struct {
    const char* column;
    const char* cell;
    const char* want;
  } cases[] = {
      {"Seconds_Behind_Source", "soon|", "is not a number: 'soon '"},
      {"Source_Port", "x", "is not a number: 'x'"},
      {"Read_Source_Log_Pos", "1x", "is not a number: '1x'"},
      {"Last_SQL_Errno", "none", "is not a number: 'none'"},
      {"Source_Server_Id", "inf", "is not a number: 'inf'"},
      {"Replica_IO_Running", "Maybe\n", "is not Yes, No or Connecting: 'Maybe '"},
      {"Replica_SQL_Running", "", "is not Yes, No or Connecting: ''"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(error_of(with(mysql_row(), c.column, c.cell)),
              std::string("SHOW REPLICA STATUS: column ") + c.column + " " + c.want);
}

TEST(ReplicaStatusTest, NumbersThatFitNowhereAreHarmless) {
  Fields row = with(mysql_row(), "Source_Server_Id", "1e300");
  row = with(row, "Read_Source_Log_Pos", "1e300");
  row = with(row, "Source_Port", "-1");
  const auto channels = read("8.4.0", {row});
  ASSERT_TRUE(channels);
  EXPECT_EQ((*channels)[0].source_server_id, std::nullopt);
  EXPECT_EQ((*channels)[0].read.offset, 0u);
  EXPECT_EQ((*channels)[0].source_port, 0u);
}

TEST(ReplicaStatusTest, AMissingPrivilegeNamesTheGrant) {
  const struct {
    const char* greeting;
    const char* grant;
  } cases[] = {{"10.11.6-MariaDB", "db2: denied; run: GRANT REPLICA MONITOR ON *.* TO 'mon'@'%'"},
               {"8.4.0", "db2: denied; run: GRANT REPLICATION CLIENT ON *.* TO 'mon'@'%'"}};
  for (const auto& c : cases) {
    FakeSession session(c.greeting);
    session.answer("SHOW", Error{Errc::kPrivilege, "db2: denied"})
        .answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}));
    const auto channels = read_replica_status(session);
    ASSERT_FALSE(channels);
    EXPECT_EQ(channels.error().code, Errc::kPrivilege);
    EXPECT_EQ(channels.error().text, c.grant);
  }
}

TEST(ReplicaStatusTest, ErrorTextsAreCleanedAndShortened) {
  const ReplicationThread thread{ThreadState::kStopped, 1062, "a|b\n" + std::string(1000, 'x')};
  const std::string text = describe_stop("SQL", thread);
  EXPECT_TRUE(text.starts_with("SQL thread stopped, error 1062: a b xxx")) << text;
  EXPECT_TRUE(text.ends_with("..."));
  EXPECT_LT(text.size(), 350u);
}

TEST(ReplicaStatusTest, SelectsByNameAndTellsWhatIsMissing) {
  const std::vector<ChannelStatus> all = {healthy_channel("a"), healthy_channel(""),
                                          healthy_channel("b")};
  std::vector<std::string> missing;
  EXPECT_EQ(select_channels(all, {}, missing).size(), 3u);
  const auto selected = select_channels(all, {"B", "", "c"}, missing);
  ASSERT_EQ(selected.size(), 2u);
  EXPECT_EQ(selected[0].name, "");
  EXPECT_EQ(selected[1].name, "b");
  EXPECT_EQ(missing, std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace ha
