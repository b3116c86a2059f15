// SPDX-License-Identifier: MIT
#include "common/context/preconditions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/context/observation.h"
#include "common/context/run_store.h"
#include "common/files.h"
#include "common/posix_files.h"
#include "common/posix_process.h"
#include "common/process.h"
#include "tests/fakes/temp_directory.h"

namespace ha {
namespace {

constexpr double kNow_s = 1000000;
const Moment kNow = {kNow_s};

class PreconditionsTest : public testing::Test {
 protected:
  PreconditionsTest() { options_.state_dir = directory_.path("state"); }

  // A failover that began at `begun_s`, and how it went.
  std::string add_run(double begun_s, std::vector<JournalRecord> more) {
    auto store = RunStore::open(files_, options_.state_dir, options_.cluster_name);
    const std::string id = *store->new_id(begun_s);
    Plan plan{.primary = "db1", .candidate = "db2"};
    plan.steps.push_back({1, Action::kMakeWritable, "db2"});
    std::vector<JournalRecord> records = {
        {{"time", std::to_string(begun_s)}, {"event", "begin"}, {"plan", plan_to_json(plan)}},
        {{"event", "step-begins"}, {"number", "1"}}};
    records.insert(records.end(), more.begin(), more.end());
    EXPECT_TRUE(store->journal(id)->append_all(records));
    return id;
  }

  TempDirectory directory_;
  PosixFiles files_;
  SystemClock clock_;
  FailoverOptions options_;
};

const JournalRecord kEnd = {{"event", "end"}, {"outcome", "done"}};
const JournalRecord kAcknowledged = {{"event", "acknowledged"}};

TEST_F(PreconditionsTest, ADirectoryThatCanBeCreatedIsNotCreated) {
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).trouble, "");
  EXPECT_TRUE(probe_state_directory(files_, options_, kNow)
                  .absence.ends_with("run as root: install -d -o " + user_name(geteuid()) +
                                     " -m 700 " + options_.state_dir));
  EXPECT_FALSE(std::filesystem::exists(options_.state_dir));
  ASSERT_TRUE(make_private_directory(options_.state_dir));
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).trouble, "");
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).absence, "");
  EXPECT_TRUE(std::filesystem::is_empty(options_.state_dir));
}

TEST_F(PreconditionsTest, ADirectoryThatCannotBeUsedIsTrouble) {
  options_.state_dir = "/nonexistent/state";
  EXPECT_EQ(
      probe_state_directory(files_, options_, kNow).trouble,
      "/nonexistent/state does not exist and cannot be created: No such file or directory; run "
      "as root: install -d -o " +
          user_name(geteuid()) + " -m 700 /nonexistent/state");
  options_.state_dir = directory_.file("file", "");
  EXPECT_NE(probe_state_directory(files_, options_, kNow).trouble, "");
  options_.state_dir = directory_.path("open");
  std::filesystem::create_directories(options_.state_dir + "/mysql");
  chmod(options_.state_dir.c_str(), 0777);
  EXPECT_NE(probe_state_directory(files_, options_, kNow).trouble.find("other users may write to"),
            std::string::npos);
}

TEST_F(PreconditionsTest, NothingIsLeftInIt) {
  ASSERT_TRUE(RunStore::open(files_, options_.state_dir, options_.cluster_name));
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).trouble, "");
  EXPECT_TRUE(std::filesystem::is_empty(options_.state_dir + "/mysql"));
}

TEST_F(PreconditionsTest, TheJournalsTellOfTheLastFailover) {
  EXPECT_FALSE(probe_state_directory(files_, options_, kNow).runs.last_failover_age_s);
  add_run(kNow_s - 7200, {kEnd});
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).runs.last_failover_age_s, 7200);
  add_run(kNow_s - 60, {kEnd, kAcknowledged});
  EXPECT_FALSE(probe_state_directory(files_, options_, kNow).runs.last_failover_age_s);
  EXPECT_FALSE(probe_state_directory(files_, options_, kNow).interrupted);
}

