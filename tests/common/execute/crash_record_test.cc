// SPDX-License-Identifier: MIT
// What the journals tell of a node that is to return: tables of journals and of binlogs.
#include "common/execute/crash_record.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ha {
namespace {

Run change(const std::string& id, const std::string& command, std::string primary,
           std::string candidate, StepState opening = StepState::kDone) {
  Run run{.id = id,
          .plan = {.command = *parse_command(command),
                   .primary = std::move(primary),
                   .candidate = std::move(candidate)}};
  run.plan.steps = {{1, Action::kMakeWritable, run.plan.candidate}};
  run.steps[1] = opening;
  return run;
}

Run resync(const std::string& id, std::string node, bool copied_over = true) {
  Run run{
      .id = id,
      .plan = {.command = PlanCommand::kResync, .primary = "db2", .candidate = std::move(node)}};
  run.copied_over = copied_over;
  return run;
}

struct Case {
  const char* what;
  std::vector<Run> runs;  // in the order in which they began
  const char* id;         // of the run that tells of db1; empty: none does
};

const Case kCases[] = {
    {"no run", {}, ""},
    {"a failover", {change("1", "failover", "db1", "db2")}, "1"},
    {"a switchover", {change("1", "switchover", "db1", "db2")}, "1"},
    {"a failover that did not get so far",
     {change("1", "failover", "db1", "db2", StepState::kOpen)},
     ""},
    {"a failover that was about to open the new primary",
     {change("1", "failover", "db1", "db2", StepState::kBegun)},
     "1"},
    {"an older one counts when the newest did not get so far",
     {change("1", "failover", "db1", "db2"),
      change("2", "switchover", "db2", "db3", StepState::kOpen)},
     "1"},
    {"another change since",
     {change("1", "failover", "db1", "db2"), change("2", "failover", "db2", "db3")},
     ""},
    {"it was replaced twice",
     {change("1", "failover", "db1", "db2"), change("2", "switchover", "db2", "db1"),
      change("3", "failover", "db1", "db3")},
     "3"},
    {"a return of another node since",
     {change("1", "failover", "db1", "db2"), change("2", "rejoin", "db2", "db3")},
     "1"},
    {"a copy since", {change("1", "failover", "db1", "db2"), resync("2", "db1")}, "2"},
    {"a copy that was not begun",
     {change("1", "failover", "db1", "db2"), resync("2", "db1", false)},
     "1"},
    {"a copy of another node", {change("1", "failover", "db1", "db2"), resync("2", "db3")}, "1"},
    {"a copy, and another change since",
     {resync("1", "db1"), change("2", "failover", "db2", "db3")},
     ""},
};

ReadRun reader_of(const std::vector<Run>& runs) {
  return [&runs](const std::string& id) -> Result<Run> {
    return *std::ranges::find(runs, id, &Run::id);
  };
}

TEST(CrashRecordTest, TheNewestRunThatReplacedTheNodeTellsOfIt) {
  for (const Case& one : kCases) {
    std::vector<std::string> ids;
    for (const auto& run : one.runs) ids.push_back(run.id);
    const auto found = find_replacement("db1", ids, reader_of(one.runs));
    ASSERT_TRUE(found) << one.what;
    EXPECT_EQ(*found ? (*found)->id : "", one.id) << one.what;
  }
}

TEST(CrashRecordTest, NoRunIsReadThatIsOlderThanTheAnswer) {
  std::vector<std::string> read;
  const auto found =
      find_replacement("db1", {"1", "2"}, [&](const std::string& id) -> Result<ha::Run> {
        read.push_back(id);
        if (id == "1") return Error{Errc::kBadData, "run 1 is damaged"};
        return change(id, "failover", "db1", "db2");
      });
  ASSERT_TRUE(found);
  EXPECT_EQ(read, std::vector<std::string>{"2"});
}

TEST(CrashRecordTest, ARunThatCannotBeReadIsNotPassedOver) {
  const auto found = find_replacement("db1", {"1"}, [](const std::string&) -> Result<ha::Run> {
    return Error{Errc::kBadData, "run 1 is damaged"};
  });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text, "run 1 is damaged");
}

// A failover by position, which knows how far db2 had the binlog of db1.
Run by_position() {
  Run run = change("1", "failover", "db1", "db2");
  run.plan.channel = "east";
  run.plan.semi_sync = true;
  run.facts.applied = {"db1-bin.000007", 700};
  run.facts.binlog = {"db2-bin.000002", 200};
  return run;
}

TEST(CrashRecordTest, ARecordHoldsThePositionsOfTheRun) {
  const CrashRecord record = record_of(by_position());
  EXPECT_EQ(record.candidate, "db2");
  EXPECT_EQ(record.channel, "east");
  EXPECT_EQ(record.applied, (BinlogPosition{"db1-bin.000007", 700}));
  EXPECT_EQ(record.binlog, (BinlogPosition{"db2-bin.000002", 200}));
  EXPECT_TRUE(record.semi_sync);
  EXPECT_FALSE(record.transactions_beyond);
}

TEST(CrashRecordTest, OfACopyOnlyHowItReplicatesIsKnown) {
  auto run = resync("1", "db1");
  run.plan.channel = "east";
  run.facts.applied = {"db1-bin.000007", 700};
  const CrashRecord record = record_of(run);
  EXPECT_EQ(record.candidate, "db2");
  EXPECT_EQ(record.channel, "east");
  EXPECT_TRUE(record.applied.file.empty());
}

TEST(CrashRecordTest, TheTailOfTheBinlogIsCountedWithoutWhatWasRescued) {
  const struct {
    const char* what;
    std::optional<std::uint64_t> rescued;  // empty: nothing was
    BinlogTail tail;
    bool lost;
    std::optional<std::uint64_t> beyond;
    const char* begin;  // the binlog of db2 where db1 is to begin
  } cases[] = {
      {"nothing beyond", {}, {false, 0}, false, 0, "db2-bin.000002"},
      {"three beyond", {}, {false, 3}, false, 3, "db2-bin.000002"},
      {"three beyond, three rescued", 3, {false, 3}, false, 0, "db2-bin.000003"},
      {"five beyond, three rescued", 3, {false, 5}, false, 2, "db2-bin.000003"},
      {"fewer than were rescued", 3, {false, 2}, false, 0, "db2-bin.000003"},
      {"the binlog is gone", {}, {false, std::nullopt}, false, std::nullopt, "db2-bin.000002"},
      {"the binlog is gone, three rescued",
       3,
       {false, std::nullopt},
       false,
       std::nullopt,
       "db2-bin.000003"},
      {"its end is lost", 3, {true, std::nullopt}, true, std::nullopt, "db2-bin.000002"},
  };
  for (const auto& one : cases) {
    auto run = by_position();
    if (one.rescued) {
      run.facts.rescued = one.rescued;
      run.facts.after_rescue = {"db2-bin.000003", 300};
    }
    const CrashRecord record = add_tail(record_of(run), run, one.tail);
    EXPECT_EQ(record.lost, one.lost) << one.what;
    EXPECT_EQ(record.transactions_beyond, one.beyond) << one.what;
    EXPECT_EQ(record.binlog.file, one.begin) << one.what;
  }
}

}  // namespace
}  // namespace ha
