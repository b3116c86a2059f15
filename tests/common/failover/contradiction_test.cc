// SPDX-License-Identifier: MIT
// What contradicts the plan of a failover of db2 for db1: a table of nodes that answer again, and
// one of replicas that have received more.
#include "common/failover/contradiction.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

// A replica that gets nothing from db1 any more.
Node orphan(int number, std::string_view history = "#1:1-100", Flavour flavour = Flavour::kMysql) {
  return with(replica(number, 1, history, flavour), io_connecting);
}

Node by_position(Node node, std::uint64_t offset) {
  if (node.facts->version.flavour == Flavour::kMysql) node.facts->history = {};
  for (ChannelStatus& channel : *node.facts->channels) {
    channel.uses_gtid = false;
    channel.read = channel.executed = {"binlog.000001", offset};
  }
  return node;
}

Node promoted(std::string_view history = "#1:1-100", Flavour flavour = Flavour::kMysql) {
  Node node = writer(2, history, flavour);
  node.facts->read_only = true;
  return node;
}

Context after(std::vector<Node> nodes) {
  Context context;
  context.memory = remember({}, linked(std::move(nodes)), 1000);
  context.now_s = 1030;
  return context;
}

const std::vector<Node> kStar = {writer(1), replica(2, 1), replica(3, 1)};

std::vector<Node> lossless_star() {
  std::vector<Node> nodes = kStar;
  SemiSync& semi_sync = nodes[0].facts->semi_sync;
  semi_sync.source_enabled = semi_sync.after_sync = semi_sync.wait_no_replica = true;
  semi_sync.timeout_ms = 86'400'000;
  return nodes;
}

// A run at the step before the opening; db3 was silent when it was planned.
struct World {
  Plan plan{.primary = "db1", .candidate = "db2", .by_gtid = true};
  RunFacts known = {.fenced = true, .applied = BinlogPosition{"binlog.000001", 1000}};
  Policy policy = {};
  Context context = after(kStar);
  std::vector<Node> before = {lost(1), orphan(2), lost(3)};
  std::vector<Node> now = {lost(1), promoted(), lost(3)};

  PlanAtWork work() const { return {plan, known, policy, context}; }
};

struct Case {
  const char* what;
  std::function<void(World&)> spoil;
  const char* why = "";  // the whole reason; empty: nothing speaks against the opening
};

