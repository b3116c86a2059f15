// SPDX-License-Identifier: MIT
#include "common/failover/mha_scripts.h"

#include <gtest/gtest.h>

#include "common/failover/plan.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

MhaScripts scripts() {
  MhaScripts mha;
  mha.address = {"ip_failover"};
  mha.planned_address = {"ip_change"};
  mha.shutdown = {"power", "-v"};
  mha.secondary_check = {"check", "-s", "h"};
  mha.report = {"report"};
  mha.servers["db1"] = {"192.0.2.1", "ha", "", 24, "/run/my.pid"};
  mha.servers["db2"].ssh_host = "back2";
  mha.conf = "/etc/mha/app1.cnf";
  mha.user = "mha";
  return mha;
}

Policy with_scripts() {
  Policy policy;
  policy.mha = scripts();
  policy.repl_user = "repl";
  return policy;
}

Topology pair(Node first) {
  Node second = replica(2, 1);
  if (!first.facts) io_connecting(second);
  return linked({std::move(first), std::move(second)});
}

// The scripts that a plan calls, and what is opened, in this order.
std::string calls_of(const Plan& plan) {
  std::vector<std::string> calls;
  for (const Step& step : plan.steps) {
    if (step.action == Action::kMakeWritable) calls.emplace_back("open");
    if (step.by_mha) calls.push_back(step.argv[0]);
  }
  return join(calls, " ");
}

TEST(MhaScriptsTest, TheWordsAreThoseOfMha) {
  const MhaScripts mha = scripts();
  const Node db1 = writer(1), db2 = replica(2, 1);
  EXPECT_EQ(join(mha_stop_address(mha, db1), " "),
            "ip_failover --orig_master_host=db1 --orig_master_ip=192.0.2.1 --orig_master_port=3306 "
            "{stop, or stopssh of ha@db1:24} --orig_master_ssh_port=24");
  EXPECT_EQ(join(mha_shut_down(mha, db1), " "),
            "power -v {stop, or stopssh of ha@db1:24} --host=db1 --ip=192.0.2.1 --port=3306 "
            "--pid_file=/run/my.pid --ssh_port=24");
  EXPECT_EQ(join(mha_start_address(mha, db1, db2), " "),
            "ip_failover --command=start --ssh_user=root --orig_master_host=db1 "
            "--orig_master_ip=192.0.2.1 --orig_master_port=3306 --new_master_host=db2 "
            "--new_master_ip={ip of db2} --new_master_port=3306 --new_master_user=mha "
            "--orig_master_ssh_port=24 --new_master_ssh_host=back2 "
            "--new_master_ssh_ip={ip of back2} --new_master_password={password}");
  EXPECT_EQ(join(mha_change_address(mha, "stop", db1, db2), " "),
            "ip_change --command=stop --orig_master_host=db1 --orig_master_ip=192.0.2.1 "
            "--orig_master_port=3306 --orig_master_user=mha --new_master_host=db2 "
            "--new_master_ip={ip of db2} --new_master_port=3306 --new_master_user=mha "
            "--orig_master_ssh_user=ha --new_master_ssh_user=root --orig_master_ssh_port=24 "
            "--new_master_ssh_host=back2 --new_master_ssh_ip={ip of back2} "
            "--orig_master_is_new_slave --orig_master_password={password} "
            "--new_master_password={password}");
  EXPECT_EQ(join(mha_secondary_check(mha, db1), " "),
            "check -s h --user=ha --master_host=db1 --master_ip=192.0.2.1 --master_port=3306 "
            "--master_user=mha --master_password={password} --ping_type=SELECT");
  EXPECT_EQ(join(mha_report(mha, db1, db2, {"db3", "db4"}), "|"),
            "report|--orig_master_host=db1|--new_master_host=db2|--new_slave_hosts=db3,db4|"
            "--conf=/etc/mha/app1.cnf|--subject=app1: MySQL Master failover db1(192.0.2.1:3306) to "
            "db2({ip of db2}:3306) succeeded|--body=Master db1(192.0.2.1:3306) is down!\n\n"
            "db2({ip of db2}:3306) is the new master.\n");
  EXPECT_EQ(join(mha_report_failure(mha, db1, "no vote"), "|"),
            "report|--orig_master_host=db1|--conf=/etc/mha/app1.cnf|--subject=app1: MySQL Master "
            "failover db1(192.0.2.1:3306)|--body=Master db1(192.0.2.1:3306) is down!\n\nno vote\n");
  EXPECT_EQ(join(mha_shutdown_status(mha, db1), " "),
            "power -v --command=status --ssh_user=ha --host=db1 --ip=192.0.2.1 --ssh_port=24");
}

TEST(MhaScriptsTest, AFailoverCallsThemWhereMhaDoes) {
  const Plan plan = plan_failover(pair(lost(1)), with_scripts(), {}, "db1");
  ASSERT_TRUE(plan.possible()) << plan.reason;
  EXPECT_EQ(calls_of(plan), "check ip_failover power ip_failover open report");
  EXPECT_EQ(plan.evidence, Evidence::kFenceCommand);
}

TEST(MhaScriptsTest, WithoutAFenceTheAddressStillMoves) {
  Policy policy = with_scripts();
  policy.fence = Fence::kNone;
  const Plan plan = plan_failover(pair(lost(1)), policy, {}, "db1");
  ASSERT_TRUE(plan.possible()) << plan.reason;
  EXPECT_EQ(calls_of(plan), "check ip_failover ip_failover open report");
}

TEST(MhaScriptsTest, ASwitchoverCallsTheOtherOne) {
  const Plan plan = plan_switchover(pair(writer(1)), with_scripts(), {}, "");
  ASSERT_TRUE(plan.possible()) << plan.reason;
  EXPECT_EQ(calls_of(plan), "ip_change ip_change open");
}

// The script may have opened the node, so rolling it back closes it before the address goes back.
TEST(MhaScriptsTest, WhatIsRolledBackGivesTheAddressBack) {
  const Plan plan = plan_switchover(pair(writer(1)), with_scripts(), {}, "");
  std::vector<std::string> undone;
  for (const Step& step : plan.steps)
    if (step.by_mha)
      for (const Step& undo : step.undo)
        undone.push_back(undo.by_mha ? undo.argv[1] + " " + undo.argv[2]
                                     : sql_of(undo.statements)[0] + " on " + undo.node);
  EXPECT_EQ(
      join(undone, "|"),
      "--command=start --orig_master_host=db2|SET GLOBAL read_only=1, GLOBAL super_read_only=1 on "
      "db2|--command=stop --orig_master_host=db2");
}

}  // namespace
}  // namespace ha
