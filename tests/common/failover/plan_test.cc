// SPDX-License-Identifier: MIT
#include "common/failover/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "common/commands.h"
#include "common/failover/plan_hash.h"
#include "common/text.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr Flavour kMariadb = Flavour::kMariadb;

void io_stopped(Node& node) { channel(node).io.state = ThreadState::kStopped; }
void sql_stopped(Node& node) { channel(node).sql.state = ThreadState::kStopped; }
void sql_failed(Node& node) {
  channel(node).sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
}
void delayed(Node& node) { channel(node).sql_delay_s = 3600; }
void filtered(Node& node) { channel(node).filters = {"Replicate_Do_DB=pandora"}; }
void without_binlog(Node& node) { node.facts->log_bin = false; }
void refusing_writes(Node& node) { node.facts->obstacles.reasons = {"innodb_read_only is ON"}; }
void unknown_binlog_end(Node& node) { node.facts->binlog.reset(); }
void without_updates(Node& node) { node.facts->log_replica_updates = false; }
void semi_sync(Node& node) { node.facts->semi_sync = {"rpl_semi_sync_source_enabled", true, true}; }
void slow_30(Node& node) { channel(node).seconds_behind = 30; }
void newer(Node& node) { node.facts->version.major = 9; }
void by_position(Node& node) {
  node.facts->history = {};
  channel(node).uses_gtid = false;
  channel(node).read = channel(node).executed = {"binlog.000007", 1000};
}
void read_next_file(Node& node) { channel(node).read = {"binlog.000010", 4}; }

// A replica whose primary has gone.
Node orphan(int number, std::string_view history = "#1:1-100",
            std::initializer_list<Change> changes = {}) {
  return with(with(replica(number, 1, history), {io_connecting}), changes);
}

Node maria_orphan(int number, std::string_view state = "0-1-100",
                  std::initializer_list<Change> changes = {}) {
  return with(with(replica(number, 1, state, kMariadb), {io_connecting}), changes);
}

// Received "#1:from-100" beyond what is applied.
Node received_to(Node node, std::string_view set) {
  std::get<MysqlHistory>(node.facts->history).retrieved = gtids(set);
  return node;
}

Policy with_fence() {
  Policy policy;
  policy.fence_command = {"/usr/local/sbin/fence"};
  return policy;
}

Policy wishing(std::map<std::string, Promotion> wishes) {
  Policy policy = with_fence();
  policy.promotion = std::move(wishes);
  return policy;
}

Policy losing_at_most(std::uint64_t transactions) {
  Policy policy = with_fence();
  policy.max_lost_transactions = transactions;
  return policy;
}

Policy fenced(Fence fence) {
  Policy policy;
  policy.fence = fence;
  return policy;
}

Policy with_optional_fence() {
  Policy policy = with_fence();
  policy.fence = Fence::kBestEffort;
  return policy;
}

Context hung(double seconds) {
  Context context;
  context.primary_hung_s = seconds;
  return context;
}

Context moment(Witnesses witnesses) { return {false, witnesses}; }

constexpr Promotion kNever = Promotion::kNever, kPreferred = Promotion::kPreferred;
const Context kAssumeDead = {true};

// All of them were seen as replicas of db1 while it lived.
Context remembering() {
  Context context;
  context.memory = remember({}, linked({writer(1), replica(2, 1), replica(3, 1)}), 1000);
  return context;
}

struct Case {
  const char* name;
  std::vector<Node> nodes;
  const char* want;  // the candidate, or the refusal's name
  Policy policy = with_fence();
  Context context = {};
  const char* primary = "";
};

