// SPDX-License-Identifier: MIT
// How a command ends, in words: a table of plans and of ends of their runs.
#include "common/execute/outcome.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

using Lines = std::vector<std::string>;

Plan plan(const std::string& command) {
  return {.command = *parse_command(command), .primary = "db1", .candidate = "db2"};
}

struct Case {
  const char* what;
  const char* command;
  RunOutcome run;
  FailoverEnd end;
  const char* text;
};

const RunFacts kOpened = {.opened = true};

const Case kCases[] = {
    {"a failover",
     "failover",
     {RunEnd::kDone},
     FailoverEnd::kDone,
     "failover done: db2 replaces db1"},
    {"a switchover",
     "switchover",
     {RunEnd::kDone},
     FailoverEnd::kDone,
     "switchover done: db2 replaces db1"},
    {"a return", "rejoin", {RunEnd::kDone}, FailoverEnd::kDone, "rejoin done: db2 follows db1"},
    {"a former primary was closed",
     "close",
     {RunEnd::kDone},
     FailoverEnd::kDone,
     "close done: db1 is read-only now, db2 stays the primary"},
    {"a restarted primary was opened",
     "reopen",
     {RunEnd::kDone},
     FailoverEnd::kDone,
     "reopen done: db1 was restarted read-only and accepts writes again"},
    {"a step failed after the opening",
     "failover",
     {RunEnd::kWarnings, "", {"repoint db3: no answer"}},
     FailoverEnd::kWarnings,
     "failover done: db2 replaces db1"},
    {"rolled back",
     "failover",
     {RunEnd::kUndone, "it was late"},
     FailoverEnd::kRefused,
     "failover ended, everything is as it was: it was late"},
    {"rolled back but for the fence",
     "failover",
     {RunEnd::kUndone, "it was late", {}, {}, {"db1 is fenced", "db3 is stopped"}},
     FailoverEnd::kRefused,
     "failover ended and is rolled back, but db1 is fenced, db3 is stopped: it was late"},
    {"a return that was rolled back",
     "rejoin",
     {RunEnd::kUndone, "no answer", {}, {}, {"db2 is closed"}},
     FailoverEnd::kRefused,
     "rejoin ended, db2 stays read-only: no answer"},
    {"a resync that was rolled back",
     "resync",
     {RunEnd::kUndone, "no answer"},
     FailoverEnd::kRefused,
     "resync ended, db2 stays read-only: no answer"},
    {"a closing that was rolled back",
     "close",
     {RunEnd::kUndone, "no answer"},
     FailoverEnd::kRefused,
     "close ended, db1 may still accept writes: no answer"},
    {"a reopening that was rolled back",
     "reopen",
     {RunEnd::kUndone, "no answer"},
     FailoverEnd::kRefused,
     "reopen ended, db1 stays read-only: no answer"},
    {"it could not be rolled back",
     "failover",
     {RunEnd::kFailed, "no answer", {}, {}, {"db1 is read-only"}},
     FailoverEnd::kRefused,
     "failover ended, no node was opened, but db1 is read-only: no answer"},
    {"it could not be rolled back, with no trace",
     "failover",
     {RunEnd::kFailed, "no answer"},
     FailoverEnd::kRefused,
     "failover ended, no node was opened: no answer"},
    {"interrupted before the opening",
     "failover",
     {RunEnd::kUnfinished, "asked to stop"},
     FailoverEnd::kRefused,
     "failover interrupted, run it again: asked to stop"},
    {"interrupted after the opening",
     "switchover",
     {RunEnd::kUnfinished, "asked to stop", {}, kOpened},
     FailoverEnd::kWarnings,
     "db2 replaces db1 and is open for writes, but not all is done; switchover interrupted, run it "
     "again: asked to stop"},
};

TEST(OutcomeTest, EachEndHasItsWordsAndItsExitCode) {
  for (const Case& one : kCases) {
    const RunReport report = report_run(plan(one.command), "7", one.run);
    EXPECT_EQ(report.outcome.end, one.end) << one.what;
    EXPECT_EQ(report.outcome.text, one.text) << one.what;
    EXPECT_EQ(report.outcome.run_id, "7") << one.what;
    EXPECT_EQ(report.outcome.failed, "db1") << one.what;
    EXPECT_EQ(report.outcome.successor, "db2") << one.what;
    EXPECT_EQ(report.complete, one.run.end == RunEnd::kDone || one.run.end == RunEnd::kWarnings)
        << one.what;
  }
}

