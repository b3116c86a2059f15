// SPDX-License-Identifier: MIT
#include "common/failover/run_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

class RunStoreTest : public testing::Test {
 protected:
  // Writes a run of which these steps were begun and which ended so; empty: not at all.
  void write_run(const std::string& id, const std::string& command, bool opened,
                 const std::string& outcome) {
    Plan plan{.command = command, .primary = "db1", .candidate = "db2"};
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
  RunStore store_ = std::move(*RunStore::open(directory_.path("state"), "mysql"));
};

TEST_F(RunStoreTest, TheDirectoryIsPrivate) {
  struct stat info = {};
  ASSERT_EQ(stat(store_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(RunStoreTest, IdsSortByTime) {
  EXPECT_EQ(store_.new_id(1795595304.5), "20261125T082824.500");
  EXPECT_LT(store_.new_id(1795595304.5), store_.new_id(1795595304.502));
  EXPECT_LT(store_.new_id(1795595304.999), store_.new_id(1795595305));
}

TEST_F(RunStoreTest, TheNewestRunMayBeUnfinished) {
  EXPECT_EQ(*store_.unfinished(), std::nullopt);
  write_run("1", "failover", true, "done");
  EXPECT_EQ(*store_.unfinished(), std::nullopt);
  write_run("2", "failover", false, "");
  ASSERT_TRUE(*store_.unfinished());
  EXPECT_EQ((*store_.unfinished())->id, "2");
  acknowledge("2");
  EXPECT_EQ(*store_.unfinished(), std::nullopt);
}

TEST_F(RunStoreTest, ARunWithoutAPlanDidNothing) {
  write_run("1", "failover", true, "done");
  ASSERT_TRUE(store_.journal("2"));
  EXPECT_EQ(*store_.unfinished(), std::nullopt);
  EXPECT_EQ((*store_.last_failover())->id, "1");
  EXPECT_EQ(store_.read("2")->end, RunEnd::kUndone);
}

TEST_F(RunStoreTest, OnlyFailoversThatOpenedANodeCount) {
  write_run("1", "failover", true, "done");
  write_run("2", "failover", false, "undone");
  write_run("3", "switchover", true, "done");
  ASSERT_TRUE(*store_.last_failover());
  EXPECT_EQ((*store_.last_failover())->id, "1");
  acknowledge("1");
  EXPECT_EQ(*store_.last_failover(), std::nullopt);
}

TEST_F(RunStoreTest, OneRunAtATime) {
  RunStore other = std::move(*RunStore::open(directory_.path("state"), "mysql"));
  ASSERT_TRUE(store_.lock());
  const auto second = other.lock();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kRefused);
  RunStore elsewhere = std::move(*RunStore::open(directory_.path("state"), "other"));
  EXPECT_TRUE(elsewhere.lock());
}

TEST_F(RunStoreTest, AnIdThatIsAPathIsRefused) {
  EXPECT_FALSE(store_.read("../../etc/passwd"));
  EXPECT_FALSE(store_.read("1"));
}

}  // namespace
}  // namespace ha
