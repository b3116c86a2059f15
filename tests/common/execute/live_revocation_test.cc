// SPDX-License-Identifier: MIT
// Steps that leave the old primary without an acknowledgement, and what proves that it stays so.
#include <gtest/gtest.h>

#include "tests/fakes/live_stage.h"

namespace ha {
namespace {

const Step kRevoke = step_on(Action::kRevoke, "db3", {{Part::kStop, "STOP REPLICA IO_THREAD"}});

std::string text_of(const Result<StepResult>& result) {
  return result ? result->text : result.error().text;
}

// db1 is gone, and db3 says whether it acknowledges.
void say(LiveStage& stage, const char* status) {
  stage.nodes[0] = lost(1);
  stage.kill(1);
  stage.db(3).answer(
      "SHOW GLOBAL STATUS",
      rows_of({{{"Variable_name", "Rpl_semi_sync_replica_status"}, {"Value", status}}}));
}

TEST(RevokeStepTest, StopsTheReceiverAndReadsItBack) {
  LiveStage stage;
  say(stage, "OFF");
  const auto revoked = stage.perform(kRevoke);
  ASSERT_TRUE(revoked) << text_of(revoked);
  EXPECT_EQ(text_of(revoked), "it receives and acknowledges nothing");
  EXPECT_EQ(stage.db(3).count("STOP REPLICA IO_THREAD"), 1);
  // Done twice it is no harm.
  EXPECT_TRUE(stage.perform(kRevoke));
}

TEST(RevokeStepTest, FailsWhereItIsNotProven) {
  LiveStage runs, acknowledges, unread, dead;
  say(runs, "OFF");
  runs.db(3).answer("STOP REPLICA", Rows{});
  EXPECT_EQ(text_of(runs.perform(kRevoke)), "its receiver still runs");
  say(acknowledges, "ON");
  EXPECT_EQ(text_of(acknowledges.perform(kRevoke)),
            "its receiver has stopped, and it still acknowledges as a semi-sync replica");
  say(unread, "OFF");
  unread.db(3).fail("SHOW GLOBAL STATUS");
  EXPECT_FALSE(unread.perform(kRevoke));
  EXPECT_EQ(unread.db(3).count("STOP"), 0);
  dead.kill(3);
  EXPECT_FALSE(dead.perform(kRevoke));
}

TEST(RevokeStepTest, OneThatFollowsTheNewPrimaryGoesOn) {
  LiveStage stage;
  say(stage, "ON");
  stage.set(3, "Source_Host", "db2");
  stage.set(3, "Source_UUID", uuid_of(2));
  stage.set(3, "Source_Server_Id", "2");
  EXPECT_EQ(text_of(stage.perform(kRevoke)), "it no longer follows db1");
  EXPECT_EQ(stage.db(3).count("STOP"), 0);
}

TEST(RevokeStepTest, IsProvenAgainBeforeTheOpening) {
  LiveStage stage;
  say(stage, "OFF");
  stage.plan.steps = {kRevoke};
  ASSERT_TRUE(stage.perform(kRevoke));
  const Step recheck = step_on(Action::kRecheck, "db1");
  const auto stopped = stage.perform(recheck);
  EXPECT_TRUE(stopped) << text_of(stopped);
  stage.set(3, "Replica_IO_Running", "Connecting");
  EXPECT_EQ(text_of(stage.perform(recheck)),
            "db3 receives from db1 again: another client has started its receiver");
}

// MariaDB would throw away what it has received, which the old primary alone may have.
TEST(RestoreStepTest, AReceiverIsNotStartedWhereThatLosesWhatItHas) {
  const Step restore = step_on(Action::kRestore, "db3", {{Part::kStart, "START SLAVE IO_THREAD"}});
  for (const char* const applier : {"No", "Yes"}) {
    LiveStage stage(Flavour::kMariadb);
    stage.db(3).gtids = "0-1-90";
    stage.set(3, "Using_Gtid", "Slave_Pos");
    stage.set(3, "Gtid_IO_Pos", "0-1-100");
    stage.set(3, "Slave_IO_Running", "No");
    stage.set(3, "Slave_SQL_Running", applier);
    stage.facts(3).history = MariadbHistory{3, *MariadbGtids::parse("0-1-90")};
    const auto restored = stage.perform(restore);
    const bool runs = std::string_view(applier) == "Yes";
    EXPECT_EQ(bool(restored), runs) << text_of(restored);
    EXPECT_EQ(stage.db(3).count("START SLAVE"), runs ? 1 : 0);
  }
}

}  // namespace
}  // namespace ha
