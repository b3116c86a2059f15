// SPDX-License-Identifier: MIT
#include "common/failover/plan_roles.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/failover/run.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

void by_sql(Node& node) { node.facts->read_only_origin = ReadOnlyOrigin::kSql; }
void by_nobody_knows(Node& node) { node.facts->read_only_origin = ReadOnlyOrigin::kUnknown; }
void persisted(Node& node) { node.facts->read_only_origin = ReadOnlyOrigin::kPersisted; }
void in_ring_with_2(Node& node) { node.facts->channels->push_back(channel_from(2)); }
void by_position(Node& node) {
  node.facts->history = {};
  for (ChannelStatus& one : *node.facts->channels) {
    one.uses_gtid = false;
    one.read = one.executed = {"binlog.000001", 1000};
  }
}
void reinstalled(Node& node) {
  node.facts->server_uuid = uuid_of(9);
  node.facts->server_id = 9;
}
void asynchronous(Node& node) {
  node.facts->semi_sync = {"rpl_semi_sync_source_enabled", false, true};
}

// A primary that was restarted and is closed by its option file.
Node restarted(int number, std::string_view history = "#1:1-100",
               std::initializer_list<Change> changes = {}) {
  Node node = writer(number, history);
  node.facts->read_only = true;
  node.facts->read_only_origin = ReadOnlyOrigin::kOptionFile;
  return with(node, changes);
}

RunHistory made_primary(std::string primary, std::set<std::string> replaced, double since_s = 100) {
  return {std::move(primary), "run1", since_s, std::move(replaced)};
}

RunHistory acknowledged(RunHistory runs) {
  runs.acknowledged = true;
  return runs;
}

Memory seen(std::string primary, double seen_s, std::initializer_list<int> replicas = {}) {
  Memory memory{std::move(primary), seen_s, {}};
  for (const int number : replicas) {
    SeenNode& node = memory.nodes[fmt::format("db{}", number)];
    node.seen_s = seen_s;
    node.read_only = true;
    node.channels.push_back({"", memory.primary});
  }
  return memory;
}

Context knowing(RunHistory roles, Memory memory = {}) {
  Context context;
  context.runs = std::move(roles);
  context.memory = std::move(memory);
  return context;
}

// What a guard leaves that closes db1 at the end of restarted()'s binlog.
Context closed_by_guard(Memory memory) {
  Context context = knowing({}, std::move(memory));
  context.own_closing = OwnClosing{"db1", {"binlog.000001", 1000}, "2026-11-30 09:00:00"};
  return context;
}
void closed(Node& node) {
  by_sql(node);
  node.facts->read_only_set_at = "2026-11-30 09:00:00";
}
void closed_again(Node& node) {
  closed(node);
  node.facts->read_only_set_at = "2026-11-30 09:00:07";
}
void written_since(Node& node) {
  closed(node);
  node.facts->binlog->offset = 1001;
}
void restarted_since(Node& node) {
  closed(node);
  node.facts->binlog = BinlogPosition{"binlog.000002", 1000};
}
void without_binlog(Node& node) {
  closed(node);
  node.facts->binlog.reset();
}

// The actions with their nodes, without locks.
std::string outline(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps)
    if (step.action != Action::kLock)
      words.push_back(fmt::format("{}({})", action_name(step.action), step.node));
  return join(words, " ");
}

Plan plan(std::vector<Node> nodes, const Context& context, const Policy& policy = {}) {
  return plan_failover(linked(std::move(nodes)), policy, context, "");
}

struct Case {
  const char* name;
  std::vector<Node> nodes;
  Context context;
  const char* want;  // the outline, or the refusal's name
};

void expect_each(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Plan made = plan(c.nodes, c.context);
    EXPECT_EQ(made.possible() ? outline(made) : std::string(refusal_name(made.refusal)), c.want)
        << c.name << ": " << made.reason;
    EXPECT_EQ(made.steps.empty(), !made.possible()) << c.name;
  }
}

