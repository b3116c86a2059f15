// SPDX-License-Identifier: MIT
#include "common/mysql/receiver_activity.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/builders.h"
#include "tests/fakes/fake_session.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

// A connection of 100 s, a heartbeat 2 s ago, all that was received applied.
Fields activity_row() {
  return {{"channel", ""},
          {"now_s", "1000.5"},
          {"period", "30"},
          {"thread_age", "100"},
          {"queueing", "0"},
          {"queueing_since", "0"},
          {"heartbeat", "998.5"},
          {"queued", "990.5"},
          {"arrived", "990.25"},
          {"connect_error", "0"},
          {"queued_commit", "990.0"},
          {"applied_commit", "990"},
          {"applying_commit", std::nullopt},
          {"processing_commit", std::nullopt}};
}

ChannelActivity activity(const Fields& row) {
  FakeSession session("8.4.0");
  session.answer("performance_schema", rows_of({row}));
  const auto all = read_channel_activity(session);
  EXPECT_TRUE(all && all->contains(""));
  return all ? all->at("") : ChannelActivity{};
}

double silence(const Fields& row) { return activity(row).silence.value_or(Silence{-1}).seconds; }

TEST(ReceiverActivityTest, SilenceCountsFromTheLastReceiptOfAnyKind) {
  EXPECT_EQ(silence(activity_row()), 2);
  EXPECT_EQ(silence(with(activity_row(), "queued", "1000")), 0.5);
  EXPECT_EQ(silence(with(activity_row(), "connect_error", "999.5")), 1);
  Fields nothing_yet = with(with(activity_row(), "heartbeat", "0"), "queued", "0");
  EXPECT_EQ(silence(nothing_yet), 100) << "counts from the connection";
  EXPECT_EQ(silence(with(nothing_yet, "heartbeat", "800")), 100) << "of an earlier connection";
}

TEST(ReceiverActivityTest, ATransactionOnItsWayInIsSilenceFromItsBeginning) {
  EXPECT_FALSE(activity(activity_row()).silence.value_or(Silence{}).unfinished);
  const Fields arriving = with(with(activity_row(), "heartbeat", "950"), "queueing", "1");
  const ChannelActivity early = activity(with(arriving, "queueing_since", "1000"));
  EXPECT_EQ(early.silence.value_or(Silence{-1}).seconds, 0.5);
  EXPECT_TRUE(early.silence.value_or(Silence{}).unfinished);
  EXPECT_EQ(silence(with(with(arriving, "queued", "940"), "queueing_since", "955")), 45.5);
}

TEST(ReceiverActivityTest, TransitHoldsTheDifferenceOfTheClocks) {
  EXPECT_EQ(activity(activity_row()).transit_s, 0.25);
  EXPECT_EQ(activity(with(activity_row(), "queued_commit", "1734.25")).transit_s, -744);
  EXPECT_EQ(activity(with(activity_row(), "arrived", "0")).transit_s, std::nullopt);
  EXPECT_EQ(activity(with(activity_row(), "queued_commit", "0")).transit_s, std::nullopt);
}

TEST(ReceiverActivityTest, AChannelWithoutReceiverHasNoSilence) {
  EXPECT_EQ(silence(with(activity_row(), "thread_age", std::nullopt)), -1);
}

TEST(ReceiverActivityTest, CommitTimesTellWhatIsApplied) {
  const ChannelActivity idle = activity(activity_row());
  EXPECT_EQ(idle.applying_age_s, std::nullopt);
  EXPECT_TRUE(idle.queued_is_applied);
  EXPECT_FALSE(activity(with(activity_row(), "applied_commit", "989")).queued_is_applied);
  EXPECT_FALSE(activity(with(activity_row(), "applied_commit", "0")).queued_is_applied);
  EXPECT_EQ(activity(with(activity_row(), "applying_commit", "995")).applying_age_s, 5.5);
  const Fields both =
      with(with(activity_row(), "applying_commit", "995"), "processing_commit", "994");
  EXPECT_EQ(activity(both).applying_age_s, 6.5) << "the oldest counts";
}