std::vector<Case> refusals() {
  Policy lag = with_fence();
  lag.max_lag_s = 10;
  Context young, old, locked;
  young.runs.last_failover_age_s = 60;
  old.runs.last_failover_age_s = 7200;
  locked.lock_holder = "ha2 (pid 7)";
  return {
      {"the primary answers", {writer(1), replica(2, 1)}, "primary-alive"},
      {"the primary answers, read-only",
       {with(writer(1), {[](Node& n) { n.facts->read_only = true; }}), replica(2, 1)},
       "primary-alive"},
      {"too many connections is alive", {lost(1, Reach::kRefuses), orphan(2)}, "primary-alive"},
      {"access denied is alive", {lost(1, Reach::kUnreadable), orphan(2)}, "primary-alive"},
      {"a replica still receives", {lost(1), replica(2, 1)}, "still-receives"},
      {"one of two replicas still receives", {lost(1), orphan(2), replica(3, 1)}, "still-receives"},
      {"a stopped applier that still receives",
       {lost(1), with(replica(2, 1), {sql_stopped})},
       "still-receives"},
      {"it has answered nothing for long, and nothing was received",
       {lost(1, Reach::kHung), replica(2, 1)},
       "db2",
       with_fence(),
       hung(31)},
      {"it has answered nothing for a moment",
       {lost(1, Reach::kHung), replica(2, 1)},
       "still-receives",
       with_fence(),
       hung(29)},
      {"it has answered nothing for long, and nothing would fence it",
       {lost(1, Reach::kHung), replica(2, 1)},
       "still-receives",
       fenced(Fence::kRequired),
       hung(31)},
      {"it has answered nothing for long, and need not be fenced",
       {lost(1, Reach::kHung), replica(2, 1)},
       "still-receives",
       with_optional_fence(),
       hung(31)},
      {"no witness is reachable",
       {lost(1), orphan(2)},
       "isolated",
       with_fence(),
       moment(Witnesses::kUnreached)},
      {"a witness is reachable",
       {lost(1), orphan(2)},
       "db2",
       with_fence(),
       moment(Witnesses::kReached)},
      {"a replica was promoted already",
       {lost(1), orphan(2), with(orphan(3), {writable})},
       "second-writer"},
      {"the last failover is young", {lost(1), orphan(2)}, "too-soon", with_fence(), young},
      {"the last failover is old", {lost(1), orphan(2)}, "db2", with_fence(), old},
      {"another run holds the lock", {lost(1), orphan(2)}, "locked", with_fence(), locked},
      {"all replicas are lost too",
       {lost(1), lost(2), lost(3)},
       "no-candidate",
       with_fence(),
       remembering(),
       "db1"},
      {"nobody tells who the primary was", {lost(1), lost(2)}, "unknown-primary"},
      {"an unknown name", {lost(1), orphan(2)}, "unknown-primary", with_fence(), {}, "db9"},
      {"replicas of different primaries",
       {lost(1), orphan(2), lost(3), with(replica(4, 3), {io_connecting})},
       "unknown-primary"},
      {"the only replica has failed",
       {lost(1), orphan(2, "#1:1-100", {sql_failed})},
       "no-candidate"},
      {"the only replica writes no binlog",
       {lost(1), orphan(2, "#1:1-100", {without_binlog})},
       "no-candidate"},
      {"the only replica would take no writes",
       {lost(1), orphan(2, "#1:1-100", {refusing_writes})},
       "no-candidate"},
      {"of two the one that takes writes",
       {lost(1), orphan(2, "#1:1-100", {refusing_writes}), orphan(3)},
       "db3"},
      {"nobody knows where the others would begin",
       {lost(1), orphan(2, "", {by_position, unknown_binlog_end})},
       "no-candidate"},
      {"by GTID nobody needs to know that",
       {lost(1), orphan(2, "#1:1-100", {unknown_binlog_end})},
       "db2"},
      {"the only replica must not",
       {lost(1), orphan(2)},
       "no-candidate",
       wishing({{"db2", kNever}})},
      {"the only replica may not be read",
       {lost(1), with(orphan(2), {unknown_channels})},
       "no-candidate",
       with_fence(),
       {},
       "db1"},
      {"incomparable replicas",
       {lost(1), orphan(2, "#1:1-100,#4:1"), orphan(3, "#1:1-100,#5:1")},
       "incomparable"},
      {"incomparable MariaDB replicas",
       {lost(1), maria_orphan(2, "0-1-100,1-4-1"), maria_orphan(3, "0-1-100,2-5-1")},
       "incomparable"},
      {"flavours that cannot be compared", {lost(1), orphan(2), maria_orphan(3)}, "incomparable"},
      {"more loss than allowed",
       {writer(1, "#1:1-110"), replica(2, 1)},
       "too-much-loss",
       losing_at_most(9),
       kAssumeDead},
      {"just the loss that is allowed",
       {writer(1, "#1:1-110"), replica(2, 1)},
       "db2",
       losing_at_most(10),
       kAssumeDead},
      {"more lag than allowed", {lost(1), orphan(2, "#1:1-100", {slow_30})}, "too-much-loss", lag},
      {"fencing is required and impossible",
       {lost(1), orphan(2)},
       "cannot-fence",
       fenced(Fence::kRequired)},
      {"fencing is only wished for", {lost(1), orphan(2)}, "db2", fenced(Fence::kBestEffort)},
      {"fencing is not wanted", {lost(1), orphan(2)}, "db2", fenced(Fence::kNone)},
      {"a primary that answers could be closed, a dead one cannot",
       {writer(1), replica(2, 1)},
       "cannot-fence",
       fenced(Fence::kRequired),
       kAssumeDead},
  };
}

