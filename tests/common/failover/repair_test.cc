// SPDX-License-Identifier: MIT
#include "common/failover/repair.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

Policy with_account() {
  Policy policy;
  policy.repl_user = "repl";
  return policy;
}

void sql_broken(Node& node) {
  channel(node).sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
}
void sql_waits_for_room(Node& node) {
  channel(node).sql = {ThreadState::kStopped, 1114, "The table is full"};
}
void sql_stopped(Node& node) { channel(node).sql = {ThreadState::kStopped}; }
void binlog_gone(Node& node) { channel(node).io = {ThreadState::kStopped, 13114, "purged"}; }
void closed(Node& node) { node.facts->read_only = true; }
void receives_from_2(Node& node) { node.facts->channels->push_back(channel_from(2)); }
void receives_from_1(Node& node) { node.facts->channels->push_back(channel_from(1)); }
void stopped_from_1(Node& node) {
  receives_from_1(node);
  channel(node).io.state = channel(node).sql.state = ThreadState::kStopped;
}
void of_position(Node& node) {
  node.facts->history = {};
  for (ChannelStatus& one : *node.facts->channels) one.uses_gtid = false;
}
void unknown_role(Node& node) { node.facts->read_only.reset(); }

const WriterFacts kKeep2 = {.named = "db2"};
constexpr char kOne[] = "#1:1-100", kLoser[] = "#1:1-105", kWinner[] = "#1:1-100,#2:1-7";

RepairFacts facts_of(WriterFacts writers, std::map<std::string, ReturnFacts> nodes = {},
                     RepairScope scope = RepairScope::kAll) {
  return {std::move(writers), std::move(nodes), scope};
}

struct Case {
  const char* name;
  std::vector<Node> nodes;
  RepairFacts facts;
  // "db2 close db1; resync db1; left db3", or the refusal's name.
  const char* done;
  const char* text = "";  // stands in what is printed
};

std::vector<Case> splits() {
  return {
      {"a split that has diverged",
       {writer(1, kLoser), writer(2, kWinner)},
       facts_of(kKeep2),
       "db2 close db1; resync db1",
       "then resync db1: db1 has 5 transactions that db2 lacks"},
      {"a loser that has nothing of its own",
       {writer(1, kOne), writer(2, kWinner)},
       facts_of({}),
       "db2 close db1; rejoin db1",
       "then rejoin db1: db2 has all its transactions"},
      {"three writers",
       {writer(1, kLoser), writer(2, kWinner), writer(3, kOne)},
       facts_of(kKeep2),
       "db2 close db1 db3; resync db1; rejoin db3"},
      {"by position no record shows what the loser has",
       {with(writer(1), of_position), with(writer(2), of_position)},
       facts_of(kKeep2),
       "db2 close db1; resync db1",
       "no record shows"},
      {"nothing tells which to keep",
       {writer(1, kLoser), writer(2, kWinner)},
       facts_of({}),
       "second-writer",
       "for none: transactions: "},
      {"a third node may write unseen",
       {writer(1, kLoser), writer(2, kWinner), lost(3)},
       facts_of(kKeep2),
       "unread-node",
       "run: mysql_ha repair --assume-replica db3"},
      {"a third node does not show whether it writes",
       {writer(1, kLoser), writer(2, kWinner), with(replica(3, 2), unknown_role)},
       facts_of(kKeep2),
       "unread-node",
       "does not show"},
      {"the loser still receives from the winner",
       {with(writer(1, kLoser), receives_from_2), writer(2, kWinner)},
       facts_of({}),
       "db2 close db1; resync db1",
       "db1 receives from db2"},
      {"the loser receives from the winner and has nothing of its own",
       {with(writer(1, kOne), receives_from_2), writer(2, kWinner)},
       facts_of({}),
       "db2 close db1"},
      {"by position nothing shows whether it has something of its own",
       {with(writer(1), {receives_from_2, of_position}), with(writer(2), of_position)},
       facts_of({}),
       "db2 close db1; left db1",
       "run: mysql_ha resync db1"},
      {"a ring needs only one to be closed",
       {with(writer(1, kLoser), receives_from_2), with(writer(2, kWinner), receives_from_1)},
       facts_of(kKeep2),
       "db2 close db1"},
      {"a ring that is broken",
       {with(writer(1, kLoser), {receives_from_2, sql_broken}),
        with(writer(2, kWinner), receives_from_1)},
       facts_of(kKeep2),
       "db2 close db1; left db1",
       "db2 still has a channel to it"},
      {"a winner that was promoted by hand keeps its channel",
       {writer(1, kLoser), with(writer(2, kWinner), stopped_from_1)},
       facts_of(kKeep2),
       "db2 close db1; left db1",
       "run: mysql_ha repair"},
      {"another run copies to the loser",
       {writer(1, kLoser), writer(2, kWinner)},
       facts_of(kKeep2, {{"db1", {.obstacle = "another client copies to it"}}}),
       "db2 close db1; left db1"},
  };
}

