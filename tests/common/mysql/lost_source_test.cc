// SPDX-License-Identifier: MIT
#include "common/mysql/lost_source.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

ChannelStatus told(unsigned number, const std::string& what) {
  ChannelStatus channel;
  channel.io = {
      ThreadState::kStopped, number,
      "Got fatal error 1236 from source when reading data from binary log: '" + what + "'"};
  channel.read = {"binlog.000007", 400};
  return channel;
}

// As MySQL 9.7.4, 5.7 and MariaDB 10.11.19 say it; server 1 is the source.
TEST(LostSourceTest, TheReceiversErrorTells) {
  const BinlogPosition before{"binlog.000002", 200}, after{"binlog.000009", 200};
  const struct {
    unsigned number;
    const char* what;
    std::optional<BinlogPosition> end;
    SourceLoss want;
  } cases[] = {
      {13114,
       "Replica has more GTIDs than the source has, using the source's SERVER_UUID. This may "
       "indicate that the the last binary log file was truncated or lost",
       before, SourceLoss::kProven},
      {1236,
       "Slave has more GTIDs than the master has, using the master's SERVER_UUID.",
       {},
       SourceLoss::kProven},
      {13114, "Client requested source to start replication from position > file size", before,
       SourceLoss::kPossible},
      {1236,
       "Client requested master to start replication from impossible position; the first event "
       "'binlog.000002' at 1409",
       before, SourceLoss::kPossible},
      {1236,
       "Error: connecting slave requested to start from GTID 0-1-10, which is not in the master's "
       "binlog",
       {},
       SourceLoss::kProven},
      {1236,
       "Error: connecting slave requested to start from GTID 0-2-10, which is not in the master's "
       "binlog. Since the master's binlog contains GTIDs with higher sequence numbers, it probably "
       "means that the slave has diverged due to executing extra erroneous transactions",
       {},
       SourceLoss::kNone},
      {1236, "Could not find first log file name in binary log index file", before,
       SourceLoss::kPossible},
      {1236, "Could not find first log file name in binary log index file", after,
       SourceLoss::kNone},
      {1236, "Could not find first log file name in binary log index file", {}, SourceLoss::kNone},
      {13114,
       "I/O error reading log event; the first event '' at 4, the last event read from "
       "'./binlog.000001' at 2173",
       before, SourceLoss::kPossible},
      {1236, "bogus data in log event", before, SourceLoss::kPossible},
      {13114,
       "Cannot replicate because the source purged required binary logs. Replicate the missing "
       "transactions from elsewhere",
       before, SourceLoss::kNone},
      {1236,
       "Could not find GTID state requested by slave in any binlog files. Probably the slave state "
       "is too old and required binlog files have been purged.",
       before, SourceLoss::kNone},
      {1236, "log event entry exceeded max_allowed_packet", before, SourceLoss::kNone},
      {2003, "position > file size", before, SourceLoss::kNone},
  };
  for (const auto& c : cases)
    EXPECT_EQ(judge_source_loss(told(c.number, c.what), 1, c.end), c.want) << c.what;
}

TEST(LostSourceTest, AGtidOfAnUnknownSourceProvesNothing) {
  const ChannelStatus channel =
      told(1236, "requested to start from GTID 0-1-10, which is not in the master's binlog");
  EXPECT_EQ(judge_source_loss(channel, 0, {}), SourceLoss::kNone);
  EXPECT_EQ(judge_source_loss(channel, 2, {}), SourceLoss::kNone);
}

TEST(LostSourceTest, AReceiverThatRunsHasNoError) {
  ChannelStatus channel = told(1236, "position > file size");
  channel.io.state = ThreadState::kRunning;
  EXPECT_EQ(judge_source_loss(channel, 1, {}), SourceLoss::kNone);
}

TEST(LostSourceTest, TheSourcesWordsAreTakenOutOfTheirWrapping) {
  EXPECT_EQ(source_words(told(1236, "position > file size").io), "position > file size");
  EXPECT_EQ(source_words(told(1236, "Error: no GTID|\x1b").io).substr(0, 7), "no GTID");
  EXPECT_EQ(source_words({ThreadState::kStopped, 1236, "something else"}), "something else");
}

}  // namespace
}  // namespace ha