const Case kReturns[] = {
    {"it stays silent", [](World&) {}},
    {"an error of our own tells nothing", [](World& w) { w.now[2] = lost(3, Reach::kNotAsked); }},
    {"it has as much", [](World& w) { w.now[2] = orphan(3); }},
    {"it has less", [](World& w) { w.now[2] = orphan(3, "#1:1-90"); }},
    {"it accepts writes", [](World& w) { w.now[2] = writer(3); },
     "db3 answers again and accepts writes. To end the writes, run there: SET GLOBAL "
     "read_only=1, GLOBAL super_read_only=1; then run: mysql_ha failover"},
    {"it accepts writes, of a MariaDB switchover",
     [](World& w) {
       w.plan.command = PlanCommand::kSwitchover;
       w.now[2] = writer(3, "0-1-100", kMariadb);
     },
     "db3 answers again and accepts writes. To end the writes, run there: SET GLOBAL "
     "read_only=1; then run: mysql_ha switchover"},
    {"it does not tell whether it does",
     [](World& w) {
       w.now[2] = orphan(3);
       w.now[2].facts->read_only.reset();
     },
     "db3 does not show whether it takes writes. Correct that. If db3 takes no writes, run: "
     "mysql_ha failover --assume-replica db3"},
    {"it has more", [](World& w) { w.now[2] = orphan(3, "#1:1-105"); },
     "db3 answers again and has transactions that db2 lacks: "
     "00000000-0000-0000-0000-000000000001:101-105. To make a new plan, run: mysql_ha failover"},
    {"it has more, and a planned change is not about that",
     [](World& w) {
       w.plan.command = PlanCommand::kSwitchover;
       w.now[2] = orphan(3, "#1:1-105");
     }},
    {"it has more, and the primary is to be opened again",
     [](World& w) {
       w.plan = {.command = PlanCommand::kReopen, .primary = "db1", .candidate = "db1"};
       w.before[0] = w.now[0] = with(writer(1), [](Node& node) { node.facts->read_only = true; });
       w.now[2] = replica(3, 1, "#1:1-105");
     },
     "db3 answers again and has transactions that db1 lacks: "
     "00000000-0000-0000-0000-000000000001:101-105. To make a new plan, run: mysql_ha failover"},
    {"it has what it wrote itself", [](World& w) { w.now[2] = orphan(3, "#1:1-100,#3:1-7"); }},
    {"it has more, of MariaDB",
     [](World& w) {
       w.now[1] = promoted("0-1-100", kMariadb);
       w.now[2] = orphan(3, "0-1-101", kMariadb);
     },
     "db3 answers again and has transactions that db2 lacks: 0-1-101. To make a new plan, run: "
     "mysql_ha failover"},
    {"it has more by position",
     [](World& w) {
       w.plan.by_gtid = false;
       w.now[1] = by_position(promoted(), 0);
       w.now[2] = by_position(orphan(3), 1200);
     },
     "db3 answers again and has transactions that db2 lacks: events up to binlog.000001:1200. To "
     "make a new plan, run: mysql_ha failover"},
    {"it has as much by position",
     [](World& w) {
       w.plan.by_gtid = false;
       w.now[1] = by_position(promoted(), 0);
       w.now[2] = by_position(orphan(3), 1000);
     }},
    {"it has more by position, and the end of the binlog was rescued",
     [](World& w) {
       w.plan.by_gtid = false;
       w.known.rescued = 5;
       w.now[1] = by_position(promoted(), 0);
       w.now[2] = by_position(orphan(3), 1200);
     }},
    {"nothing tells what it has, for it follows no server",
     [](World& w) {
       w.plan.by_gtid = false;
       w.now[1] = by_position(promoted(), 0);
       w.now[2] = by_position(with(writer(3), [](Node& node) { node.facts->read_only = true; }), 0);
     },
     "db3 answers again and cannot be compared with db2: db3 may have received more transactions. "
     "To make a new plan, run: mysql_ha failover"},
    {"it still receives",
     [](World& w) {
       w.known.fenced = false;
       w.now[2] = replica(3, 1);
     },
     "db3 answers again and still receives from db1. To make a new plan, run: mysql_ha failover"},
    {"it has not noticed that db1 is fenced", [](World& w) { w.now[2] = replica(3, 1); }},
    {"it is alive and cannot be read", [](World& w) { w.now[2] = lost(3, Reach::kUnreadable); }},
    {"so it is, and nothing may be lost",
     [](World& w) {
       w.context = after(lossless_star());
       w.now[2] = lost(3, Reach::kRefuses);
     },
     "db3 is alive again and cannot be read (no answer): it may have transactions that db2 lacks. "
     "Correct that. To accept the loss instead, run: mysql_ha failover --allow-loss"},
    {"so it is, and a loss is accepted",
     [](World& w) {
       w.context = after(lossless_star());
       w.policy.allow_loss = true;
       w.now[2] = lost(3, Reach::kRefuses);
     }},
    {"so it was when the plan was made",
     [](World& w) {
       w.policy.max_lost_transactions = 0;
       w.before[2] = w.now[2] = lost(3, Reach::kUnreadable);
     }},
    {"so it is, and it was never seen",
     [](World& w) {
       w.context = {};
       w.now[2] = lost(3, Reach::kUnreadable);
     },
     "db3 is alive and cannot be read (no answer) and was never seen: it may take writes. Correct "
     "that. If db3 takes no writes, run: mysql_ha failover --assume-replica db3"},
};

