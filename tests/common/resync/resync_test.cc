// SPDX-License-Identifier: MIT
// mysql_ha resync as a whole: closing a node, copying to it, and letting it follow.
#include "common/resync/resync.h"

#include <gtest/gtest.h>

#include "common/context/run_store.h"
#include "common/execute/failover.h"
#include "tests/fakes/copying.h"

namespace ha {
namespace {

class ResyncTest : public testing::TestWithParam<Flavour> {
 protected:
  ResyncTest() {
    cluster_.options.policy.repl_user = "repl";
    cluster_.options.repl_password = "replicate";
    for (FakeServer* const server : {&cluster_.source, &cluster_.target})
      server->answer("FROM performance_schema.threads WHERE", Rows{})
          .answer("SELECT STATE FROM information_schema.processlist", Rows{});
  }

  FailoverOutcome resync() {
    return run_resync(cluster_.env, cluster_.options, cluster_.resync, "db2",
                      [](const std::string&) {});
  }

  bool follows() {
    if (!cluster_.target.channel) return false;
    const Rows rows = rows_of({*cluster_.target.channel});
    const Row row(rows, 0);
    const bool mysql = GetParam() == Flavour::kMysql;
    return row.text(mysql ? "Source_Host" : "Master_Host") == "db1" &&
           row.text(mysql ? "Replica_IO_Running" : "Slave_IO_Running") == "Yes";
  }

  std::vector<ha::Run> runs() {
    const auto store = RunStore::open(cluster_.world.files, "/state", "mysql");
    const auto ids = store->ids();
    std::vector<ha::Run> all;
    for (const std::string& id : *ids) all.push_back(*store->read(id));
    return all;
  }

  Copying cluster_{GetParam(), CopyMethod::kDump};
};

TEST_P(ResyncTest, ANodeIsACopyAndFollowsThePrimary) {
  const FailoverOutcome outcome = resync();
  EXPECT_EQ(outcome.end, FailoverEnd::kDone) << outcome.text;
  EXPECT_FALSE(cluster_.target.half_copied);
  EXPECT_TRUE(cluster_.target.read_only);
  EXPECT_TRUE(follows());
  EXPECT_EQ(cluster_.target.count("INSERT INTO `a` VALUES (1),(2)"), 1);
  const auto all = runs();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].plan.command, PlanCommand::kResync);
  EXPECT_TRUE(all[0].copied_over);
  EXPECT_EQ(all[1].plan.command, PlanCommand::kRejoin);
}

TEST_P(ResyncTest, ARefusalChangesNothing) {
  const std::pair<const char*, std::function<void(Copying&)>> cases[] = {
      {"an unknown donor", [](Copying& one) { one.resync.from = "db9"; }},
      {"no account to replicate with", [](Copying& one) { one.options.policy.repl_user = ""; }},
      {"another resync",
       [](Copying& one) { one.world.files.locked.insert("/state/mysql.resync/lock"); }},
      {"another run", [](Copying& one) { one.world.files.locked.insert("/state/mysql/lock"); }},
      {"another copier",
       [](Copying& one) {
         one.target.answer("COALESCE(IS_USED_LOCK('monitoring-plugins-ha:copy')", "42");
       }},
      {"a node that does not answer",
       [](Copying& one) { one.world.connector.servers.erase("db2"); }},
      {"an account that may not",
       [](Copying& one) {
         one.target.answer("SHOW GRANTS", one_cell("GRANT SELECT ON *.* TO `m`@`%`"))
             .answer("CURRENT_USER", "m@%");
       }},
      {"no other writer", [](Copying& one) { one.source.read_only = true; }},
  };
  for (const auto& [what, spoil] : cases) {
    Copying one(GetParam(), CopyMethod::kDump);
    one.options.policy.repl_user = "repl";
    spoil(one);
    const FailoverOutcome outcome =
        run_resync(one.env, one.options, one.resync, "db2", [](const std::string&) {});
    EXPECT_EQ(outcome.end, FailoverEnd::kRefused) << what;
    EXPECT_EQ(outcome.run_id, "") << what << outcome.text;
    one.expect_untouched(what);
  }
}

TEST_P(ResyncTest, ACopyThatFailedIsRecordedAndCanBeRepeated) {
  cluster_.target.fail("INSERT INTO `a`");
  const FailoverOutcome failed = resync();
  EXPECT_EQ(failed.end, FailoverEnd::kRefused);
  EXPECT_NE(failed.run_id, "");
  EXPECT_TRUE(cluster_.target.half_copied);
  ASSERT_EQ(runs().size(), 1u);
  EXPECT_TRUE(runs()[0].copied_over);
  cluster_.target.answer("INSERT INTO `a`", Rows{});
  EXPECT_EQ(resync().end, FailoverEnd::kDone);
  EXPECT_FALSE(cluster_.target.half_copied);
  EXPECT_TRUE(follows());
}

TEST_P(ResyncTest, WhatCouldNotBeComparedIsAWarning) {
  cluster_.resync.verify = Verify::kFull;
  cluster_.target.answer("SUM(c) AS total",
                         rows_of({{{"rows_", "2"}, {"known", "1"}, {"total", "77"}}}));
  const FailoverOutcome outcome = resync();
  EXPECT_EQ(outcome.end, FailoverEnd::kWarnings) << outcome.text;
  EXPECT_TRUE(follows());
}

// One that holds no whole copy replicates nothing, and takes no writes.
TEST_P(ResyncTest, HalfACopyDoesNotRejoin) {
  for (const bool writable : {false, true}) {
    cluster_.target.half_copied = true;
    cluster_.target.read_only = !writable;
    if (writable) cluster_.target.channel.reset();
    const FailoverOutcome outcome =
        run_rejoin(cluster_.env, cluster_.options, "db2", [](const std::string&) {});
    EXPECT_EQ(outcome.end, FailoverEnd::kRefused);
    EXPECT_NE(outcome.text.find("mysql_ha resync db2"), std::string::npos) << outcome.text;
    EXPECT_EQ(outcome.run_id.empty(), !writable);
    EXPECT_TRUE(cluster_.target.read_only);
    EXPECT_EQ(cluster_.target.count("CHANGE "), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Flavours, ResyncTest, testing::Values(Flavour::kMysql, Flavour::kMariadb));

}  // namespace
}  // namespace ha