TEST(PlanCloseTest, WhatWasReplacedIsClosedWhenItComesBackWritable) {
  const Context journal = knowing(made_primary("db2", {"db1"}));
  expect_each({
      {"a pair", {writer(1), writer(2, "#1:1-100,#2:1")}, journal, "fence(db1)"},
      {"it has written since", {writer(1, "#1:1-103"), writer(2)}, journal, "fence(db1)"},
      {"by position",
       {with(writer(1), {by_position}), with(writer(2), {by_position})},
       journal,
       "fence(db1)"},
      {"the others follow the new one",
       {writer(1), writer(2), replica(3, 2)},
       journal,
       "fence(db1)"},
      {"a ring",
       {with(writer(1), {in_ring_with_2}), with(replica(2, 1), {writable})},
       journal,
       "fence(db1)"},
      {"it follows its successor",
       {with(writer(1), {in_ring_with_2}), writer(2)},
       journal,
       "fence(db1)"},
      {"two have come back",
       {writer(1), writer(2), writer(3)},
       knowing(made_primary("db2", {"db1", "db3"})),
       "fence(db1) fence(db3)"},
      {"what was seen later agrees",
       {writer(1), writer(2)},
       knowing(made_primary("db2", {"db1"}), seen("db2", 200)),
       "fence(db1)"},
      {"what was seen before does not count",
       {writer(1), writer(2)},
       knowing(made_primary("db2", {"db1"}), seen("db1", 50)),
       "fence(db1)"},
      {"it was a replica, and is one still",
       {with(writer(1), {in_ring_with_2}), writer(2)},
       knowing(made_primary("db2", {"db1"}), seen("db2", 200, {1})),
       "fence(db1)"},
  });
}

TEST(PlanCloseTest, WithoutAJournalTheHistoriesProveIt) {
  const Node old = writer(1), now = writer(2, "#1:1-100,#2:1-5");
  expect_each({
      {"everything else follows the other", {old, now, replica(3, 2)}, {}, "fence(db1)"},
      {"it was seen as the primary", {old, now}, knowing({}, seen("db2", 100)), "fence(db1)"},
  });
}

TEST(PlanCloseTest, NothingIsClosedThatMayBeThePrimary) {
  const Context journal = knowing(made_primary("db2", {"db1"}));
  const Node old = writer(1), now = writer(2, "#1:1-100,#2:1-5");
  expect_each({
      {"nothing tells", {old, now}, {}, "second-writer"},
      {"a sibling follows it", {old, now, replica(3, 1)}, journal, "second-writer"},
      {"it was seen as the primary after the change",
       {old, now},
       knowing(made_primary("db2", {"db1"}), seen("db1", 200)),
       "second-writer"},
      {"it was a replica, and an operator has promoted it since",
       {old, now},
       knowing(made_primary("db2", {"db1"}), seen("db2", 200, {1})),
       "second-writer"},
      {"the same without a journal",
       {old, now},
       knowing({}, seen("db2", 200, {1})),
       "second-writer"},
      {"the successor follows it",
       {old, with(replica(2, 1), {writable})},
       journal,
       "second-writer"},
      {"the successor does not write",
       {old, with(restarted(2), {by_sql}), with(writer(3), {writable})},
       journal,
       "second-writer"},
      {"the successor is not there", {old, lost(2), writer(3)}, journal, "second-writer"},
      {"without a journal: it has what the other lacks",
       {writer(1, "#1:1-101"), now, replica(3, 2)},
       {},
       "second-writer"},
      {"without a journal: another one does not answer",
       {old, now, replica(3, 2), lost(4)},
       {},
       "second-writer"},
      {"a replica that an operator opened",
       {writer(1), with(replica(2, 1), {writable})},
       knowing(made_primary("db1", {"db3"})),
       "second-writer"},
  });
  Context locked = journal, assumed = journal;
  locked.lock_holder = "ha2";
  assumed.assume_dead = true;
  EXPECT_EQ(plan({old, now}, locked).refusal, Refusal::kLocked);
  EXPECT_NE(plan({old, now, replica(3, 2)}, assumed).command, PlanCommand::kClose);
}

