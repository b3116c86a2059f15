// SPDX-License-Identifier: MIT
#include "common/execute/reporter.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_env.h"

namespace ha {
namespace {

class TellerTest : public testing::Test {
 protected:
  // What is printed for an outcome, after a line of its run.
  std::string finish(const FailoverOutcome& outcome, const NotifyOptions& options = {}) {
    testing::internal::CaptureStdout();
    Reporter reporter(cli_, clock_);
    const Log say = reporter.log();
    clock_.time_s += 1.5;
    say("lock db2");
    EXPECT_EQ(reporter.finish(options, outcome), static_cast<int>(outcome.end));
    return testing::internal::GetCapturedStdout();
  }

  FakeClock clock_;
  Cli cli_{clock_, "mysql_ha", "Manages.", Cli::Kind::kTool};
};

TEST_F(TellerTest, PrintsEachStepWithItsTimeAndTheOutcomeLast) {
  FailoverOutcome outcome{FailoverEnd::kWarnings, "failover done", {"loss: none"}, "run1"};
  EXPECT_EQ(finish(outcome), "  +1.500s  lock db2\nmysql_ha: failover done\nloss: none\n");
}

// A refusal has to say what to type.
TEST_F(TellerTest, ARefusalEndsWithACommand) {
  FailoverOutcome outcome{FailoverEnd::kRefused, "failover refused: it is alive"};
  EXPECT_NE(finish(outcome).find("run: mysql_ha status"), std::string::npos);
  outcome.run_id = "run1";
  EXPECT_NE(finish(outcome).find("run: mysql_ha journal show run1"), std::string::npos);
  outcome.text = "refused; run: mysql_ha rejoin db1";
  EXPECT_EQ(finish(outcome).find("journal show"), std::string::npos);
}

TEST_F(TellerTest, ANoticeThatCouldNotBeSentIsTold) {
  NotifyOptions options;
  options.webhooks = {"http://127.0.0.1:1/"};
  const FailoverOutcome outcome{FailoverEnd::kDone, "failover done", {}, "run1"};
  const std::string printed = finish(outcome, options);
  EXPECT_NE(printed.find("\nwebhook "), std::string::npos) << printed;
}

TEST(CompleteTextsTest, EveryTextOfAPlanIsCompleted) {
  const FakeClock clock;
  const Cli cli(clock, "mysql_ha", "Manages.", Cli::Kind::kTool);
  const std::string command = "run: mysql_ha rejoin db1";
  Plan plan;
  plan.reason = plan.roll_back_reason = command;
  plan.warnings = {command};
  plan.further = {{Refusal::kNotReady, command}};
  plan.rejected = {{"db3", command}};
  complete_texts(cli, plan);
  const std::string want = cli.complete(command);
  for (const std::string& text : {plan.reason, plan.roll_back_reason, plan.warnings[0],
                                  plan.further[0].reason, plan.rejected[0].reason})
    EXPECT_EQ(text, want);
}

}  // namespace
}  // namespace ha