TEST(ReceiverActivityTest, ServersWithoutTheTablesAreNotAsked) {
  for (const char* greeting : {"5.7.44", "10.11.6-MariaDB", "11.8.2-MariaDB"}) {
    FakeSession session(greeting);
    const auto all = read_channel_activity(session);
    ASSERT_TRUE(all) << greeting;
    EXPECT_TRUE(all->empty());
    EXPECT_TRUE(session.asked.empty()) << greeting;
  }
}

TEST(ReceiverActivityTest, AMissingPrivilegeNamesTheGrant) {
  FakeSession session("8.4.0");
  session.answer("CURRENT_USER", rows_of({{{"u", "mon@%"}}}))
      .answer("performance_schema", Error{Errc::kPrivilege, "db2: denied"});
  EXPECT_EQ(read_channel_activity(session).error().text,
            "db2: denied; run: GRANT SELECT ON performance_schema.* TO 'mon'@'%'");
}

ChannelStatus receiving(const std::string& name, std::uint64_t offset, std::uint64_t heartbeats) {
  ChannelStatus channel = healthy_channel(name);
  channel.read.offset = offset;
  channel.received_heartbeats = heartbeats;
  return channel;
}

TEST(ReceiptsTest, AReceiptKeepsItsDateUntilSomethingArrives) {
  const auto first = update_receipts({}, {receiving("a", 10, 1)}, 1000);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].since_epoch_s, 1000);
  EXPECT_EQ(update_receipts(first, {receiving("a", 10, 1)}, 1060), first);
  EXPECT_EQ(update_receipts(first, {receiving("a", 11, 1)}, 1060)[0].since_epoch_s, 1060);
  EXPECT_EQ(update_receipts(first, {receiving("a", 10, 2)}, 1060)[0].since_epoch_s, 1060);
  EXPECT_EQ(update_receipts(first, {receiving("b", 10, 1)}, 1060)[0].since_epoch_s, 1060);
}

TEST(ReceiptsTest, AClockSetBackStartsAnew) {
  const auto first = update_receipts({}, {receiving("a", 10, 1)}, 1000);
  EXPECT_EQ(update_receipts(first, {receiving("a", 10, 1)}, 500)[0].since_epoch_s, 500);
}

TEST(ReceiptsTest, AStoppedReceiverIsForgotten) {
  ChannelStatus stopped = receiving("a", 10, 1);
  stopped.io.state = ThreadState::kConnecting;
  EXPECT_TRUE(update_receipts({{"a", stopped.read, 1, 1000}}, {stopped}, 1060).empty());
}

TEST(ReceiptsTest, SurviveTheFileWhateverTheirNames) {
  const TempDirectory directory;
  const std::string path = directory.path("state");
  const std::vector<Receipt> receipts = {{"", {"binlog.000001", 18446744073709551615u}, 5, 1000},
                                         {"a\"b\n", {"x", 0}, 0, 1000.5}};
  for (const char* server : {"db2:3307", "/run/mysqld/mysqld.sock", "../../etc", "[::1]:3307"}) {
    ASSERT_TRUE(save_receipts(path, server, receipts)) << server;
    EXPECT_EQ(load_receipts(path, server), receipts) << server;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path), {}), 4);
  EXPECT_TRUE(load_receipts(path, "db9").empty());
}

TEST(ReceiptsTest, ADamagedFileCountsAsNone) {
  const TempDirectory directory;
  for (const char* content : {"", "{", "null", "[1]", "[[1,2,3,4,5]]", R"([["a","b",-1,0,1]])",
                              R"([["a","b",1,0]])", R"([["a","b",1.5,0,1]])"}) {
    const std::string path = directory.file("receipts-db2.json", content);
    EXPECT_TRUE(load_receipts(directory.path(""), "db2").empty()) << content;
  }
}

TEST(ReceiptsTest, NamesThatAreNoUtf8DoNotStopTheSaving) {
  const TempDirectory directory;
  EXPECT_TRUE(save_receipts(directory.path("state"), "db2", {{"\xFF", {}, 0, 1}}));
}

TEST(ReceiptsTest, AnUnsafeDirectoryIsRefused) {
  const TempDirectory directory;
  const std::string path = directory.path("state");
  std::filesystem::create_directory(path);
  std::filesystem::permissions(path, std::filesystem::perms::all);
  EXPECT_FALSE(save_receipts(path, "db2", {}));
}

}  // namespace
}  // namespace ha