TEST(PlanCloseTest, ItIsToldWhatMayBeOnIt) {
  Policy policy;
  policy.vip = "192.0.2.10/24";
  const Context journal = knowing(made_primary("db2", {"db1"}));
  const Plan close = plan({writer(1, "#1:1-103"), writer(2)}, journal, policy);
  EXPECT_EQ(outline(close), "fence(db1) vip-down(db1) vip-up(db2)");
  EXPECT_EQ(join(close.warnings, "|"),
            "db1 accepted writes although db2 had replaced it (run run1); it has 3 transactions "
            "that db2 lacks: " +
                gtids("#1:101-103").print() + "; run: mysql_ha rejoin db1");
  EXPECT_TRUE(render(close).starts_with("close db1, which db2 has replaced\n"));
}

TEST(PlanReopenTest, ARestartedPrimaryIsOpenedAgain) {
  const char* const opened = "recheck(db1) make-writable(db1)";
  Context young = knowing(made_primary("db1", {"db2"}));
  young.runs.last_failover_age_s = 60;
  expect_each({
      {"a pair, and no record", {restarted(1), with(replica(2, 1), {io_connecting})}, {}, opened},
      {"three", {restarted(1), replica(2, 1), replica(3, 1)}, {}, opened},
      {"a chain", {restarted(1), replica(2, 1), replica(3, 2)}, {}, opened},
      {"a replica is behind", {restarted(1), replica(2, 1, "#1:1-90")}, {}, opened},
      {"closed by SET PERSIST", {restarted(1, "#1:1-100", {persisted}), replica(2, 1)}, {}, opened},
      {"by position",
       {restarted(1, "", {by_position}), with(replica(2, 1), {by_position})},
       {},
       opened},
      {"the last change was a minute ago", {restarted(1), replica(2, 1)}, young, opened},
      {"a silent one was a replica",
       {restarted(1), replica(2, 1), lost(3)},
       knowing({}, seen("db1", 100, {2, 3})),
       opened},
      {"there is no other node", {restarted(1)}, knowing({}, seen("db1", 100)), opened},
      {"a ring",
       {restarted(1, "#1:1-100", {in_ring_with_2}), replica(2, 1)},
       knowing({}, seen("db1", 100)),
       opened},
  });
}

TEST(PlanReopenTest, APrimaryThatItsGuardHasClosedIsOpenedAgain) {
  Policy policy;
  policy.lease_s = 10;
  const Node old = restarted(1, "#1:1-100", {closed});
  const Memory memory = seen("db1", 100, {2, 3});
  const std::vector<std::vector<Node>> cases = {
      {old, replica(2, 1)},
      {old, with(replica(2, 1), {io_connecting})},
      {old, replica(2, 1, "#1:1-90"), replica(3, 2)},
      {restarted(1, "#1:1-103", {closed}), replica(2, 1)}};
  for (const auto& nodes : cases) {
    const Plan made = plan(nodes, closed_by_guard(memory), policy);
    EXPECT_EQ(outline(made), "lease(db1) recheck(db1) make-writable(db1) hand-lease(db1)")
        << made.reason;
    EXPECT_EQ(plan_from_json(plan_to_json(made))->closed_by_guard, true);
    EXPECT_TRUE(render(made).starts_with("open db1, which its guard has closed, for writes again"));
  }
}

