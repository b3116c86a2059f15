// SPDX-License-Identifier: MIT
// The steps that take the lease of a new primary and hand it over, and what the votes for a change
// are needed for, on three servers that vote.
#include <gtest/gtest.h>

#include "common/failover/lease_steps.h"
#include "tests/fakes/live_stage.h"

namespace ha {
namespace {

// A work beside the caller's is never begun: votes are certain for some seconds without it.
class IdleWorkers : public InlineWorkers {
 public:
  Result<std::unique_ptr<Job>> start(std::function<void()>) override {
    return std::unique_ptr<Job>(nullptr);
  }
};

class LiveLeaseTest : public testing::Test {
 protected:
  LiveLeaseTest() {
    stage_.options.lease.lease_s = 5;
    for (int i = 1; i <= 3; ++i) {
      const std::string name = "db" + std::to_string(i);
      stage_.options.cluster.nodes.push_back({name, name, 3306});
      stage_.db(i).id = i;
      stage_.db(i)
          .answer("'Uptime'", Rows{{"Variable_name", "Value"}, {{"Uptime", "5000"}}})
          .answer("GET_LOCK(", "1")
          .answer("RELEASE_LOCK(", "1")
          .answer("IS_USED_LOCK(", "")
          .answer("DO 0", Rows{});
    }
    stage_.plan.steps = {take_lease("db2")};
    stage_.plan.steps[0].number = 1;
  }

  Result<StepResult> perform(const Step& step, const Context& context = {},
                             const RunFacts& known = {}) {
    LiveActions actions(env_, stage_.options, {linked(stage_.nodes), {}, context}, stage_.plan,
                        "run1", "/state/mysql", std::nullopt, slot_);
    return actions.perform(step, known, Deadline::after(stage_.world.clock, 60));
  }

  const Step& take() const { return stage_.plan.steps[0]; }