TEST(ContradictionTest, NodesThatAnswerAgain) {
  for (const Case& c : kReturns) {
    World w;
    c.spoil(w);
    EXPECT_EQ(object_to_return(w.work(), linked(w.before), linked(w.now), 2), c.why) << c.what;
  }
}

// db2 and db3 could be read when the run was planned.
const Case kReceipts[] = {
    {"nothing came", [](World&) {}},
    {"both received the same",
     [](World& w) {
       w.now[1] = orphan(2, "#1:1-101");
       w.now[2] = orphan(3, "#1:1-101");
     }},
    {"only the candidate received more", [](World& w) { w.now[1] = orphan(2, "#1:1-101"); }},
    {"only the other one did", [](World& w) { w.now[2] = orphan(3, "#1:1-101"); },
     "db3 has received, since the plan was made, transactions that db2 lacks: "
     "00000000-0000-0000-0000-000000000001:101. To make a new plan, run: mysql_ha failover"},
    {"it did, of MariaDB, whose receivers are not stopped",
     [](World& w) {
       w.before = {lost(1), orphan(2, "0-1-100", kMariadb), orphan(3, "0-1-100", kMariadb)};
       w.now = {lost(1), promoted("0-1-100", kMariadb), orphan(3, "0-1-101", kMariadb)};
     },
     "db3 has received, since the plan was made, transactions that db2 lacks: 0-1-101. To make a "
     "new plan, run: mysql_ha failover"},
    {"it did, by position",
     [](World& w) {
       w.plan.by_gtid = false;
       w.before = {lost(1), by_position(orphan(2), 1000), by_position(orphan(3), 1000)};
       w.now = {lost(1), by_position(orphan(2), 1000), by_position(orphan(3), 1200)};
     },
     "db3 has received, since the plan was made, transactions that db2 lacks: events up to "
     "binlog.000001:1200. To make a new plan, run: mysql_ha failover"},
    {"the candidate did, by position, and it is to begin at the end of that one's binlog",
     [](World& w) {
       w.plan.by_gtid = false;
       w.plan.steps = {{1, Action::kRepoint, "db3"}};
       w.plan.steps[0].statements = {{Part::kPoint, "CHANGE", {Placeholder::kBinlogEnd}}};
       w.before = {lost(1), by_position(orphan(2), 1000), by_position(orphan(3), 1000)};
       w.now = {lost(1), by_position(orphan(2), 1200), by_position(orphan(3), 1000)};
     },
     "db3 has received, since the plan was made, up to binlog.000001:1000 of db1, and db2 up to "
     "binlog.000001:1200. To make a new plan, run: mysql_ha failover"},
    {"the plan knows that it has more",
     [](World& w) {
       w.before[2] = orphan(3, "#1:1-105");
       w.now[2] = orphan(3, "#1:1-106");
     }},
    {"the candidate has fetched what it has",
     [](World& w) {
       w.plan.steps = {{1, Action::kCatchUp, "db2", {}, {}, "", "", "db3"}};
       w.before[2] = orphan(3, "#1:1-105");
       w.now[1] = orphan(2, "#1:1-105");
       w.now[2] = orphan(3, "#1:1-105");
     }},
    {"and that one received more",
     [](World& w) {
       w.plan.steps = {{1, Action::kCatchUp, "db2", {}, {}, "", "", "db3"}};
       w.before[2] = orphan(3, "#1:1-105");
       w.now[1] = orphan(2, "#1:1-105");
       w.now[2] = orphan(3, "#1:1-106");
     },
     "db3 has received, since the plan was made, transactions that db2 lacks: "
     "00000000-0000-0000-0000-000000000001:106. To make a new plan, run: mysql_ha failover"},
};

TEST(ContradictionTest, ReplicasThatHaveReceivedMore) {
  for (const Case& c : kReceipts) {
    World w;
    w.before = w.now = {lost(1), orphan(2), orphan(3)};
    c.spoil(w);
    EXPECT_EQ(object_to_lead(w.work(), linked(w.before), linked(w.now)), c.why) << c.what;
  }
}

}  // namespace
}  // namespace ha
