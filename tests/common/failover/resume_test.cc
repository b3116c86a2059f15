// SPDX-License-Identifier: MIT
// What becomes of a run that was interrupted: a table of runs and views.
#include "common/failover/resume.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/topology_builders.h"

namespace ha {
namespace {

using Kind = Resume::Kind;

constexpr int kPromoteStep = 3, kOpenStep = 4;

// A failover of db2 for db1, and db3 is to follow.
Plan plan() {
  Plan plan{
      .command = PlanCommand::kFailover, .primary = "db1", .candidate = "db2", .hash = "0123"};
  plan.steps = {{1, Action::kLock, "db2"},
                {2, Action::kStopReceiver, "db2"},
                {kPromoteStep, Action::kPromote, "db2"},
                {kOpenStep, Action::kMakeWritable, "db2"},
                {5, Action::kRepoint, "db3"}};
  plan.steps[1].undo = {{0, Action::kRestore, "db2"}};
  plan.steps[2].undo = {{0, Action::kRestore, "db2"}};
  return plan;
}

// A replica that gets nothing from db1 any more.
Node orphan(int number, std::string_view history = "#1:1-100") {
  Node node = replica(number, 1, history);
  node.facts->channels->front().io.state = ThreadState::kConnecting;
  return node;
}

// What is known when the next run looks.
struct World {
  Run run{.id = "7", .plan = plan()};
  std::vector<Node> nodes = {lost(1), orphan(2), orphan(3)};
  Context context = {.witnesses = Witnesses::kReached};
  std::optional<double> age_s = 60;

