// SPDX-License-Identifier: MIT
#include "common/context/run_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/posix_files.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

const Moment kNow = {2000, 500, "this boot"};

class RunStoreTest : public testing::Test {
 protected:
  // Writes a run of which these steps were begun and which ended so; empty: not at all.
  void write_run(const std::string& id, const std::string& command, bool opened,
                 const std::string& outcome) {
    Plan plan{.command = *parse_command(command), .primary = "db1", .candidate = "db2"};
    plan.steps = {{1, Action::kPromote, "db2"}, {2, Action::kMakeWritable, "db2"}};
    Journal journal = std::move(*store_.journal(id));
    ASSERT_TRUE(journal.append({{"time", "1"}, {"event", "begin"}, {"plan", plan_to_json(plan)}}));
    JournalRecord opening = {{"event", "step-begins"}, {"number", "2"}};
    JournalRecord end = {{"event", "end"}, {"outcome", outcome}};
    ASSERT_TRUE(!opened || journal.append(std::move(opening)));
    ASSERT_TRUE(outcome.empty() || journal.append(std::move(end)));
  }

  void acknowledge(const std::string& id) {
    ASSERT_TRUE(store_.journal(id)->append(JournalRecord{{"event", "acknowledged"}}));
  }

  TempDirectory directory_;
  PosixFiles files_;
  RunStore store_ = std::move(*RunStore::open(files_, directory_.path("state"), "mysql"));
};