std::vector<Case> choices() {
  return {
      {"one replica", {lost(1), orphan(2)}, "db2"},
      {"a hung primary", {lost(1, Reach::kHung), orphan(2)}, "db2"},
      {"stopped receivers", {lost(1), orphan(2, "#1:1-100", {io_stopped})}, "db2"},
      {"the one that has more", {lost(1), orphan(2, "#1:1-90"), orphan(3)}, "db3"},
      {"received counts, not applied",
       {lost(1), orphan(2, "#1:1-90"), received_to(orphan(3, "#1:1-50"), "#1:51-95")},
       "db3"},
      {"containment, not size",
       {lost(1), orphan(2, "#1:1-90,#2:1-50"), orphan(3, "#1:1-95")},
       "db3"},
      {"an errant one is not promoted though it has most",
       {lost(1), orphan(2), orphan(3, "#1:1-100,#3:1-5")},
       "db2"},
      {"an errant one alone is better than none",
       {writer(1), replica(2, 1, "#1:1-100,#2:1")},
       "db2",
       with_fence(),
       kAssumeDead},
      {"a former primary's transactions are not errant",
       {lost(1), orphan(2, "#1:1-100,#2:1-50"), orphan(3, "#1:1-99,#2:1-50")},
       "db2"},
      {"nor are those that another replica has not received yet",
       {lost(1), orphan(2, "#1:1-100,#2:1-50"), orphan(3, "#1:1-100,#2:1-40")},
       "db2"},
      {"a failed applier is passed over",
       {lost(1), orphan(2, "#1:1-100", {sql_failed}), orphan(3)},
       "db3"},
      {"a stopped applier is started",
       {lost(1), orphan(2, "#1:1-100", {sql_stopped}), orphan(3, "#1:1-90")},
       "db2"},
      {"the preferred one of equals",
       {lost(1), orphan(2), orphan(3)},
       "db3",
       wishing({{"db3", kPreferred}})},
      {"preference does not beat data",
       {lost(1), orphan(2), orphan(3, "#1:1-90")},
       "db2",
       wishing({{"db3", kPreferred}})},
      {"never means never",
       {lost(1), orphan(2), orphan(3, "#1:1-90")},
       "db3",
       wishing({{"db2", kNever}})},
      {"one that logs its source's updates",
       {lost(1), orphan(2, "#1:1-100", {without_updates}), orphan(3)},
       "db3"},
      {"the older version of equals", {lost(1), orphan(2, "#1:1-100", {newer}), orphan(3)}, "db3"},
      {"one without a delay", {lost(1), orphan(2, "#1:1-100", {delayed}), orphan(3)}, "db3"},
      {"a delayed one that has more",
       {lost(1), orphan(2, "#1:1-100", {delayed}), orphan(3, "#1:1-90")},
       "db2"},
      {"the first of equals", {lost(1), orphan(2), orphan(3)}, "db2"},
      {"a lost replica is passed over",
       {lost(1), lost(2), orphan(3)},
       "db3",
       with_fence(),
       remembering()},
      {"a hung replica is passed over",
       {lost(1), lost(2, Reach::kHung), orphan(3)},
       "db3",
       with_fence(),
       remembering()},
      {"an unreadable replica is passed over",
       {lost(1), lost(2, Reach::kUnreadable), orphan(3)},
       "db3",
       with_fence(),
       remembering()},
      {"a stranger is passed over",
       {lost(1), orphan(2), with(writer(3), {[](Node& n) { n.facts->read_only = true; }})},
       "db2"},
      {"the follower of a replica is passed over", {lost(1), orphan(2), replica(3, 2)}, "db2"},
      {"MariaDB: one replica", {lost(1), maria_orphan(2)}, "db2"},
      {"MariaDB: the one that has more",
       {lost(1), maria_orphan(2, "0-1-90"), maria_orphan(3)},
       "db3"},
      {"MariaDB: errant on top",
       {lost(1), maria_orphan(2, "0-1-100,0-2-101"), maria_orphan(3)},
       "db3"},
      {"MariaDB: errant and buried",
       {lost(1), maria_orphan(2, "0-1-100,0-2-50"), maria_orphan(3)},
       "db3"},
      {"MariaDB: a former primary on both sides",
       {lost(1), maria_orphan(2, "0-1-100,0-2-50"), maria_orphan(3, "0-1-99,0-2-50")},
       "db2"},
      {"MariaDB: a former primary whose last transactions only it has",
       {lost(1), maria_orphan(2, "0-1-100,0-2-103"), maria_orphan(3, "0-1-100,0-2-101")},
       "db2"},
      {"position: a pair", {lost(1), orphan(2, "", {by_position})}, "db2"},
      {"position: the one that read further",
       {lost(1), orphan(2, "", {by_position}), orphan(3, "", {by_position, read_further})},
       "db3"},
      {"position: the next file is further, whatever the offset",
       {lost(1), orphan(2, "", {by_position, read_further}),
        orphan(3, "", {by_position, read_next_file})},
       "db3"},
      {"position: equals",
       {lost(1), orphan(2, "", {by_position}), orphan(3, "", {by_position})},
       "db2"},
      {"position on MariaDB goes by the relay log, not by GTIDs",
       {lost(1), maria_orphan(2, "0-1-100", {[](Node& n) {
                                channel(n).uses_gtid = false;
                                channel(n).read = {"binlog.000007", 1000};
                              }}),
        maria_orphan(3, "0-1-99", {[](Node& n) {
                       channel(n).uses_gtid = false;
                       channel(n).read = {"binlog.000007", 2000};
                     }})},
       "db3"},
  };
}

TEST(PlanFailoverTest, EachWorldHasItsRefusalOrItsCandidate) {
  std::vector<Case> cases = refusals();
  for (Case& c : choices()) cases.push_back(std::move(c));
  EXPECT_GE(cases.size(), 60u);
  for (const Case& c : cases) {
    const Topology topology = linked(c.nodes);
    const Plan plan = plan_failover(topology, c.policy, c.context, c.primary);
    const std::string got =
        plan.possible() ? plan.candidate : std::string(refusal_name(plan.refusal));
    EXPECT_EQ(got, c.want) << c.name << ": " << plan.reason;
    EXPECT_EQ(plan.steps.empty(), !plan.possible()) << c.name;
    EXPECT_EQ(plan.reason.empty(), plan.possible()) << c.name;
    EXPECT_EQ(plan_failover(topology, c.policy, c.context, c.primary).hash, plan.hash);
    Plan told = plan;
    add_next_command(told);
    EXPECT_EQ(names_command(describe_refusal(told)), !plan.possible()) << describe_refusal(told);
  }
}

TEST(PlanFailoverTest, EachRefusalEndsWithWhatToType) {
  for (int i = 1; i <= static_cast<int>(Refusal::kNeedsResync); ++i) {
    Plan plan{.refusal = static_cast<Refusal>(i), .reason = "this"};
    add_next_command(plan);
    EXPECT_TRUE(plan.reason.starts_with("this; ") && names_command(plan.reason)) << plan.reason;
    EXPECT_TRUE(complete_commands(plan.reason, {"", "-o"}).ends_with(" -o")) << plan.reason;
    const std::string once = plan.reason;
    add_next_command(plan);
    EXPECT_EQ(plan.reason, once);
  }
  Plan several{.refusal = Refusal::kTooSoon, .reason = "a", .further = {{Refusal::kLocked, "b"}}};
  add_next_command(several);
  EXPECT_EQ(describe_refusal(several),
            "a (too-soon); b; to allow another failover, run: mysql_ha journal ack (locked)");
}