TEST(PlanReopenTest, WhatAGuardHasClosedStaysSoWhenAnotherMayHaveReplacedIt) {
  const auto changed = [](auto change) {
    Policy policy;
    policy.lease_s = 10;
    change(policy);
    return policy;
  };
  const Policy leased = changed([](Policy&) {});
  const Memory memory = seen("db1", 100, {2, 3});
  const Context told = closed_by_guard(memory);
  Context of_another = told, locked = told;
  of_another.own_closing->node = "db2";
  locked.lock_holder = "ha2";
  const Node old = restarted(1, "#1:1-100", {closed});
  const auto with_change = [](Change change) { return restarted(1, "#1:1-100", {change}); };
  const std::string by_hand =
      "; to open it by hand, run there: SET GLOBAL super_read_only=0, GLOBAL read_only=0";
  const std::string by_sql_text =
      "read_only was set by SQL after its start, and not by its option file" + by_hand;
  const struct {
    const char* name;
    std::vector<Node> nodes;
    Context context;
    Policy policy;
    std::string want;  // the end of the reason
  } cases[] = {
      {"an operator has closed it", {old, replica(2, 1)}, knowing({}, memory), leased, by_sql_text},
      {"the guard of another node has closed that",
       {old, replica(2, 1)},
       of_another,
       leased,
       by_sql_text},
      {"there is no lease any more",
       {old, replica(2, 1)},
       told,
       changed([](Policy& policy) { policy.lease_s = 0; }),
       by_sql_text},
      {"an operator has opened it, and closed it",
       {with_change(written_since), replica(2, 1)},
       told,
       leased,
       "its guard has closed it, and its binlog ends elsewhere now" + by_hand},
      {"it was restarted and closed by hand",
       {with_change(restarted_since), replica(2, 1)},
       told,
       leased,
       "its binlog ends elsewhere now" + by_hand},
      {"an operator has closed it again",
       {with_change(closed_again), replica(2, 1)},
       told,
       leased,
       "its guard has closed it, and read_only was set again since" + by_hand},
      {"its binlog cannot be seen",
       {with_change(without_binlog), replica(2, 1)},
       told,
       leased,
       "where its binlog ends is not known" + by_hand},
      {"auto-open is no",
       {old, replica(2, 1)},
       told,
       changed([](Policy& policy) { policy.auto_open = false; }),
       "auto-open is no; to open it, run: mysql_ha failover"},
      {"another was promoted, and is closed as well",
       {old, restarted(2)},
       told,
       leased,
       "db2 does not follow it"},
      {"the others follow another",
       {old, lost(2), replica(3, 2)},
       told,
       leased,
       "may have been promoted while db1 was closed. Correct that. If db2 takes no writes, run: "
       "mysql_ha failover --assume-replica db2"},
      {"a node is silent that was a replica",
       {old, replica(2, 1), lost(3)},
       told,
       leased,
       "If db3 takes no writes, run: mysql_ha failover --assume-replica db3"},
      {"a node cannot be read",
       {old, lost(2, Reach::kRefuses)},
       told,
       leased,
       "If db2 takes no writes, run: mysql_ha failover --assume-replica db2"},
      {"another has more",
       {old, replica(2, 1, "#1:1-102")},
       told,
       leased,
       "to promote a replica, stop db1 and run: mysql_ha failover"},
      {"another run is at work",
       {old, replica(2, 1)},
       locked,
       leased,
       "another run holds the lock: ha2"},
  };
  for (const auto& c : cases) {
    const Plan made = plan(c.nodes, c.context, c.policy);
    EXPECT_FALSE(made.possible()) << c.name;
    EXPECT_TRUE(made.reason.ends_with(c.want)) << c.name << ": " << made.reason;
  }
  EXPECT_NE(plan({old, writer(2)}, told, leased).command, PlanCommand::kReopen);
  const Policy vouched = changed([](Policy& policy) { policy.assume_replica = {"db3"}; });
  EXPECT_TRUE(plan({old, replica(2, 1), lost(3)}, told, vouched).possible());
}