TEST_F(RunStoreTest, TheDirectoryIsPrivate) {
  struct stat info = {};
  ASSERT_EQ(stat(store_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(RunStoreTest, IdsSortByTheirNumberWhateverTheClockSays) {
  const double times_s[] = {1795595304.5, 1830155304, 1795595305, 1795595304};
  std::vector<std::string> ids;
  for (const double time_s : times_s) {
    ids.push_back(*store_.new_id(time_s));
    write_run(ids.back(), "failover", true, "done");
  }
  EXPECT_EQ(ids[0], "20261125T082824.500-1");
  EXPECT_EQ(ids[3], "20261125T082824.000-4");
  EXPECT_EQ(*store_.ids(), ids);
  EXPECT_EQ((*find_last_failover(*store_.runs()))->id, ids[3]);
}

TEST_F(RunStoreTest, IdsOfTheFirstVersionComeFirst) {
  write_run("20271231T082824.500", "failover", true, "done");
  write_run("20261125T082824.500", "failover", true, "done");
  const std::string id = *store_.new_id(1795595304.5);
  EXPECT_EQ(id, "20261125T082824.500-1");
  write_run(id, "failover", true, "done");
  EXPECT_EQ(*store_.ids(),
            (std::vector<std::string>{"20261125T082824.500", "20271231T082824.500", id}));
  EXPECT_EQ(history_of(*store_.runs(), kNow)->run, id);
}

TEST_F(RunStoreTest, NumbersAreNotReusedInADirectoryThatIsPruned) {
  for (int i = 1; i <= 12; ++i) write_run(*store_.new_id(1000), "rejoin", false, "done");
  ASSERT_TRUE(store_.prune(2, kNow));
  EXPECT_EQ(*store_.ids(),
            (std::vector<std::string>{"19700101T001640.000-11", "19700101T001640.000-12"}));
  EXPECT_EQ(*store_.new_id(1000), "19700101T001640.000-13");
}

TEST_F(RunStoreTest, ARunIsUnfinishedWhateverCameAfterIt) {
  write_run("2027-1", "failover", true, "done");
  write_run("2026-2", "failover", false, "");
  EXPECT_EQ((*find_interrupted(*store_.runs(), kNow))->id, "2026-2");
  write_run("2026-3", "rejoin", false, "done");
  EXPECT_EQ((*find_interrupted(*store_.runs(), kNow))->id, "2026-2");
  // Nobody has to finish what a later run has made anew.
  write_run("2025-4", "failover", true, "done");
  EXPECT_EQ(*find_interrupted(*store_.runs(), kNow), std::nullopt);
}

TEST_F(RunStoreTest, OfRunsWithoutANumberNoneIsKnownToBeTheLater) {
  write_run("20261125T082824.500", "failover", false, "");
  write_run("20271231T082824.500", "failover", true, "done");
  EXPECT_EQ((*find_interrupted(*store_.runs(), kNow))->id, "20261125T082824.500");
}

TEST_F(RunStoreTest, WhatCouldNotBeRolledBackIsTriedForSomeMinutes) {
  const struct {
    Moment failed;
    bool open;
    const char* why;
  } cases[] = {
      {{1900, 400, "this boot"}, true, "just now"},
      {{1900, 400, "an earlier boot"}, true, "just now, before the boot"},
      {{1900}, true, "just now, of 0.1.0"},
      {{1300, 400, "this boot"}, true, "the clock was behind and is right now"},
      {{9000, 400, "this boot"}, true, "the clock was ahead and is right now"},
      {{1300, 400, "an earlier boot"}, false, "long ago"},
      {{9000, 400, "an earlier boot"}, false, "nobody knows when"},
      {{9000}, false, "nobody knows when, of 0.1.0"},
  };
  for (const auto& c : cases) {
    write_run("1", "failover", false, "");
    JournalRecord end = make_record(c.failed, "end");
    end.emplace_back("outcome", "failed");
    // A try that came to the same begins no new patience.
    JournalRecord again = make_record({1999, 499, "this boot"}, "end");
    again.emplace_back("outcome", "failed");
    auto journal = store_.journal("1");
    ASSERT_TRUE(journal->append_all({end, make_record(kNow, "resumed"), again}));
    EXPECT_EQ(find_interrupted(*store_.runs(), kNow)->has_value(), c.open) << c.why;
    unlink((store_.path() + "/1.journal").c_str());
  }
}

TEST_F(RunStoreTest, PruningKeepsWhatALaterRunMayNeed) {
  write_run("0-1", "failover", true, "done");  // the last that replaced db1
  write_run("0-2", "switchover", true, "done");
  write_run("0-3", "failover", true, "");  // superseded, and open all the same
  write_run("0-4", "rejoin", false, "done");
  write_run("0-5", "rejoin", false, "done");
  write_run("0-6", "failover", false, "");
  write_run("0-7", "switchover", true, "done");
  write_run("0-8", "failover", true, "done");
  write_run("0-9", "rejoin", false, "done");
  write_run("0-10", "rejoin", false, "done");
  directory_.file("state/mysql/0-4.extra.sql", "");
  ASSERT_TRUE(store_.prune(1, kNow));
  EXPECT_EQ(*store_.ids(), (std::vector<std::string>{"0-3", "0-4", "0-6", "0-7", "0-8", "0-10"}));
  EXPECT_TRUE(std::filesystem::exists(store_.path() + "/0-4.extra.sql"));
}

TEST_F(RunStoreTest, ADamagedJournalIsNotPrunedAndCanBeSetAside) {
  write_run("0-1", "failover", true, "done");
  directory_.file("state/mysql/0-0.journal", "nonsense\n");
  ASSERT_TRUE(store_.prune(1, kNow));
  EXPECT_EQ(store_.ids()->size(), 2u);
  const auto damaged = store_.read("0-0");
  EXPECT_EQ(
      damaged.error().text,
      store_.path() +
          "/0-0.journal is damaged: nonsense; to set this journal aside, run: mysql_ha journal "
          "ack 0-0");
  EXPECT_EQ(*store_.set_aside("0-0"), store_.path() + "/0-0.damaged");
  EXPECT_EQ(*store_.ids(), std::vector<std::string>{"0-1"});
}

// As large as no limit of the reader may be, and then small again.
TEST_F(RunStoreTest, AJournalThatWasResumedAThousandTimesIsReadAndShortened) {
  write_run("1", "failover", true, "");
  {
    auto journal = store_.journal("1");
    std::vector<JournalRecord> records;
    for (int i = 0; i < 1000; ++i) {
      records.push_back(make_record(kNow, "resumed"));
      records.push_back({{"event", "step-failed"}, {"number", "1"}});
      records.back().emplace_back("text", std::string(2000, 'x'));
    }
    ASSERT_TRUE(journal->append_all(std::move(records)));
  }
  const std::string path = store_.path() + "/1.journal";
  ASSERT_GT(std::filesystem::file_size(path), std::size_t{1} << 20);
  ASSERT_TRUE(*find_interrupted(*store_.runs(), kNow));
  ASSERT_TRUE(store_.shorten("1"));
  EXPECT_LT(std::filesystem::file_size(path), std::size_t{1} << 13);
  const auto run = find_interrupted(*store_.runs(), kNow);
  ASSERT_TRUE(*run);
  EXPECT_TRUE((*run)->opened());
  EXPECT_NE(std::ranges::find_if(
                (*run)->timeline,
                [](const std::string& line) { return line.ends_with("resumed 999 more times"); }),
            (*run)->timeline.end());
}

TEST_F(RunStoreTest, TheNewestRunMayBeUnfinished) {
  EXPECT_EQ(*find_interrupted(*store_.runs(), kNow), std::nullopt);
  write_run("1", "failover", true, "done");
  EXPECT_EQ(*find_interrupted(*store_.runs(), kNow), std::nullopt);
  write_run("2", "failover", false, "");
  ASSERT_TRUE(*find_interrupted(*store_.runs(), kNow));
  EXPECT_EQ((*find_interrupted(*store_.runs(), kNow))->id, "2");
  acknowledge("2");
  EXPECT_EQ(*find_interrupted(*store_.runs(), kNow), std::nullopt);
}

TEST_F(RunStoreTest, ARunWithoutAPlanDidNothing) {
  write_run("1", "failover", true, "done");
  ASSERT_TRUE(store_.journal("2"));
  EXPECT_EQ(*find_interrupted(*store_.runs(), kNow), std::nullopt);
  EXPECT_EQ((*find_last_failover(*store_.runs()))->id, "1");
  EXPECT_EQ(store_.read("2")->end, RunEnd::kUndone);
}

TEST_F(RunStoreTest, OnlyFailoversThatOpenedANodeCount) {
  write_run("1", "failover", true, "done");
  write_run("2", "failover", false, "undone");
  write_run("3", "switchover", true, "done");
  ASSERT_TRUE(*find_last_failover(*store_.runs()));
  EXPECT_EQ((*find_last_failover(*store_.runs()))->id, "1");
  acknowledge("1");
  EXPECT_EQ(*find_last_failover(*store_.runs()), std::nullopt);
}

TEST_F(RunStoreTest, OneRunAtATime) {
  FakeClock clock;
  RunStore other = std::move(*RunStore::open(files_, directory_.path("state"), "mysql"));
  ASSERT_TRUE(store_.lock(clock));
  const auto second = other.lock(clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kRefused);
  RunStore elsewhere = std::move(*RunStore::open(files_, directory_.path("state"), "other"));
  EXPECT_TRUE(elsewhere.lock(clock));
}

TEST_F(RunStoreTest, AnIdThatIsAPathIsRefused) {
  EXPECT_FALSE(store_.read("../../etc/passwd"));
  EXPECT_FALSE(store_.read("1"));
}

}  // namespace
}  // namespace ha