TEST(PlanFailoverTest, NoForeignWordCommandsATerminal) {
  Plan plan{.primary = "db1", .candidate = "db2"};
  const std::string hostile = "x\x1B[2J\n\xE2\x80\xAE|y";
  plan.warnings = {hostile};
  plan.rejected = {{"db3", hostile}};
  plan.loss.text = hostile;
  plan.steps = {{1,
                 Action::kPromote,
                 "db2",
                 {{Part::kStop, "STOP SLAVE '" + hostile + "'"}},
                 {hostile},
                 hostile}};
  const std::string text = render(plan), want = "x [2J  |y";
  EXPECT_EQ(text, "promote db2 in place of db1\nexpected loss: none that is known, " + want +
                      "; the old primary may have had more\nwarning: " + want +
                      "\nnot db3: " + want + "\n  1. promote       db2: " + want +
                      "\n       STOP SLAVE '" + want + "';\n       run: " + want + "\n");
  plan.refusal = Refusal::kNotReady;
  plan.reason = hostile;
  EXPECT_TRUE(render(plan).starts_with("no failover (not-ready): " + want + "\n"));
}

// The actions with their nodes: "fence(db1) drain(db2) ...", locks and probes left out.
std::string outline(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps)
    if (step.action != Action::kLock && step.action != Action::kConfirmDead &&
        step.action != Action::kRecheck)
      words.push_back(fmt::format("{}({})", action_name(step.action), step.node));
  return join(words, " ");
}

TEST(PlanFailoverTest, StepsStandInTheOrderThatLosesNothing) {
  Policy policy = with_fence();
  policy.vip = "192.0.2.10/24";
  policy.pre_failover = {{"pre"}};
  policy.post_failover = {{"post"}};
  policy.start_services = {{"systemctl", "start", "zabbix-server"}};
  EXPECT_EQ(outline(plan_failover(linked({lost(1), orphan(2), orphan(3)}), policy, {}, "")),
            "hook() fence(db1) stop-receiver(db2) stop-receiver(db3) drain(db2) record(db2) "
            "promote(db2) vip-down(db1) vip-up(db2) make-writable(db2) repoint(db3) "
            "start-service() hook() fence(db1)");
}

TEST(PlanFailoverTest, UnderSemiSyncOneSiblingFollowsBeforeClientsWrite) {
  EXPECT_EQ(outline(plan_failover(linked({lost(1), orphan(2, "#1:1-100", {semi_sync}), orphan(3),
                                          orphan(4, "#1:1-100", {semi_sync})}),
                                  with_fence(), {}, "")),
            "fence(db1) stop-receiver(db2) stop-receiver(db3) stop-receiver(db4) drain(db2) "
            "record(db2) promote(db2) repoint(db4) make-writable(db2) repoint(db3) fence(db1)");
}

TEST(PlanFailoverTest, SemiSyncIsOnAgainWhereverADrainHasSwitchedItOff) {
  const Policy all = with_fence(), not_db2 = wishing({{"db2", kNever}});
  const std::pair<Topology, const Policy&> cases[] = {
      {linked({lost(1), orphan(2, "", {semi_sync, by_position}),
               orphan(3, "", {semi_sync, by_position})}),
       all},
      {linked({lost(1), orphan(2, "#1:1-100", {semi_sync}), orphan(3, "#1:1-90", {semi_sync})}),
       not_db2}};
  for (const auto& [topology, policy] : cases) {
    std::map<std::string, std::string> last;
    int drained = 0;
    for (const Step& step : plan_failover(topology, policy, {}, "").steps) {
      if (step.action == Action::kDrain) ++drained;
      for (const std::string& sql : sql_of(step.statements))
        if (sql.starts_with("SET GLOBAL rpl_semi_sync_source_enabled")) last[step.node] = sql;
    }
    EXPECT_EQ(drained, 2);
    for (const auto& [node, sql] : last) EXPECT_TRUE(sql.ends_with("=ON")) << node;
  }
}

// Semi-sync as most have it: on at the primary alone, which is silent now.
void acknowledges(Node& node) {
  node.facts->semi_sync = {"rpl_semi_sync_source_enabled", false, true};
  node.facts->semi_sync.replica_variable = "rpl_semi_sync_replica_enabled";
  node.facts->semi_sync.wait_no_replica = true;
}
void waits_with_no_replica(Node& node) {
  semi_sync(node);
  node.facts->semi_sync.wait_no_replica = true;
}

std::string sql_at(const Plan& plan, Action action, const std::string& node) {
  for (const Step& step : plan.steps)
    if (step.action == action && step.node == node) return join(sql_of(step.statements), "; ");
  return "no step";
}

Context remembering(const SemiSync& of_db1) {
  Context context = remembering();
  context.memory.nodes["db1"].seen_s = 1;
  context.memory.nodes["db1"].semi_sync = of_db1;
  return context;
}