TEST(PlanReopenTest, WhatItHasReplacedNeedNotHaveReturned) {
  Policy leased;
  leased.lease_s = 10;
  Context replaced = closed_by_guard(seen("db1", 200)), other_way = replaced, none = replaced;
  replaced.runs = made_primary("db1", {"db2"});
  other_way.runs = made_primary("db2", {"db1"});
  const Node old = restarted(1, "#1:1-100", {closed});
  const struct {
    const char* name;
    Node primary, former;
    Context context;
    Policy policy;
    bool opened;
  } cases[] = {
      {"closed by its guard", old, restarted(2), replaced, leased, true},
      {"restarted", restarted(1), restarted(2, "#1:1-90"), replaced, leased, true},
      {"it has more", old, restarted(2, "#1:1-100,#2:1"), replaced, leased, false},
      {"nobody knows whether it has", restarted(1, "#1:1-100", {by_position}),
       restarted(2, "", {by_position}), replaced, leased, false},
      {"it follows another", old, replica(2, 9), replaced, leased, false},
      {"it has replaced this one", old, restarted(2), other_way, leased, false},
      {"no run has replaced it", old, restarted(2), none, leased, false},
      {"there is no lease", restarted(1), restarted(2), replaced, {}, false},
  };
  for (const auto& c : cases) {
    const Plan made = plan({c.primary, c.former}, c.context, c.policy);
    EXPECT_EQ(made.possible() && made.candidate == "db1", c.opened) << c.name << made.reason;
  }
}

TEST(PlanReopenTest, NotWhenAnOperatorDoesNotWantThat) {
  Policy policy;
  policy.auto_open = false;
  Context context;
  context.memory = seen("db1", 100, {2});
  const auto plan = plan_reopen(linked({restarted(1), replica(2, 1)}), policy, context);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->reason,
            "db1 answers, but is read-only and is not opened again: auto-open is no; to open it, "
            "run: mysql_ha failover");
}

TEST(PlanReopenTest, ElseItIsSaidWhyNot) {
  const Memory memory = seen("db1", 100, {2});
  const auto why = [&](std::vector<Node> nodes, const Context& context) {
    const Plan made = plan(std::move(nodes), context);
    EXPECT_EQ(made.refusal, Refusal::kPrimaryAlive);
    EXPECT_TRUE(made.reason.starts_with("db1 answers, but is read-only and is not opened again: "));
    return made.reason.substr(
        std::string("db1 answers, but is read-only and is not opened again: ").size());
  };
  const Context context = knowing({}, memory);
  EXPECT_EQ(why({restarted(1, "#1:1-100", {by_sql}), replica(2, 1)}, context),
            "read_only was set by SQL after its start, and not by its option file; to open it by "
            "hand, run there: SET GLOBAL super_read_only=0, GLOBAL read_only=0");
  EXPECT_TRUE(why({restarted(1, "#1:1-100", {by_nobody_knows}), replica(2, 1)}, context)
                  .starts_with("it does not show whether its option file or an operator"));
  EXPECT_EQ(
      why({restarted(1), replica(2, 1, "#1:1-102")}, context),
      "db2 has transactions that db1 has lost (2 transactions: " + gtids("#1:101-102").print() +
          "); to promote a replica, stop db1 and run: mysql_ha failover");
  EXPECT_EQ(why({restarted(1, "", {by_position}), with(replica(2, 1), {by_position, read_further})},
                context),
            "db2 has transactions that db1 has lost (events up to binlog.000001:2000); to promote "
            "a replica, stop db1 and run: mysql_ha failover");
  const std::string unseen = "db3 does not answer (no answer) and was ";
  EXPECT_TRUE(
      why({restarted(1), replica(2, 1), lost(3)}, context).starts_with(unseen + "never seen"));
  // A fence counts for as long as the node was not seen since.
  Memory returned = memory;
  returned.nodes["db3"].seen_s = 200;
  returned.nodes["db3"].read_only = false;
  Context fenced = knowing({}, returned);
  fenced.runs.fenced["db3"] = 100;
  EXPECT_TRUE(
      why({restarted(1), replica(2, 1), lost(3)}, fenced).starts_with(unseen + "last seen"));
  EXPECT_EQ(why({restarted(1), lost(2, Reach::kRefuses)}, context),
            "db2 cannot be read: no answer");
  EXPECT_EQ(why({restarted(1), replica(2, 9)}, context), "db2 does not follow it");
  EXPECT_EQ(why({restarted(1), with(replica(2, 1), {unknown_channels})}, context),
            "db2: its replication could not be read");
  Memory identified = memory;
  identified.nodes["db1"].seen_s = 100;
  identified.nodes["db1"].server_id = 1;
  identified.nodes["db1"].server_uuid = uuid_of(1);
  EXPECT_TRUE(
      why({restarted(1, "#1:1-100", {reinstalled}), replica(2, 1)}, knowing({}, identified))
          .starts_with("its server_id or server_uuid is not that of the server last seen there"));
}

