// SPDX-License-Identifier: MIT
// Who is promoted, and what is said of the loss, where a node has left replication, stopped
// receiving early, has data from outside the cluster, or leaves something out.
#include <gtest/gtest.h>

#include "common/failover/plan.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

// A replica whose primary, db1, has gone.
Node orphan(int number, std::string_view history = "#1:1-100", Flavour flavour = Flavour::kMysql) {
  Node node = replica(number, 1, history, flavour);
  channel(node).io = {ThreadState::kConnecting, 2003, "Can't connect"};
  return node;
}

Node maria(int number, std::string_view state = "0-1-100") {
  return orphan(number, state, kMariadb);
}

// Follows no server and is read-only.
Node detached(Node node) {
  node.facts->channels->clear();
  return node;
}

Node by_position(Node node, std::uint64_t read = 1000, std::uint64_t executed = 0) {
  if (node.facts->version.flavour == Flavour::kMysql) node.facts->history = {};
  for (ChannelStatus& one : *node.facts->channels) {
    one.uses_gtid = false;
    one.read = {"binlog.000007", read};
    one.executed = {"binlog.000007", executed == 0 ? read : executed};
  }
  return node;
}

// Whose binlog ends there.
Node at(Node node, BinlogPosition end) {
  node.facts->binlog = std::move(end);
  return node;
}

Node receiver(Node node, ThreadState state, unsigned error) {
  channel(node).io = {state, error, error == 0 ? "" : "Access denied"};
  return node;
}

Node stopped(Node node) { return receiver(std::move(node), ThreadState::kStopped, 0); }
Node refused(Node node) { return receiver(std::move(node), ThreadState::kConnecting, 1045); }

// With a second channel, which has received `set`, from server 9 outside the cluster.
Node fed(Node node, std::string_view set) {
  ChannelStatus feed = channel_from(9, node.facts->version.flavour);
  feed.name = "feed";
  feed.received_gtids =
      node.facts->version.flavour == kMariadb ? std::string(set) : gtids(set).print();
  node.facts->channels->push_back(feed);
  return node;
}

Node filtered(Node node, const char* filter = "Replicate_Ignore_Table=shop.item") {
  channel(node).filters = {filter};
  return node;
}

Node delayed(Node node) {
  channel(node).sql_delay_s = 3600;
  return node;
}

Policy fenced() {
  Policy policy;
  policy.fence_command = {"/usr/local/sbin/fence"};
  return policy;
}

Policy never_db2() {
  Policy policy = fenced();
  policy.promotion["db2"] = Promotion::kNever;
  return policy;
}

Policy limited() {
  Policy policy = fenced();
  policy.max_lost_transactions = 10;
  return policy;
}

Policy allowing(Policy policy) {
  policy.allow_loss = true;
  return policy;
}