  Resume decide() const { return decide_resume(run, linked(nodes), {}, context, age_s); }
  void done_up_to(int number) {
    for (int i = 1; i <= number; ++i) run.steps[i] = StepState::kDone;
  }
  // db2 has no channel any more.
  void promoted() {
    done_up_to(kPromoteStep);
    nodes[1] = writer(2);
    nodes[1].facts->read_only = true;
    run.facts.binlog = nodes[1].facts->binlog = BinlogPosition{"binlog.000001", 6004};
  }
  // Its opening was sent, and the answer was lost.
  void opening() {
    promoted();
    run.steps[kOpenStep] = StepState::kBegun;
  }
  void opened() {
    promoted();
    done_up_to(kOpenStep);
    run.facts.opened = true;
    nodes[1].facts->read_only = false;
  }
};

struct Case {
  const char* what;
  std::function<void(World&)> spoil;
  Kind kind;
  const char* reason = "";  // part of it
};

const Case kCases[] = {
    {"nothing was done", [](World&) {}, Kind::kResume},
    {"it was promoted", [](World& w) { w.promoted(); }, Kind::kResume},
    {"it is open", [](World& w) { w.opened(); }, Kind::kResume},
    {"it is open, and that was long ago",
     [](World& w) {
       w.opened();
       w.age_s = 86400;
     },
     Kind::kResume},
    {"the opening was begun and not done", [](World& w) { w.opening(); }, Kind::kResume},
    {"the opening was begun, and it was written to or restarted since",
     [](World& w) {
       w.opening();
       w.nodes[1].facts->binlog = BinlogPosition{"binlog.000002", 4};
     },
     Kind::kRefuse,
     "db2 may have been open, and restarted since. Open db2 and run this again, or give up the "
     "transactions that only db2 may have with: mysql_ha journal ack 7"},
    {"the opening was begun, and the primary is back beside one that was restarted",
     [](World& w) {
       w.opening();
       w.nodes[0] = writer(1);
       w.nodes[0].facts->read_only = true;
       w.nodes[1].facts->binlog = BinlogPosition{"binlog.000002", 4};
     },
     Kind::kRefuse, "run 7 was about to open db2 for writes, and db2 is read-only now"},
    {"the opening was begun, and where its binlog ends is not known",
     [](World& w) {
       w.opening();
       w.nodes[1].facts->binlog.reset();
     },
     Kind::kRefuse, "its binlog does not end where it ended before that"},
    {"the opening was begun, and where its binlog ended was not recorded",
     [](World& w) {
       w.opening();
       w.run.facts.binlog.reset();
     },
     Kind::kRefuse, "its binlog does not end where it ended before that"},
    {"the opening was begun, and what was rescued was the last that it got",
     [](World& w) {
       w.opening();
       w.run.facts.after_rescue = w.nodes[1].facts->binlog = BinlogPosition{"binlog.000001", 7000};
     },
     Kind::kResume},
    {"it is open, and the old primary is again",
     [](World& w) {
       w.opened();
       w.nodes[0] = writer(1);
     },
     Kind::kResume},
    {"it is open, and the old primary is again and has a replica with its writes",
     [](World& w) {
       w.opened();
       w.nodes[0] = writer(1);
       w.nodes[2] = replica(3, 1, "#1:1-105");
     },
     Kind::kRefuse,
     "db1 and db2 both accept writes, and db3 has extra transactions that db2 lacks"},
    {"long ago", [](World& w) { w.age_s = 601; }, Kind::kRollBack, "it was interrupted long ago"},
    {"nobody knows when, the clock was set back", [](World& w) { w.age_s.reset(); },
     Kind::kRollBack, "it was interrupted long ago"},
    {"only the run knows what was rescued",
     [](World& w) {
       w.age_s = 601;
       w.run.plan.steps[0].action = Action::kRescue;
       w.done_up_to(1);
     },
     Kind::kResume},
    {"a planned change", [](World& w) { w.run.plan.command = PlanCommand::kSwitchover; },
     Kind::kRollBack, "it was interrupted"},
    {"it was being rolled back", [](World& w) { w.run.rolling_back = true; }, Kind::kRollBack,
     "it was being rolled back"},
    {"it could not be rolled back", [](World& w) { w.run.end = RunEnd::kFailed; }, Kind::kRollBack,
     "it was being rolled back"},
    {"the primary is back", [](World& w) { w.nodes[0] = writer(1); }, Kind::kRollBack,
     "db1 answers"},
    {"we are cut off", [](World& w) { w.context.witnesses = Witnesses::kUnreached; },
     Kind::kRollBack, "witness"},
    {"another run has let a sibling follow another node",
     [](World& w) {
       w.run.plan.command = PlanCommand::kSwitchover;
       w.nodes = {writer(1), replica(2, 1), replica(3, 4), lost(4)};
       w.context.memory.nodes["db3"].channels = {{.source = "db1"}};
     },
     Kind::kRefuse, "db4 may have been made the primary by another run"},
    {"another one was the primary before the run",
     [](World& w) { w.context.memory.primary = "db3"; }, Kind::kResume},
    {"this run has let the candidate fetch from a sibling",
     [](World& w) {
       w.run.plan.steps.push_back({6, Action::kCatchUp, "db2", {}, {}, "", "", "db3"});
       w.nodes[1] = replica(2, 3);
       w.context.memory.nodes["db2"].channels = {{.source = "db1"}};
     },
     Kind::kResume},
    {"another one was the primary when it was last seen",
     [](World& w) {
       w.run.plan.command = PlanCommand::kSwitchover;
       w.nodes = {writer(1), replica(2, 1), lost(3)};
       w.context.memory.primary = "db3";
       w.context.memory.seen_s = 1;
     },
     Kind::kRefuse, "db3 may have been made the primary by another run"},
    {"the candidate is gone", [](World& w) { w.nodes[1] = lost(2); }, Kind::kRollBack,
     "db2 does not answer"},
    {"the candidate was made a replica again", [](World& w) { w.done_up_to(kPromoteStep); },
     Kind::kRollBack, "db2 is a replica again"},
    {"a sibling has more",
     [](World& w) {
       w.promoted();
       w.nodes[2] = orphan(3, "#1:1-105");
     },
     Kind::kRollBack, "db3 has extra transactions that db2 lacks"},
    {"a sibling has more and is still to be followed",
     [](World& w) {
       w.nodes[2] = orphan(3, "#1:1-105");
       w.run.plan.steps.push_back({6, Action::kCatchUp, "db2", {}, {}, "", "", "db3"});
     },
     Kind::kResume},
    {"one that was silent when it was planned has more",
     [](World& w) {
       w.promoted();
       w.run.plan.steps.pop_back();
       w.nodes[2] = orphan(3, "#1:1-105");
     },
     Kind::kRollBack, "db3 has extra transactions that db2 lacks"},
    {"one that it leaves behind has more",
     [](World& w) {
       w.promoted();
       w.run.plan.steps.back().action = Action::kLock;
       w.nodes[2] = orphan(3, "#1:1-105");
     },
     Kind::kResume},
    {"a sibling has what it wrote itself",
     [](World& w) {
       w.promoted();
       w.nodes[2] = orphan(3, "#1:1-100,#3:1-7");
     },
     Kind::kResume},
    {"a sibling has received more, by position",
     [](World& w) {
       for (Node& node : w.nodes)
         if (!node.channels().empty()) node.facts->channels->front().uses_gtid = false;
       w.nodes[2].facts->channels->front().read = {"binlog.000002", 4};
     },
     Kind::kRollBack, "events up to binlog.000002:4"},
    {"an operator opened another node", [](World& w) { w.nodes[2].facts->read_only = false; },
     Kind::kRefuse,
     "db3 accepts writes, but run 7 (failover: promoting db2 to replace db1), which was "
     "interrupted, did not open "
     "it"},
    {"an operator opened the candidate", [](World& w) { w.nodes[1].facts->read_only = false; },
     Kind::kRefuse, "mysql_ha journal ack 7"},
    {"the opened one is gone",
     [](World& w) {
       w.opened();
       w.nodes[1] = lost(2);
     },
     Kind::kRefuse, "does not answer now"},
    {"the opened one is closed",
     [](World& w) {
       w.opened();
       w.nodes[1].facts->read_only = true;
     },
     Kind::kRefuse, "run 7 opened db2 for writes, and db2 is read-only now"},
    {"the opened one is closed and the old primary writes",
     [](World& w) {
       w.opened();
       w.nodes[1].facts->read_only = true;
       w.nodes[0] = writer(1);
     },
     Kind::kRefuse, "db1 accepts writes"},
    {"another cluster", [](World& w) { w.run.plan.primary = "db9"; }, Kind::kRefuse,
     "nodes that are not in this cluster"},
};

TEST(ResumeTest, Table) {
  for (const Case& c : kCases) {
    World world;
    c.spoil(world);
    const Resume resume = world.decide();
    EXPECT_EQ(resume.kind, c.kind) << c.what << ": " << resume.reason;
    EXPECT_NE(resume.reason.find(c.reason), std::string::npos) << c.what << ": " << resume.reason;
    EXPECT_EQ(resume.reason.empty(), c.kind == Kind::kResume) << c.what << ": " << resume.reason;
  }
}

TEST(ResumeTest, OnlyWhatIsOpenLeavesNoNewDecision) {
  World world;
  EXPECT_TRUE(world.decide().settles);
  world.opening();
  EXPECT_TRUE(world.decide().settles);
  EXPECT_TRUE(world.decide().not_opened);
  world.opened();
  EXPECT_FALSE(world.decide().settles);
  EXPECT_FALSE(world.decide().not_opened);
  world.nodes[1] = lost(2);
  EXPECT_FALSE(world.decide().settles);
}

TEST(ResumeTest, ThePlanIsWhatIsLeft) {
  World world;
  world.promoted();
  const Plan plan = plan_resume(world.run, world.decide());
  EXPECT_TRUE(render(plan).starts_with(
      "run 7 (failover: promoting db2 to replace db1) was interrupted and is "
      "resumed: 2 steps are left\n"))
      << render(plan);
  EXPECT_EQ(plan.steps.front().action, Action::kMakeWritable);
  EXPECT_TRUE(render(plan).ends_with("plan hash: 0123\n"));
}

TEST(ResumeTest, ThePlanIsWhatIsUndone) {
  World world;
  world.promoted();
  world.nodes[0] = writer(1);
  const Plan plan = plan_resume(world.run, world.decide());
  EXPECT_TRUE(plan.possible());
  EXPECT_EQ(plan.steps.size(), 2u);
  EXPECT_EQ(plan.steps[0].action, Action::kRestore);
  EXPECT_TRUE(render(plan).starts_with(
      "run 7 (failover: promoting db2 to replace db1) was interrupted and is "
      "rolled back first: db1 answers"))
      << render(plan);
  EXPECT_TRUE(render(plan).ends_with("plan hash: 0123\n"));
}

TEST(ResumeTest, ARefusalHasNoHash) {
  World world;
  world.nodes[2].facts->read_only = false;
  const Plan plan = plan_resume(world.run, world.decide());
  EXPECT_FALSE(plan.possible());
  EXPECT_TRUE(render(plan).starts_with("no failover (interrupted): db3 accepts writes"))
      << render(plan);
  EXPECT_EQ(render(plan).find("hash"), std::string::npos);
}

}  // namespace
}  // namespace ha