TEST(PlanFailoverTest, SemiSyncMovesWithTheRole) {
  const SemiSync waits = {"rpl_semi_sync_source_enabled", true, false};
  SemiSync lossless = waits;
  lossless.after_sync = lossless.wait_no_replica = true;
  lossless.timeout_ms = 86'400'000;
  const std::string kOn = "SET GLOBAL rpl_semi_sync_source_enabled=ON";
  const struct {
    const char* name;
    std::vector<Node> nodes;
    Context context;
    bool on;
    const char* warning;
  } cases[] = {
      {"it waited, and a sibling acknowledges",
       {lost(1), orphan(2, "#1:1-100", {acknowledges}), orphan(3, "#1:1-100", {acknowledges})},
       remembering(waits),
       true,
       ""},
      {"nothing is known of it, but that they acknowledge",
       {lost(1), orphan(2, "#1:1-100", {acknowledges}), orphan(3, "#1:1-100", {acknowledges})},
       {},
       true,
       ""},
      {"it did not wait",
       {lost(1), orphan(2, "#1:1-100", {acknowledges}), orphan(3, "#1:1-100", {acknowledges})},
       remembering({"rpl_semi_sync_source_enabled", false, false}),
       false,
       ""},
      {"no sibling is left that could acknowledge",
       {lost(1), orphan(2, "#1:1-100", {acknowledges}), lost(3)},
       remembering(waits),
       false,
       "no semi-sync replica can follow db2: until one does, only db2 has its writes; run later: "
       "mysql_ha rejoin db1"},
      {"the candidate has no plugin",
       {lost(1), orphan(2), orphan(3)},
       remembering(waits),
       false,
       "db2 cannot wait for acknowledgements as db1 did: for a moment only db2 has its writes; run "
       "there: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'"},
      {"the candidate would give up waiting",
       {lost(1), orphan(2, "#1:1-100", {acknowledges}), orphan(3, "#1:1-100", {acknowledges})},
       remembering(lossless),
       true,
       "db2 waits less strictly than db1 did: it may acknowledge a write that only db2 has. Give "
       "db2 the same timeout, wait point and wait_no_replica"},
  };
  for (const auto& one : cases) {
    const Plan plan = plan_failover(linked(one.nodes), with_fence(), one.context, "db1");
    EXPECT_EQ(sql_at(plan, Action::kPromote, "db2").find(kOn) != std::string::npos, one.on)
        << one.name;
    EXPECT_EQ(join(plan.warnings, "|"), one.warning) << one.name;
    if (!one.on) continue;
    EXPECT_LT(outline(plan).find("repoint(db3)"), outline(plan).find("make-writable")) << one.name;
  }
}

TEST(PlanFailoverTest, AReplicaWaitsForNoReplicasOfItsOwn) {
  const std::string sql =
      sql_at(plan_failover(linked({lost(1), orphan(2, "#1:1-100", {acknowledges}),
                                   orphan(3, "#1:1-100", {waits_with_no_replica})}),
                           with_fence(), {}, ""),
             Action::kRepoint, "db3");
  EXPECT_TRUE(sql.starts_with("SET GLOBAL rpl_semi_sync_source_enabled=OFF; ")) << sql;
  EXPECT_EQ(sql.find("=ON"), sql.npos) << sql;
}

TEST(PlanFailoverTest, ADelayIsLiftedForTheDrainAndPutBack) {
  const auto undo_of = [](const Plan& plan, const std::string& node) {
    for (const Step& step : plan.steps)
      if (step.action == Action::kSetDelay && step.node == node)
        return join(sql_of(step.undo[0].statements), "; ");
    return std::string("no step");
  };
  const Plan mysql =
      plan_failover(linked({lost(1), orphan(2, "#1:1-100", {delayed})}), with_fence(), {}, "");
  EXPECT_EQ(outline(mysql),
            "fence(db1) set-delay(db2) stop-receiver(db2) drain(db2) record(db2) promote(db2) "
            "make-writable(db2) fence(db1)");
  EXPECT_EQ(sql_at(mysql, Action::kSetDelay, "db2"),
            "STOP SLAVE SQL_THREAD; CHANGE MASTER TO MASTER_DELAY=0; START SLAVE SQL_THREAD");
  EXPECT_EQ(undo_of(mysql, "db2"),
            "STOP SLAVE SQL_THREAD; CHANGE MASTER TO MASTER_DELAY=3600; START SLAVE SQL_THREAD");
  const Plan mariadb =
      plan_failover(linked({lost(1), maria_orphan(2, "0-1-100", {delayed})}), with_fence(), {}, "");
  EXPECT_EQ(sql_at(mariadb, Action::kSetDelay, "db2"),
            "STOP SLAVE; CHANGE MASTER TO RELAY_LOG_FILE={relay_file}, "
            "RELAY_LOG_POS={relay_position}, MASTER_DELAY=0; START SLAVE SQL_THREAD");
  EXPECT_EQ(undo_of(mariadb, "db2"),
            "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=3600, MASTER_USE_GTID=slave_pos; "
            "START SLAVE");
  // One that hands on what only it has keeps its delay afterwards.
  const Plan handed = plan_failover(linked({lost(1), orphan(2), orphan(3, "#1:1-101", {delayed})}),
                                    wishing({{"db3", kNever}}), {}, "");
  EXPECT_NE(sql_at(handed, Action::kRepoint, "db3").find("_DELAY=3600"), std::string::npos);
  // Nobody waits for one that has nothing to give.
  EXPECT_EQ(outline(plan_failover(linked({lost(1), orphan(2), orphan(3, "#1:1-100", {delayed})}),
                                  wishing({{"db3", kNever}}), {}, ""))
                .find("set-delay"),
            std::string::npos);
}

TEST(PlanFailoverTest, AnotherSiblingAcknowledgesInPlaceOfOneThatIsHeldUp) {
  const Topology topology =
      linked({lost(1), orphan(2, "#1:1-100", {semi_sync}), orphan(3, "#1:1-100", {semi_sync}),
              orphan(4, "#1:1-100", {semi_sync})});
  const auto first_moved = [&](const Context& context) {
    const Plan plan = plan_failover(topology, with_fence(), context, "");
    EXPECT_EQ(plan.candidate, "db2");
    const auto step = std::ranges::find(plan.steps, Action::kRepoint, &Step::action);
    EXPECT_LT(step, std::ranges::find(plan.steps, Action::kMakeWritable, &Step::action));
    return step->node;
  };
  Context held_up;
  held_up.stuck = {{"db3", "repoint db3: a lock"}};
  EXPECT_EQ(first_moved({}), "db3");
  EXPECT_EQ(first_moved(held_up), "db4");
}