TEST(OutcomeTest, OnlyARunThatIsRolledBackNamesTheNodeThatEndedIt) {
  const struct {
    RunEnd end;
    const char* stuck;
    bool named;
  } cases[] = {{RunEnd::kUndone, "db2", true},
               {RunEnd::kUndone, "", false},
               {RunEnd::kFailed, "db2", false},
               {RunEnd::kDone, "db2", false},
               {RunEnd::kUnfinished, "db2", false}};
  for (const auto& one : cases) {
    const RunReport report =
        report_run(plan("failover"), "7", {one.end, "duplicate key", {}, {}, {}, one.stuck});
    ASSERT_EQ(report.stuck.has_value(), one.named) << run_end_name(one.end);
    if (one.named) {
      EXPECT_EQ(*report.stuck, (Rejection{"db2", "duplicate key"}));
    }
  }
}

TEST(OutcomeTest, OnlyARunThatIsRolledBackIsContradicted) {
  RunOutcome run{RunEnd::kUndone, "db3 answers again"};
  EXPECT_FALSE(report_run(plan("failover"), "7", run).contradicted);
  run.contradicted = true;
  EXPECT_TRUE(report_run(plan("failover"), "7", run).contradicted);
  run.end = RunEnd::kFailed;
  EXPECT_FALSE(report_run(plan("failover"), "7", run).contradicted);
}

TEST(OutcomeTest, AReopeningSaysWhatHadClosedThePrimary) {
  Plan reopen = plan("reopen");
  EXPECT_EQ(describe_cause(reopen), "db1 was restarted and is read-only");
  EXPECT_EQ(report_run(reopen, "7", {RunEnd::kDone}).outcome.text,
            "reopen done: db1 was restarted read-only and accepts writes again");
  reopen.closed_by_guard = true;
  EXPECT_EQ(describe_cause(reopen),
            "db1 was closed by its guard, and no other node has replaced it");
  EXPECT_EQ(report_run(reopen, "7", {RunEnd::kDone}).outcome.text,
            "reopen done: db1 was closed by its guard and accepts writes again");
}

TEST(OutcomeTest, AFailoverThatHasPromotedReportsItsLoss) {
  Plan failover = plan("failover");
  failover.loss.text = "12 transactions";
  const Lines loss = {"loss: " + render(failover.loss)};
  EXPECT_EQ(report_run(failover, "7", {RunEnd::kDone}).outcome.details, loss);
  EXPECT_EQ(report_run(failover, "7", {RunEnd::kUndone}).outcome.details, Lines{});
  EXPECT_EQ(report_run(plan("switchover"), "7", {RunEnd::kDone}).outcome.details, Lines{});
  const RunOutcome rescued{RunEnd::kDone, "", {}, {.rescued = 3}};
  EXPECT_EQ(report_run(failover, "7", rescued).outcome.details,
            Lines{"loss: none, 3 transactions were rescued from db1's disk"});
}

TEST(OutcomeTest, TheWarningsOfAPlanCountOnlyWhereItHasAchievedItsAim) {
  Plan switchover = plan("switchover");
  switchover.warnings = {"db3 needs a resync"};
  const RunOutcome ended{RunEnd::kUndone, "it was late", {"undo 2: no answer"}};
  EXPECT_EQ(report_run(switchover, "7", ended).outcome.details,
            Lines{"warning: undo 2: no answer"});
  const FailoverOutcome done = report_run(switchover, "7", {RunEnd::kDone}).outcome;
  EXPECT_EQ(done.end, FailoverEnd::kWarnings);
  EXPECT_EQ(done.details, Lines{"warning: db3 needs a resync"});
}

TEST(OutcomeTest, ARefusedPlanNamesItsRejectedCandidates) {
  Plan refused = plan("failover");
  refused.rejected = {{"db2", "it is broken"}};
  const FailoverOutcome outcome = refuse_plan(refused, "asked to stop");
  EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
  EXPECT_EQ(outcome.text, "failover refused: asked to stop");
  EXPECT_EQ(outcome.details, Lines{"not db2: it is broken"});
  EXPECT_EQ(outcome.failed, "db1");
  EXPECT_EQ(outcome.run_id, "");
}

TEST(OutcomeTest, ARefusalEndsWithWhatToTypeUnlessItNamesACommand) {
  Plan refused = plan("failover");
  refused.refusal = Refusal::kTooSoon;
  EXPECT_EQ(refuse_plan(refused, "too soon").text,
            "failover refused: too soon; " + next_command(refused));
  EXPECT_EQ(refuse_plan(refused, "run: mysql_ha journal ack 7").text,
            "failover refused: run: mysql_ha journal ack 7");
}

}  // namespace
}  // namespace ha