TEST(PlanReopenTest, ANodeThatIsSilentMayHaveMore) {
  const Context context = knowing({}, seen("db1", 100, {2, 3}));
  const Plan made = plan({restarted(1), replica(2, 1), lost(3)}, context);
  EXPECT_TRUE(made.possible()) << made.reason;
  EXPECT_TRUE(made.loss.at_least);
  EXPECT_EQ(join(made.warnings, "|"),
            "db3 could not be asked: it may have transactions that db1 has lost");
  const Plan whole = plan({restarted(1), replica(2, 1), replica(3, 1)}, context);
  EXPECT_FALSE(whole.loss.at_least);
  EXPECT_EQ(join(whole.warnings, "|"), "");
}

// Another manager may have promoted the silent one.
TEST(PlanReopenTest, ItIsNotOpenedAlone) {
  const std::string alone =
      "db1 answers, but is read-only and is not opened again: no other node answers and follows "
      "it, so another node may have replaced it. Correct that. If no other node takes writes, run: "
      "mysql_ha failover --assume-replica ";
  Context context = knowing({}, seen("db1", 100, {2, 3}));
  context.runs.fenced["db4"] = 200;
  EXPECT_EQ(plan({restarted(1), lost(2)}, context).reason, alone + "db2");
  EXPECT_EQ(plan({restarted(1), lost(4)}, context).reason, alone + "db4");
  EXPECT_EQ(plan({restarted(1), lost(2), lost(3)}, context).reason,
            alone + "db2 --assume-replica db3");
  Policy policy;
  policy.assume_replica = {"db2"};
  EXPECT_EQ(plan({restarted(1), lost(2), lost(3)}, context, policy).reason, alone + "db3");
  const Plan made = plan({restarted(1), lost(2)}, context, policy);
  EXPECT_EQ(outline(made), "recheck(db1) make-writable(db1)");
  EXPECT_TRUE(made.loss.at_least);
  EXPECT_EQ(join(made.warnings, "|"),
            "db2 could not be asked: it may have transactions that db1 has lost");
}

TEST(PlanReopenTest, AnotherPrimaryThatIsLostIsReplaced) {
  Policy policy;
  policy.fence = Fence::kNone;
  const Context context = knowing({}, seen("db1", 100));
  const Node waiting = with(replica(3, 2), {io_connecting});
  const Plan made = plan({restarted(1), lost(2), waiting}, context, policy);
  EXPECT_EQ(made.command, PlanCommand::kFailover);
  EXPECT_TRUE(made.possible()) << made.reason;
  EXPECT_EQ(made.primary, "db2");
  EXPECT_EQ(made.candidate, "db3");
  const Plan receiving = plan({restarted(1), lost(2), replica(3, 2)}, context, policy);
  EXPECT_EQ(receiving.command, PlanCommand::kReopen);
  EXPECT_EQ(receiving.refusal, Refusal::kPrimaryAlive);
}