TEST(PlanFailoverTest, ANodeThatIsHeldUpIsReplacedByOneThatHasReceivedAsMuch) {
  Context held_up;
  held_up.stuck = {{"db2", "drain db2: a lock"}};
  const auto planned = [&](std::vector<Node> nodes, const Policy& policy) {
    return plan_failover(linked(std::move(nodes)), policy, held_up, "");
  };
  const Policy policy = with_fence();
  EXPECT_EQ(plan_failover(linked({lost(1), orphan(2), orphan(3)}), policy, {}, "").spare, "db3");
  EXPECT_EQ(plan_failover(linked({lost(1), orphan(2), orphan(3, "#1:1-99")}), policy, {}, "").spare,
            "");
  const Plan plan = planned({lost(1), orphan(2), orphan(3)}, policy);
  EXPECT_EQ(plan.candidate, "db3");
  EXPECT_EQ(plan.rejected[0].reason, "could not be promoted in the last try: drain db2: a lock");
  const Plan refused = planned({lost(1), orphan(2, "#1:1-104"), orphan(3)}, policy);
  EXPECT_EQ(refused.refusal, Refusal::kTooMuchLoss);
  EXPECT_EQ(refused.reason,
            "db2 has received 4 transactions that db3 lacks, and cannot apply them: drain db2: a "
            "lock. End what it waits for and run this again. To give these transactions up, run: "
            "mysql_ha "
            "failover --allow-loss");
  Policy accepting = policy;
  accepting.allow_loss = true;
  EXPECT_EQ(planned({lost(1), orphan(2, "#1:1-104"), orphan(3)}, accepting).candidate, "db3");
}

TEST(PlanFailoverTest, MariadbReceiversByGtidAreLeftAlone) {
  EXPECT_EQ(
      outline(
          plan_failover(linked({lost(1), maria_orphan(2), maria_orphan(3)}), with_fence(), {}, "")),
      "fence(db1) drain(db2) record(db2) promote(db2) make-writable(db2) repoint(db3) fence(db1)");
}

TEST(PlanFailoverTest, WhatOnlyAForbiddenNodeHasIsFetchedFromIt) {
  const Plan plan = plan_failover(linked({lost(1), orphan(2), orphan(3, "#1:1-90")}),
                                  wishing({{"db2", kNever}}), {}, "");
  EXPECT_EQ(outline(plan),
            "fence(db1) stop-receiver(db2) stop-receiver(db3) drain(db2) drain(db3) catch-up(db3) "
            "record(db3) promote(db3) make-writable(db3) repoint(db2) fence(db1)");
}

// A forecast names what the failover itself would name when the primary has died.
TEST(PlanFailoverTest, AForecastHasTheWordsOfTheFailover) {
  Policy careful = fenced(Fence::kRequired);
  careful.promotion = {{"db3", kNever}};
  const Context isolated = moment(Witnesses::kUnreached), forecast = {true, Witnesses::kUnreached};
  const std::vector<Node> before = {writer(1), replica(2, 1), with(replica(3, 1), {io_stopped})};
  std::vector<Node> after = {lost(1), orphan(2), with(orphan(3), {io_stopped})};
  for (const Policy& policy : {with_fence(), careful}) {
    for (const char* const name : {"", "db1"}) {
      Plan told = plan_failover(linked(before), policy, forecast, name);
      EXPECT_EQ(describe_refusal(told),
                describe_refusal(plan_failover(linked(after), policy, isolated, "")));
      told = plan_failover(linked(before), policy, kAssumeDead, name);
      const Plan real = plan_failover(linked(after), policy, {}, "");
      EXPECT_EQ(describe_refusal(told), describe_refusal(real));
      EXPECT_EQ(told.candidate, "db2");
      EXPECT_EQ(told.steps, real.steps);
      EXPECT_EQ(told.warnings, real.warnings);
      EXPECT_EQ(told.rejected, real.rejected);
    }
  }
}

TEST(PlanFailoverTest, AllThatStandsInTheWayIsNamed) {
  Context context = moment(Witnesses::kUnreached);
  context.runs.last_failover_age_s = 60;
  EXPECT_EQ(
      describe_refusal(plan_failover(linked({lost(1), orphan(2, "#1:1-100", {sql_failed})}),
                                     fenced(Fence::kRequired), context, "")),
      "no witness is reachable: this machine may be the one that is cut off (isolated); the last "
      "failover was 60s ago, less than 60m 00s, and is not acknowledged (too-soon); no node "
      "can be promoted in place of db1 (no-candidate); fencing db1 is required and there is "
      "no fence command; db1 cannot be closed without its answer; the acknowledgements of db1 "
      "cannot "
      "be revoked: the semi-sync settings of db1 are not known, it has not been seen since it "
      "became "
      "the primary; run a check of all nodes, or mysql_ha status, once a minute (cannot-fence)");
}

// Rings, primaries with a feed from outside: the primary of a live cluster is its only writer.
TEST(PlanFailoverTest, AForecastIsForTheOnlyWriter) {
  const auto also_follows = [](Node node, int source) {
    node.facts->channels->push_back(channel_from(source));
    return node;
  };
  const auto forecast = [](std::vector<Node> nodes, const Policy& policy = with_fence()) {
    const Plan plan = plan_failover(linked(std::move(nodes)), policy, kAssumeDead, "");
    return plan.possible() ? plan.candidate + " for " + plan.primary : describe_refusal(plan);
  };
  EXPECT_EQ(forecast({also_follows(writer(1), 2), replica(2, 1)}), "db2 for db1") << "a ring";
  EXPECT_EQ(forecast({also_follows(writer(1), 9), replica(2, 1)}), "db2 for db1") << "a feed";
  EXPECT_EQ(forecast({lost(1), writer(2)}),
            "db1 does not answer (no answer) and was never seen: it may take writes. Correct that. "
            "If db1 takes no writes, run: mysql_ha failover --assume-replica db1 (unread-node); no "
            "node can "
            "be promoted in place of db2 (no-candidate)");
}