std::vector<Case> others() {
  return {
      {"a healthy cluster",
       {writer(1), replica(2, 1)},
       facts_of({}),
       "db1",
       "nothing to repair: db1 is the primary"},
      {"no writer",
       {with(writer(1), closed), replica(2, 1)},
       facts_of({}),
       "unknown-primary",
       "run: mysql_ha plan"},
      {"no node can be read",
       {lost(1), lost(2)},
       facts_of({}),
       "unknown-primary",
       "db1 cannot be read (no answer), and db2 cannot be read (no answer); to see"},
      {"the word is against the only writer",
       {writer(1), replica(2, 1)},
       facts_of(kKeep2),
       "not-ready",
       "run: mysql_ha switchover --to db2"},
      {"a broken applier",
       {writer(1), with(replica(2, 1), sql_broken)},
       facts_of({}),
       "db1; resync db2",
       "SQL thread stopped, error 1062"},
      {"a replica whose source has purged what it needs",
       {writer(1), with(replica(2, 1), binlog_gone)},
       facts_of({}),
       "db1; resync db2"},
      {"an applier that lacks room",
       {writer(1), with(replica(2, 1), sql_waits_for_room)},
       facts_of({}),
       "db1"},
      {"an applier that was stopped",
       {writer(1), with(replica(2, 1), sql_stopped)},
       facts_of({}),
       "db1"},
      {"a receiver that tries to connect",
       {writer(1), with(replica(2, 1), io_connecting)},
       facts_of({}),
       "db1"},
      {"a broken replica that others follow",
       {writer(1), with(replica(2, 1), sql_broken), replica(3, 2)},
       facts_of({}),
       "not-ready",
       "db3 replicates from db2"},
      {"a closed loser that an earlier repair has left",
       {with(writer(1, kLoser), closed), writer(2, kWinner)},
       facts_of({}),
       "db2; resync db1"},
      {"the same, contained",
       {with(writer(1, kOne), closed), writer(2, kWinner)},
       facts_of({}),
       "db2; rejoin db1"},
      {"unasked, only one that a run has closed",
       {with(writer(1, kLoser), closed), writer(2, kWinner)},
       facts_of({}, {{"db1", {.replaced = true}}}, RepairScope::kReplaced),
       "db2; resync db1"},
      {"unasked, one that somebody has closed",
       {with(writer(1, kLoser), closed), writer(2, kWinner)},
       facts_of({}, {}, RepairScope::kReplaced),
       "db2"},
      {"half a copy",
       {with(writer(1, kOne), closed), writer(2, kWinner)},
       facts_of({}, {{"db1", {.half_copied = true}}}, RepairScope::kReplaced),
       "db2; resync db1",
       "holds no complete copy"},
      {"a node that does not answer",
       {lost(1), writer(2)},
       facts_of({}),
       "not-ready",
       "when it answers, run: mysql_ha repair"},
      {"and another that is broken",
       {lost(1), writer(2), with(replica(3, 2), sql_broken)},
       facts_of({}),
       "db2; resync db3; left db1"},
  };
}

std::string summary(const Repair& repair) {
  if (!repair.possible()) return std::string(refusal_name(repair.refusal));
  std::string text = repair.winner;
  for (const Step& step : repair.closing.steps)
    if (step.action == Action::kFence)
      text += (text.find("close") == text.npos ? " close " : " ") + step.node;
  for (const RepairTask& task : repair.tasks)
    text += (task.way == ReturnWay::kRejoin ? "; rejoin " : "; resync ") + task.node;
  for (const Rejection& one : repair.left) text += "; left " + one.node;
  return text;
}

void expect(std::vector<Case> cases) {
  for (Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Repair repair = decide_repair(linked(std::move(c.nodes)), with_account(), {}, c.facts);
    EXPECT_EQ(summary(repair), c.done) << render(repair);
    EXPECT_NE(render(repair).find(c.text), std::string::npos) << render(repair);
  }
}

TEST(RepairTest, OneOfSeveralWritersIsKept) { expect(splits()); }

TEST(RepairTest, BrokenAndLeftNodesReturn) { expect(others()); }

TEST(RepairTest, TheLosersAreClosedBeforeTheAddressMoves) {
  Policy policy = with_account();
  policy.vip = "192.0.2.1";
  policy.hosts_file = "/srv/hosts";
  const Repair repair =
      decide_repair(linked({writer(1, kLoser), writer(2, kWinner)}), policy, {}, facts_of(kKeep2));
  std::vector<std::string> steps;
  for (const Step& step : repair.closing.steps)
    steps.push_back(fmt::format("{} {}", action_name(step.action), step.node));
  EXPECT_EQ(join(steps, ", "),
            "lock db1, lock db2, fence db1, vip-down db1, vip-up db2, write-file ");
  EXPECT_FALSE(repair.closing.hash.empty());
}

TEST(RepairTest, WithoutAReplicationAccountTheLoserIsOnlyClosed) {
  const Repair repair =
      decide_repair(linked({writer(1, kLoser), writer(2, kWinner)}), {}, {}, facts_of(kKeep2));
  EXPECT_EQ(summary(repair), "db2 close db1; left db1");
  EXPECT_NE(render(repair).find("--repl-username"), std::string::npos) << render(repair);
}

TEST(RepairTest, JsonHasTheDecisionAndTheEvidence) {
  const Topology split = linked({writer(1, kOne), writer(2, kWinner)});
  EXPECT_EQ(repair_to_json(decide_repair(split, with_account(), {}, facts_of({}))),
            R"({"winner":"db2","refusal":"none","reason":"","evidence":[{"node":"db2","text":)"
            R"("transactions: db2 has 7 transactions that db1 lacks: )"
            R"(00000000-0000-0000-0000-000000000002:1-7"},{"node":"","text":)"
            R"("last write: db1 does not tell, db2 does not tell"}],"close":["db1"],"return":)"
            R"([{"node":"db1","by":"rejoin","why":"db2 has all its transactions"}],"left":[]})");
}

}  // namespace
}  // namespace ha