// A replica that was silent when its primary was replaced follows that one still, and it must not
// take the place of the new one, which a restart has closed.
TEST(PlanReopenTest, AReplicaOfTheOneBeforeTakesNotItsPlace) {
  Context context = knowing(made_primary("db1", {"db2"}), seen("db1", 100));
  const std::vector<Node> nodes = {restarted(1), lost(2), with(replica(3, 2), {io_connecting})};
  context.memory.nodes["db3"].channels = {{.source = "db2"}};
  const Plan closed = plan(nodes, context);
  EXPECT_EQ(closed.command, PlanCommand::kReopen);
  EXPECT_EQ(closed.refusal, Refusal::kPrimaryAlive);
}

TEST(PlanReopenTest, WhatIsNotTheLastPrimaryIsNotOpened) {
  expect_each({
      {"the last change made another one the primary",
       {restarted(1), lost(2), replica(3, 1)},
       knowing(made_primary("db2", {"db1"})),
       "unknown-primary"},
      {"and that is acknowledged",
       {restarted(1), lost(2), replica(3, 1)},
       knowing(acknowledged(made_primary("db2", {"db1"}))),
       "primary-alive"},
      {"another one was seen writing later",
       {restarted(1), lost(2), replica(3, 1)},
       knowing(made_primary("db1", {"db2"}), seen("db2", 200)),
       "primary-alive"},
      {"no record, and one does not answer",
       {restarted(1), replica(2, 1), lost(3)},
       {},
       "primary-alive"},
      {"some server takes writes",
       {restarted(1), with(replica(2, 1), {writable}), replica(3, 1)},
       {},
       "second-writer"},
  });
}

TEST(PlanReopenTest, SemiSyncIsOnAgainBeforeItIsOpened) {
  Memory memory = seen("db1", 100);
  memory.nodes["db1"].semi_sync.source_enabled = true;
  const std::string on = "SET GLOBAL rpl_semi_sync_source_enabled=ON";
  const Node db1 = restarted(1, "#1:1-100", {asynchronous});
  const Plan made = plan({db1, with(replica(2, 1), {asynchronous})}, knowing({}, memory));
  EXPECT_EQ(made.steps.back().statements[0].sql, on);
  const Plan alone = plan({db1, replica(2, 1)}, knowing({}, memory));
  EXPECT_EQ(alone.steps.back().statements.size(), 1u);
  EXPECT_EQ(join(alone.warnings, "|"),
            "db1 waited for semi-sync replicas before it was restarted, and does not now: too "
            "few replicas would acknowledge");
}

// Pandora's server and console go on with whom it names.
TEST(PlanRolesTest, PandoraIsToldWhichNodeIsThePrimaryThen) {
  Policy policy;
  policy.hosts_file = "/srv/hosts";
  policy.console_database = "pandora";
  policy.repl_user = "repl";
  const auto written = [](const Plan& plan) {
    std::vector<std::string> files;
    for (const Step& step : plan.steps)
      if (step.action == Action::kWriteFile || step.action == Action::kConsoleEvent)
        files.push_back(fmt::format("{}{}", step.text, step.may_fail ? "" : ", or nothing"));
    return plan.possible() ? join(files, "|") : plan.reason;
  };
  EXPECT_EQ(written(plan({restarted(1), replica(2, 1)}, knowing({}, seen("db1", 50, {2})), policy)),
            "db1 into /srv/hosts|mysql_ha reopen: db1 takes writes again");
  EXPECT_EQ(written(plan({writer(1), writer(2)}, knowing(made_primary("db2", {"db1"})), policy)),
            "db2 into /srv/hosts|mysql_ha close: db1 takes no writes any more, db2 is the primary");
  EXPECT_EQ(written(plan_rejoin(linked({with(writer(1), closed), writer(2, "#1:1-100,#2:1")}),
                                policy, knowing(made_primary("db2", {"db1"})), "db1", {})),
            "db2 into /srv/hosts|mysql_ha rejoin: db1 is a replica of db2");
}

}  // namespace
}  // namespace ha