TEST(PlanFailoverTest, AForecastIsRefusedWhereOnlyTheLivingPrimaryTellsItsName) {
  Topology topology = linked({writer(1), replica(2, 1)});
  (*topology.nodes[1].facts->channels)[0].source_host = "192.0.2.1";
  link_sources(topology, {});
  EXPECT_EQ(plan_failover(topology, with_fence(), kAssumeDead, "db1").candidate, "db2")
      << "what is seen now is remembered then";
  const Context forgetful = {.assume_dead = true, .memory_trouble = "no such directory"};
  const Plan plan = plan_failover(topology, with_fence(), forgetful, "db1");
  EXPECT_EQ(plan.refusal, Refusal::kUnknownPrimary);
  EXPECT_EQ(plan.reason,
            "when db1 is dead, no replica shows that db1 was the primary: they know it as "
            "192.0.2.1:3306; configure node=db1=db1:3306,alias=192.0.2.1:3306");
}

TEST(PlanFailoverTest, SqlIsSpelledForEachServer) {
  const auto sql_of = [](const Plan& plan, Action action) {
    for (const Step& step : plan.steps)
      if (step.action == action) return join(ha::sql_of(step.statements), "; ");
    return std::string();
  };
  const auto version = [](Node node, const char* greeting) {
    node.facts->version = parse_version(greeting);
    return node;
  };
  const Plan modern =
      plan_failover(linked({lost(1), version(orphan(2), "9.1.0"), version(orphan(3), "9.1.0")}),
                    with_fence(), {}, "");
  EXPECT_EQ(sql_of(modern, Action::kPromote),
            "STOP REPLICA FOR CHANNEL ''; RESET REPLICA ALL FOR CHANNEL ''");
  EXPECT_EQ(
      sql_of(modern, Action::kRepoint),
      "STOP REPLICA FOR CHANNEL ''; CHANGE REPLICATION SOURCE TO SOURCE_HOST='db2', "
      "SOURCE_PORT=3306, SOURCE_AUTO_POSITION=1 FOR CHANNEL ''; START REPLICA FOR CHANNEL ''");
  EXPECT_EQ(sql_of(modern, Action::kMakeWritable),
            "SET GLOBAL super_read_only=0, GLOBAL read_only=0");
  const Plan old =
      plan_failover(linked({lost(1), version(orphan(2), "5.7.44"), version(orphan(3), "5.7.44")}),
                    with_fence(), {}, "");
  EXPECT_EQ(sql_of(old, Action::kRepoint),
            "STOP SLAVE FOR CHANNEL ''; CHANGE MASTER TO MASTER_HOST='db2', MASTER_PORT=3306, "
            "MASTER_AUTO_POSITION=1 FOR CHANNEL ''; START SLAVE FOR CHANNEL ''");
  const auto named = [&](int number) {
    return maria_orphan(number, "0-1-100", {[](Node& n) {
                          n.facts->version = parse_version("10.11.6-MariaDB");
                          channel(n).name = "east";
                        }});
  };
  const Plan maria = plan_failover(linked({lost(1), named(2), named(3)}), with_fence(), {}, "");
  EXPECT_EQ(sql_of(maria, Action::kPromote), "STOP SLAVE 'east'; RESET SLAVE 'east' ALL");
  EXPECT_EQ(sql_of(maria, Action::kRepoint),
            "STOP SLAVE 'east'; CHANGE MASTER 'east' TO MASTER_HOST='db2', MASTER_PORT=3306, "
            "MASTER_USE_GTID=slave_pos; START SLAVE 'east'");
  EXPECT_EQ(sql_of(maria, Action::kMakeWritable), "SET GLOBAL read_only=0");
}

TEST(PlanFailoverTest, SiblingsThatCannotFollowAreNamed) {
  const Plan plan = plan_failover(
      linked({lost(1), orphan(2, "", {by_position, read_further}), orphan(3, "", {by_position})}),
      with_fence(), {}, "");
  EXPECT_EQ(join(plan.warnings, "|"), "db3 needs a resync: it is at another position");
}

TEST(PlanFailoverTest, WarningsAreNamed) {
  const Plan plan = plan_failover(linked({lost(1), orphan(2, "#1:1-100", {delayed, filtered})}),
                                  fenced(Fence::kNone), {}, "");
  EXPECT_EQ(join(plan.warnings, "|"),
            "db2 applies with a delay of 60m 00s, which the failover removes|"
            "db2 has a filter, so it may lack tables: Replicate_Do_DB=pandora|"
            "nothing keeps db1 from taking writes when it comes back (fence is none)");
}

TEST(PlanFailoverTest, ANewerCandidateAheadOfItsSiblingsIsAWarning) {
  const Plan plan =
      plan_failover(linked({lost(1), orphan(2, "#1:1-100", {newer}), orphan(3, "#1:1-90")}),
                    with_fence(), {}, "");
  EXPECT_EQ(plan.candidate, "db2");
  EXPECT_NE(join(plan.warnings, "|")
                .find("db2 (9.0) is newer than db3 (0.0): replication to db3 (0.0) may stop at the "
                      "first event "
                      "that db3 (0.0) does not know. Upgrade it too, or set never = db2"),
            std::string::npos)
      << join(plan.warnings, "|");
}