SeenNode seen_replica(ReplicationThread io, std::uint64_t read = 1000, bool uses_gtid = true) {
  SeenNode node;
  node.read_only = true;
  node.channels = {
      {"", "db1", "db1:3306", std::move(io), 1'800'000'000, {"binlog.000007", read}, uses_gtid}};
  return node;
}

Policy rescuing() {
  Policy policy = fenced();
  policy.rescue_command = {"/usr/local/sbin/rescue"};
  return policy;
}

Context remembering(std::map<std::string, SeenNode> nodes) {
  Context context;
  context.memory = {"db1", 1'800'000'100, std::move(nodes)};
  context.memory.nodes["db1"].server_id = 1;
  return context;
}

const ReplicationThread kReceives = {ThreadState::kRunning};
const ReplicationThread kDenied = {ThreadState::kConnecting, 1045, "Access denied"};

struct Case {
  const char* name;
  std::vector<Node> nodes;
  const char* want;         // the candidate, or the refusal's name
  const char* saying = "";  // part of the reason, or of a warning; empty: no warning at all
  Policy policy = fenced();
  Context context = {};
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Topology topology = linked(c.nodes);
    const Plan plan = plan_failover(topology, c.policy, c.context, "db1");
    EXPECT_EQ(plan.possible() ? plan.candidate : refusal_name(plan.refusal), c.want) << plan.reason;
    const std::string said = plan.reason + join(plan.warnings, "|");
    EXPECT_NE(said.find(c.saying), said.npos) << said;
    EXPECT_EQ(said.empty(), c.saying[0] == '\0') << said;
  }
}

TEST(PlanChoiceTest, ANodeThatHasLeftReplicationCounts) {
  check({
      {"it has more and is promoted", {lost(1), detached(orphan(2)), orphan(3, "#1:1-95")}, "db2"},
      {"MariaDB", {lost(1), detached(maria(2)), maria(3, "0-1-95")}, "db2"},
      {"it has as much", {lost(1), detached(orphan(2)), orphan(3)}, "db3"},
      {"it has less", {lost(1), detached(orphan(2, "#1:1-90")), orphan(3)}, "db3"},
      {"it must not be promoted: it hands on what it has",
       {lost(1), detached(orphan(2)), orphan(3, "#1:1-95")},
       "db3",
       "db2 follows no server; run later: mysql_ha rejoin db2",
       never_db2()},
      {"each has what the other lacks, it hands that on",
       {lost(1), detached(orphan(2, "#1:1-100,#4:1")), orphan(3, "#1:1-95,#5:1")},
       "db3",
       "mysql_ha rejoin db2"},
      {"it has purged what it would hand on",
       {lost(1),
        [] {
          Node node = detached(orphan(2));
          std::get<MysqlHistory>(node.facts->history).purged = gtids("#1:1-98");
          return node;
        }(),
        orphan(3, "#1:1-95")},
       "too-much-loss",
       "db2 has transactions that db3 lacks and cannot fetch: "
       "00000000-0000-0000-0000-000000000001:96-100. To give these transactions up, run: mysql_ha "
       "failover "
       "--allow-loss",
       never_db2()},
      {"an old primary that has returned has only its own",
       {lost(1), detached(orphan(2, "#1:1-90,#2:1-50")), orphan(3, "#1:1-100,#2:1-45")},
       "db3"},
      {"MariaDB: an old primary that has returned",
       {lost(1), detached(maria(2, "0-1-90,0-2-50")), maria(3, "0-1-100,0-2-45")},
       "db3"},
      {"a replica of a replica has no more", {lost(1), orphan(2), replica(3, 2)}, "db2"},
      {"a replica of a replica that lost its end has more",
       {lost(1), orphan(2, "#1:1-95"), replica(3, 2)},
       "db2",
       ""},
      {"position: a replica of a replica that cannot be asked",
       {lost(1), lost(4), by_position(orphan(2)),
        [] {
          Node node = by_position(replica(3, 4));
          channel(node).io.state = ThreadState::kConnecting;
          return node;
        }()},
       "incomparable",
       "db3 cannot be compared with db2",
       fenced(),
       remembering({{"db4", seen_replica(kReceives, 1000, false)}})},
      {"position: a replica of a replica has no more",
       {lost(1), at(by_position(orphan(2)), {"binlog.000007", 900}), by_position(replica(3, 2))},
       "db2"},
      {"position: a replica of a replica that was restarted since",
       {lost(1), at(by_position(orphan(2)), {"binlog.000008", 4}), by_position(replica(3, 2))},
       "incomparable",
       "db3 cannot be compared with db2: db3 may have received more transactions. To promote "
       "without that node, run: mysql_ha failover --allow-loss"},
      {"position: nothing tells",
       {lost(1), by_position(detached(orphan(2))), by_position(orphan(3))},
       "incomparable",
       "db2 cannot be compared with db3: db2 may have received more transactions. To promote "
       "without that node, run: mysql_ha failover --allow-loss"},
      {"position: it does not matter",
       {lost(1), by_position(detached(orphan(2))), by_position(orphan(3))},
       "db3",
       "db2 cannot be compared with db3",
       allowing(fenced())},
      {"position: it was no replica before",
       {lost(1), by_position(detached(orphan(2))), by_position(orphan(3))},
       "db3",
       "db2 was no replica when db1 was last seen and is not compared",
       fenced(),
       remembering({{"db2", {}}, {"db3", seen_replica(kReceives, 1000, false)}})},
      {"position on MariaDB: it has no more than is applied",
       {lost(1), by_position(detached(maria(2, "0-1-90"))), by_position(maria(3))},
       "db3"},
      {"position on MariaDB: it has more, or that is not applied yet",
       {lost(1), by_position(detached(maria(2))), by_position(maria(3, "0-1-95"))},
       "incomparable",
       "--allow-loss"},
  });
}

TEST(PlanChoiceTest, ALoneNodeThatHasLeftReplicationIsPromotedIfItWasAReplica) {
  check({
      {"a replica when it was last seen",
       {lost(1), detached(orphan(2))},
       "db2",
       "db2 did not receive from db1 to the end (it follows no server): later writes to db1 are "
       "lost",
       fenced(),
       remembering({{"db2", seen_replica(kReceives)}})},
      {"the loss is limited",
       {lost(1), detached(orphan(2))},
       "too-much-loss",
       "--allow-loss",
       limited(),
       remembering({{"db2", seen_replica(kReceives)}})},
      {"nothing is known of it", {lost(1), detached(orphan(2))}, "no-candidate", "no node"},
      {"the operator knows it",
       {lost(1), detached(orphan(2))},
       "db2",
       "did not receive",
       allowing(fenced())},
      {"by position",
       {lost(1), by_position(detached(orphan(2)))},
       "no-candidate",
       "no node",
       fenced(),
       remembering({{"db2", seen_replica(kReceives, 1000, false)}})},
  });
}

TEST(PlanChoiceTest, StepsOfANodeThatHasLeftReplication) {
  const auto outline = [](const Plan& plan) {
    std::vector<std::string> words;
    for (const Step& step : plan.steps)
      if (step.action != Action::kLock && step.action != Action::kConfirmDead)
        words.push_back(fmt::format("{}({})", action_name(step.action), step.node));
    return join(words, " ");
  };
  const Topology world = linked({lost(1), detached(orphan(2)), orphan(3, "#1:1-95")});
  EXPECT_EQ(outline(plan_failover(world, fenced(), {}, "db1")),
            "fence(db1) stop-receiver(db3) record(db2) promote(db2) recheck(db1) "
            "make-writable(db2) repoint(db3) fence(db1)");
  EXPECT_EQ(outline(plan_failover(world, never_db2(), {}, "db1")),
            "fence(db1) stop-receiver(db3) drain(db3) catch-up(db3) record(db3) promote(db3) "
            "recheck(db1) make-writable(db3) fence(db1)");
}

TEST(PlanChoiceTest, AReceiverThatHadStoppedMakesTheLossUnknown) {
  const Context denied = remembering({{"db2", seen_replica(kDenied)}});
  check({
      {"it tried to the end", {lost(1), orphan(2)}, "db2"},
      {"it tried to the end, the loss is limited", {lost(1), orphan(2)}, "db2", "", limited()},
      {"it was stopped",
       {lost(1), stopped(orphan(2))},
       "db2",
       "db2 did not receive from db1 to the end (its receiver was stopped): later writes to db1 "
       "are lost"},
      {"a rescue brings it, or is a warning itself",
       {lost(1), stopped(orphan(2))},
       "db2",
       "",
       rescuing()},
      {"it was stopped, the loss is limited",
       {lost(1), stopped(orphan(2))},
       "too-much-loss",
       "the loss is limited (--max-lost-transactions, --max-lag). To promote it all the same, run: "
       "mysql_ha failover --allow-loss",
       limited()},
      {"the operator allows it",
       {lost(1), stopped(orphan(2))},
       "db2",
       "its receiver was stopped",
       allowing(limited())},
      {"it was refused", {lost(1), refused(orphan(2))}, "db2", "(error 1045: Access denied)"},
      {"it has given up trying",
       {lost(1), receiver(orphan(2), ThreadState::kStopped, 2003)},
       "db2"},
      {"it was refused when the primary was last seen",
       {lost(1), by_position(orphan(2))},
       "db2",
       "(error 1045: Access denied, since 2027-01-15 08:00:00 UTC)",
       fenced(),
       denied},
      {"but has received since",
       {lost(1), by_position(orphan(2), 1001)},
       "db2",
       "",
       fenced(),
       denied},
      {"another that has no more received to the end",
       {lost(1), stopped(orphan(2)), orphan(3, "#1:1-95")},
       "db2"},
      {"as much, and to the end", {lost(1), stopped(orphan(2)), orphan(3)}, "db3"},
      {"MariaDB", {lost(1), stopped(maria(2)), maria(3)}, "db3"},
      {"by position", {lost(1), by_position(stopped(orphan(2))), by_position(orphan(3))}, "db3"},
  });
  const auto said = [](std::vector<Node> nodes) {
    return render(plan_failover(linked(std::move(nodes)), fenced(), {}, "db1").loss);
  };
  EXPECT_EQ(said({lost(1), orphan(2)}), "none that is known; the old primary may have had more");
  EXPECT_EQ(said({lost(1), stopped(orphan(2))}),
            "none that is known, db2 did not receive from db1 to the end (its receiver was "
            "stopped); the old primary may have had more");
}

TEST(PlanChoiceTest, TheSameLimitHoldsBeforeThePrimaryDies) {
  Context forecast;
  forecast.assume_dead = true;
  const Topology living = linked({writer(1), stopped(replica(2, 1))});
  EXPECT_EQ(plan_failover(living, limited(), forecast, "db1").refusal, Refusal::kTooMuchLoss);
}

TEST(PlanChoiceTest, DataFromOutsideTheClusterAreNoLead) {
  const char* const keeps =
      "db2 also replicates from db9:3306, outside the cluster: it keeps that channel as the "
      "primary, and the other nodes receive its transactions too";
  check({
      {"nothing is fetched",
       {lost(1), fed(orphan(2, "#1:1-100,#9:1-30"), "#9:1-30"), orphan(3)},
       "db3",
       "",
       never_db2()},
      {"MariaDB",
       {lost(1), fed(maria(2, "0-1-100,7-9-30"), "7-9-30"), maria(3)},
       "db3",
       "",
       never_db2()},
      {"MariaDB: the other cluster numbers its servers as this one",
       {lost(1), fed(maria(2, "0-1-100,7-1-30"), "7-1-30"), maria(3)},
       "db3",
       "",
       never_db2()},
      {"they are no obstacle to a choice",
       {lost(1), fed(orphan(2, "#1:1-100,#9:1-30"), "#9:1-30"), orphan(3)},
       "db3"},
      {"the node that has them has more of the cluster's own: it keeps them",
       {lost(1), fed(orphan(2, "#1:1-100,#9:1-30"), "#9:1-30"), orphan(3, "#1:1-95")},
       "db2",
       keeps},
      {"and cannot hand on one without the other",
       {lost(1), fed(orphan(2, "#1:1-100,#9:1-30"), "#9:1-30"), orphan(3, "#1:1-95")},
       "db3",
       "db2 has received more transactions and cannot hand them on: "
       "00000000-0000-0000-0000-000000000001:96-100",
       never_db2()},
      {"what came through the primary is the cluster's",
       {lost(1),
        [] {
          Node node = fed(orphan(2, "#1:1-100,#9:1-30"), "#9:20-30");
          channel(node).received_gtids = gtids("#1:1-100,#9:1-30").print();
          return node;
        }(),
        orphan(3, "#1:1-100,#9:1-29")},
       "db2",
       keeps},
      {"the only one keeps them",
       {lost(1), fed(orphan(2, "#1:1-100,#9:1-30"), "#9:1-30")},
       "db2",
       keeps},
  });
}

TEST(PlanChoiceTest, TheCompleteOneOfEquals) {
  check({
      {"a filter", {lost(1), filtered(orphan(2)), orphan(3)}, "db3"},
      {"it is preferred all the same",
       {lost(1), filtered(orphan(2)), orphan(3)},
       "db3",
       "",
       [] {
         Policy policy = fenced();
         policy.promotion["db2"] = Promotion::kPreferred;
         return policy;
       }()},
      {"a filtered one does not hand on what it leaves out",
       {lost(1), filtered(orphan(2)), orphan(3, "#1:1-95")},
       "db3",
       "db2 has received more transactions and cannot hand them on",
       never_db2()},
      {"a delay", {lost(1), delayed(orphan(2)), orphan(3)}, "db3"},
      {"a newer version beats a delay",
       {lost(1), delayed(orphan(2)),
        [] {
          Node node = orphan(3);
          node.facts->version.major = 9;
          return node;
        }()},
       "db3",
       "db3 (9.0) is newer than db2 (0.0)"},
      {"position: the smaller backlog",
       {lost(1), by_position(orphan(2), 1000, 200), by_position(orphan(3), 1000, 900)},
       "db3"},
      {"position on MariaDB",
       {lost(1), by_position(maria(2), 1000, 200), by_position(maria(3, "0-1-90"), 1000, 900)},
       "db3"},
      {"position: data before backlog",
       {lost(1), by_position(orphan(2), 1001, 200), by_position(orphan(3), 1000, 1000)},
       "db2",
       "db3 needs a resync"},
  });
}

TEST(PlanChoiceTest, FiltersThatMatchThePrimarysBinlogLeaveNothingOut) {
  const auto said = [](const char* filter, BinlogScope scope) {
    Context context = remembering({{"db2", seen_replica(kReceives, 0)}});
    context.memory.nodes["db1"].binlog_scope = std::move(scope);
    return join(
        plan_failover(linked({lost(1), filtered(orphan(2), filter)}), fenced(), context, "db1")
            .warnings,
        "|");
  };
  EXPECT_EQ(said("Replicate_Do_DB=pandora", {"pandora", "", "ROW"}), "");
  EXPECT_EQ(said("Replicate_Do_DB=pandora,shop", {"pandora", "", "ROW"}), "");
  EXPECT_EQ(said("Replicate_Wild_Do_Table=pandora.%", {"pandora", "", "ROW"}), "");
  EXPECT_EQ(said("Replicate_Ignore_DB=test", {"", "test", "ROW"}), "");
  EXPECT_EQ(
      said("Replicate_Do_DB=pandora", {"pandora", "", "MIXED"}),
      "db1 filters its binlog (binlog-do-db=pandora) by the default database of each statement: "
      "with binlog_format=MIXED no replica gets what a session in another database writes "
      "to these. Set binlog_format=ROW on all nodes");
  for (const auto& [filter, scope] :
       {std::pair("Replicate_Do_DB=pandora", BinlogScope{"", "", "ROW"}),
        std::pair("Replicate_Do_DB=pandora", BinlogScope{"pandora,shop", "", "ROW"}),
        std::pair("Replicate_Ignore_DB=test,shop", BinlogScope{"", "test", "ROW"}),
        std::pair("Replicate_Ignore_Table=pandora.x", BinlogScope{"pandora", "", "ROW"})})
    EXPECT_EQ(said(filter, scope),
              fmt::format("db2 has a filter, so it may lack tables: {}", filter));
}

}  // namespace
}  // namespace ha