TEST_F(PreconditionsTest, ARunThatDidNotEndIsNamed) {
  const std::string id = add_run(kNow_s - 60, {});
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).interrupted->id, id);
  add_run(kNow_s, {kAcknowledged});
  // A later one has opened a new primary.
  EXPECT_FALSE(probe_state_directory(files_, options_, kNow).interrupted);
}

TEST_F(PreconditionsTest, AFailoverOfTheFutureHasNoAge) {
  const std::string id = add_run(kNow_s + 400 * 86400, {kEnd});
  const StateDirectory state = probe_state_directory(files_, options_, kNow);
  EXPECT_FALSE(state.runs.last_failover_age_s);
  EXPECT_EQ(state.runs.undated_run, id);
}

TEST_F(PreconditionsTest, ADamagedJournalIsTrouble) {
  add_run(kNow_s - 60, {});
  directory_.file("state/mysql/9-9.journal", "nonsense\n");
  EXPECT_NE(probe_state_directory(files_, options_, kNow).trouble.find("9-9.journal is damaged"),
            std::string::npos);
}

TEST_F(PreconditionsTest, AHeldLockIsSeenAndNotDisturbed) {
  auto store = RunStore::open(files_, options_.state_dir, options_.cluster_name);
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).lock_holder, "");
  {
    auto run = RunStore::open(files_, options_.state_dir, options_.cluster_name);
    ASSERT_TRUE(run->lock(clock_));
    EXPECT_EQ(probe_state_directory(files_, options_, kNow).lock_holder,
              "process " + std::to_string(getpid()) + " of this host");
    EXPECT_EQ(store->lock(clock_).error().code, Errc::kRefused);
  }
  EXPECT_EQ(probe_state_directory(files_, options_, kNow).lock_holder, "");
  EXPECT_TRUE(store->lock(clock_));
}

TEST_F(PreconditionsTest, ARunAtWorkIsNotInterrupted) {
  add_run(kNow_s, {});
  auto run = RunStore::open(files_, options_.state_dir, options_.cluster_name);
  ASSERT_TRUE(run->lock(clock_));
  EXPECT_FALSE(probe_state_directory(files_, options_, kNow).interrupted);
}

// An acknowledgement does not make it younger: what was seen since the fence counts.
TEST_F(PreconditionsTest, AFenceIsAsOldAsItsRun) {
  add_run(kNow_s - 900, {{{"event", "step-done"}, {"number", "1"}, {"fenced", "off"}},
                         kEnd,
                         {{"time", std::to_string(kNow_s)}, {"event", "acknowledged"}}});
  const auto store = RunStore::open(files_, options_.state_dir, options_.cluster_name);
  Context moment;
  ASSERT_TRUE(add_history(*store, options_.cluster.nodes, kNow, moment));
  EXPECT_EQ(moment.runs.fenced, (std::map<std::string, double>{{"db1", kNow_s - 900}}));
}

TEST_F(PreconditionsTest, MissingProgramsAreNamed) {
  Policy& policy = options_.policy;
  policy.fence_command = {"/nonexistent/fence", "db1"};
  policy.rescue_command = {"true"};
  policy.pre_failover = {{"no-such-program-at-all"}};
  policy.post_failover = {{"/bin/true"}, {directory_.file("script", "")}};
  PosixProcess process;
  const Troubles missing = find_missing_programs(process, options_);
  EXPECT_EQ(missing.size(), 3u);
  EXPECT_EQ(missing.at("/nonexistent/fence"),
            "cannot run /nonexistent/fence: No such file or directory");
  EXPECT_EQ(missing.at("no-such-program-at-all"),
            "cannot run no-such-program-at-all: No such file or directory");
  EXPECT_TRUE(missing.contains(directory_.path("script")));
}

TEST_F(PreconditionsTest, FilesThatCannotBeWrittenAreNamed) {
  options_.policy.hosts_file = "/nonexistent/hosts.conf";
  options_.policy.flag_file = directory_.path("flag");
  const Troubles unwritable = find_unwritable_files(files_, options_.policy);
  EXPECT_EQ(unwritable, (Troubles{{"/nonexistent/hosts.conf",
                                   "cannot write /nonexistent/hosts.conf: No such file or "
                                   "directory"}}));
}

}  // namespace
}  // namespace ha