  LiveStage stage_;
  IdleWorkers workers_;
  Env env_{stage_.world.clock, stage_.world.connector, stage_.world.programs,
           stage_.world.files, stage_.world.network,   workers_};
  std::shared_ptr<LeaseSlot> slot_ = std::make_shared<LeaseSlot>();
};

TEST_F(LiveLeaseTest, ItIsTakenAndGivenBack) {
  const auto taken = perform(take());
  ASSERT_TRUE(taken) << taken.error().text;
  EXPECT_EQ(taken->text, "it was free");
  ASSERT_TRUE(slot_->votes);
  EXPECT_TRUE(perform(take().undo[0]));
  EXPECT_FALSE(slot_->votes);
  EXPECT_GE(stage_.db(2).count("RELEASE_LOCK('monitoring-plugins-ha:mysql:primary')"), 1);
}

TEST_F(LiveLeaseTest, AGuardWhoseServerTakesNoWritesKeepsNobodyWaiting) {
  Context expired;
  expired.primary_lease_expired = "the guard of db1 was not heard for 5s and has lost 2 of 3 votes";
  RunFacts closed;
  closed.closed = true;
  for (int i = 1; i <= 3; ++i) stage_.db(i).answer("IS_USED_LOCK(", "42");
  const auto taken = perform(take(), expired);
  ASSERT_TRUE(taken) << taken.error().text;
  EXPECT_EQ(taken->text, *expired.primary_lease_expired);
  EXPECT_TRUE(perform(take(), {}, closed));
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(stage_.db(i).count("KILL CONNECTION 42"), 2);
  // A node that is cut off has no answer now either, and all would wait for it.
  stage_.nodes[0].facts.reset();
  stage_.nodes[0].reach = Reach::kUnreachable;
  EXPECT_TRUE(perform(take(), expired));
  for (int i = 1; i <= 3; ++i)
    EXPECT_EQ(stage_.db(i).count("KILL CONNECTION 42"), i == 1 ? 2 : 3) << i;
}

TEST_F(LiveLeaseTest, WhileTheGuardMayStillCountOnItNothingIsOpened) {
  RunFacts fenced;
  fenced.fenced = true;
  struct {
    const char* name;
    double left_s;  // of the lease
    bool refused;   // nothing listens where the old primary did
    Evidence evidence;
    RunFacts known;
    double waited_s;
    std::string error;
  } const cases[] = {
      {"a moment is left", 2, false, Evidence::kNone, {}, 2, ""},
      {"it has ended", -1, false, Evidence::kNone, {}, 0, ""},
      {"the process of the old primary has ended", 2, true, Evidence::kNone, {}, 0, ""},
      {"nothing can be acknowledged there", 2, false, Evidence::kRevocation, {}, 0, ""},
      {"it was fenced", 2, false, Evidence::kFenceCommand, fenced, 0, ""},
      {"the run has no time for it",
       61,
       false,
       Evidence::kNone,
       {},
       0,
       "the guard of db1 may count on its lease for another 61s; give a longer --deadline"},
  };
  for (const auto& c : cases) {
    const double begin_s = stage_.world.clock.time_s;
    Context context;
    context.primary_lease_until_s = begin_s + c.left_s;
    stage_.nodes[0].refused = c.refused;
    stage_.plan.evidence = c.evidence;
    const auto taken = perform(take(), context, c.known);
    EXPECT_EQ(taken ? "" : taken.error().text, c.error) << c.name;
    EXPECT_EQ(stage_.world.clock.time_s - begin_s, c.waited_s) << c.name;
  }
}

TEST_F(LiveLeaseTest, AnotherHolderRefusesIt) {
  for (int i = 1; i <= 2; ++i)
    stage_.db(i)
        .answer("GET_LOCK('monitoring-plugins-ha:mysql:primary'", "0")
        .answer("COALESCE(IS_USED_LOCK(", "7")
        .answer("SELECT HOST", "192.0.2.8:50001");
  EXPECT_EQ(
      perform(take()).error().text,
      "the lease of db2 needs the votes of 2 of 3 servers, and this manager can have 1: db1: "
      "another manager has its vote (connection 7 from 192.0.2.8:50001); db2: another manager "
      "has its vote (connection 7 from 192.0.2.8:50001)");
}

TEST_F(LiveLeaseTest, ANodeIsOpenedOnlyWithTheLease) {
  for (int i = 1; i <= 3; ++i) stage_.db(i).answer("IS_USED_LOCK(", "1");
  stage_.plan.command = PlanCommand::kSwitchover;
  const Step recheck = step_on(Action::kRecheck, "db2");
  EXPECT_EQ(perform(recheck).error().text, "the lease of the primary is not ours");
  ASSERT_TRUE(perform(take()));
  EXPECT_TRUE(perform(recheck));
  stage_.world.clock.time_s += 4;
  EXPECT_FALSE(perform(recheck));
}

// The first statement of each step is sent into a cut, and answered when the votes are lost.
TEST_F(LiveLeaseTest, VotesThatAreLostInAStepOpenNothing) {
  const Statement late = {Part::kUnlock, "UNLOCK TABLES"}, open = {Part::kOpen, "SET read_only=0"},
                  point = {Part::kPoint, "CHANGE SOURCE"}, start = {Part::kStart, "START REPLICA"};
  RunFacts opened;
  opened.opened = true;
  const struct {
    const char* name;
    int number;  // of the step; 0: it rolls another one back
    Action action;
    Statement last;
    RunFacts known;
    bool runs;
  } rows[] = {
      {"a rollback opens the primary", 0, Action::kRestore, open, {}, false},
      {"a rollback lets it follow", 0, Action::kRestore, point, {}, false},
      {"a rollback starts a thread", 0, Action::kRestore, start, {}, true},
      {"the new primary is opened", 3, Action::kMakeWritable, open, {}, false},
      {"a replica is pointed to it", 3, Action::kStartApplier, point, {}, false},
      {"after the opening", 3, Action::kStartApplier, point, opened, true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    auto taken = Votes::take(env_, stage_.options, change_terms(stage_.options),
                             linked(stage_.nodes), Deadline::after(stage_.world.clock, 5));
    ASSERT_TRUE(taken);
    const std::shared_ptr<const Votes> votes = std::move(taken->votes);
    stage_.db(1).answer(late.sql, [this](const std::string&) -> Result<Rows> {
      stage_.world.clock.time_s += 10;
      return Rows{};
    });
    const long before = stage_.db(1).count(row.last.sql);
    LiveActions actions(env_, stage_.options, {linked(stage_.nodes), {}, {}}, stage_.plan, "run1",
                        "/state/mysql", votes);
    const auto done = actions.perform({row.number, row.action, "db1", {late, row.last}}, row.known,
                                      Deadline::after(stage_.world.clock, 60));
    EXPECT_EQ(stage_.db(1).count(row.last.sql) - before, row.runs ? 1 : 0);
    if (row.runs) continue;
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().text.substr(0, 42), "a change needs the votes of 2 of 3 servers");
  }
}

TEST_F(LiveLeaseTest, WithoutAGuardTheNewPrimaryHasNoLease) {
  ASSERT_TRUE(perform(take()));
  EXPECT_EQ(
      perform(hand_lease("db2")).error().text,
      "db2 has no lease: no guard is connected to most of the voters; to start its guard, run "
      "there: mysql_ha guard --node db2");
  EXPECT_FALSE(slot_->votes);
}

}  // namespace
}  // namespace ha