TEST(PlanFailoverTest, LossIsForecastFromWhatIsKnown) {
  const Plan plan =
      plan_failover(linked({writer(1, "#1:1-112"), replica(2, 1)}), with_fence(), kAssumeDead, "");
  EXPECT_EQ(plan.loss.transactions, 12u);
  EXPECT_FALSE(plan.loss.at_least);
  EXPECT_EQ(plan.loss.text, "not received: " + gtids("#1:101-112").print());
  const Plan blind = plan_failover(linked({lost(1), orphan(2)}), with_fence(), {}, "");
  EXPECT_TRUE(blind.loss.at_least);
}

TEST(PlanFailoverTest, WhatOnlyAnErrantNodeReceivedIsCountedAsLost) {
  const auto nodes = linked({lost(1), orphan(2, "#1:1-100,#2:1"), orphan(3, "#1:1-40")});
  const Plan plan = plan_failover(nodes, with_fence(), {}, "");
  EXPECT_EQ(plan.candidate, "db3");
  EXPECT_EQ(plan.loss.transactions, 60u);
  EXPECT_NE(
      join(plan.warnings, "|").find("db2 needs a resync: it has extra transactions that db3 lacks"),
      std::string::npos);
  EXPECT_EQ(plan_failover(nodes, losing_at_most(59), {}, "").refusal, Refusal::kTooMuchLoss);
}

TEST(PlanFailoverTest, AReplicaThatMissedTheLastChangeIsNotBelieved) {
  const Context after_change = {.runs = {.primary = "db2"}};
  EXPECT_EQ(
      plan_failover(linked({lost(1), lost(2), orphan(3)}), with_fence(), after_change, "").refusal,
      Refusal::kUnknownPrimary);
  EXPECT_EQ(plan_failover(linked({lost(1), orphan(2), orphan(3)}), with_fence(), after_change, "")
                .candidate,
            "db2");
  EXPECT_TRUE(
      plan_failover(linked({lost(1), orphan(3)}), with_fence(), after_change, "").possible());
}

TEST(PlanFailoverTest, ThePrintedPlanEndsWithItsHash) {
  const Plan plan =
      plan_failover(linked({lost(1), orphan(2), lost(3)}), with_fence(), remembering(), "db1");
  EXPECT_EQ(
      render(plan),
      "promote db2 in place of db1\n"
      "expected loss: none that is known, no answer from db3; the old primary may have had more\n"
      "evidence that db1 takes no writes: the fence command\n"
      "not db3: cannot be read: no answer\n"
      "  1. lock          db2: so that no other run acts\n"
      "  2. confirm-dead  db1: probe it once more\n"
      "  3. fence         db1: exit 0: fenced, 10: the operator accepts the risk\n"
      "       run: /usr/local/sbin/fence\n"
      "  4. stop-receiver db2: it receives nothing from a primary that comes back\n"
      "       STOP SLAVE IO_THREAD;\n"
      "  5. drain         db2: until all received transactions are applied (0 transactions left)\n"
      "  6. record        db2: which transactions each node had, for the return of db1\n"
      "  7. promote       db2\n"
      "       STOP SLAVE;\n"
      "       RESET SLAVE ALL;\n"
      "  8. recheck       db1: this run still holds the lock, and the old primary is still dead\n"
      "  9. make-writable db2: the point of no return\n"
      "       SET GLOBAL super_read_only=0, GLOBAL read_only=0;\n"
      " 10. fence         db1: if it answers again\n"
      "       SET GLOBAL read_only=1, GLOBAL super_read_only=1;\n"
      "plan hash: " +
          plan.hash + "\n");
  EXPECT_EQ(plan.hash.size(), 16u);
}

TEST(PlanFailoverTest, TheHashChangesWithTheWorld) {
  const auto hash = [](std::vector<Node> nodes) {
    return plan_failover(linked(std::move(nodes)), with_fence(), remembering(), "db1").hash;
  };
  const std::string before = hash({lost(1), orphan(2), orphan(3)});
  EXPECT_EQ(before, hash({lost(1), orphan(2), orphan(3)}));
  EXPECT_NE(before, hash({lost(1), orphan(2, "#1:1-101"), orphan(3)}));
  EXPECT_NE(before, hash({lost(1), orphan(2), lost(3)}));
  EXPECT_NE(before, hash({lost(1), orphan(2), orphan(3, "#1:1-100", {sql_stopped})}));
}

TEST(PlanFailoverTest, TheHashCoversWhatTakesAStepBack) {
  const Topology topology = linked({lost(1), orphan(2), orphan(3)});
  Plan plan = plan_failover(topology, with_fence(), remembering(), "db1");
  plan.hash.clear();
  const std::string before = hash_of(plan, topology);
  const auto with_undo =
      std::ranges::find_if(plan.steps, [](const Step& step) { return !step.undo.empty(); });
  ASSERT_NE(with_undo, plan.steps.end());
  const Step undo = with_undo->undo[0];
  with_undo->undo.clear();
  EXPECT_NE(hash_of(plan, topology), before);
  for (const auto& change : std::initializer_list<void (*)(Step&)>{
           [](Step& step) { step.node = "db3"; }, [](Step& step) { step.channel = "other"; },
           [](Step& step) { step.other = "db9"; }, [](Step& step) { step.statements.clear(); },
           [](Step& step) { step.argv = {"/bin/true"}; }}) {
    with_undo->undo = {undo};
    EXPECT_EQ(hash_of(plan, topology), before);
    change(with_undo->undo[0]);
    EXPECT_NE(hash_of(plan, topology), before);
  }
}

}  // namespace
}  // namespace ha
