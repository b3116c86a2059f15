// SPDX-License-Identifier: MIT
// When a primary that cannot be reached gets no acknowledgement any more, and what --fence makes of
// that.
#include "common/failover/revocation.h"

#include <gtest/gtest.h>

#include "common/failover/plan.h"
#include "common/failover/run.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

constexpr double kSeen_s = 1000, kDay_s = 86400;
constexpr Flavour kMariadb = Flavour::kMariadb;

SemiSync lossless_source(const std::string& variable = "rpl_semi_sync_source_enabled") {
  SemiSync own;
  own.source_variable = variable;
  own.source_enabled = own.source_active = own.after_sync = own.wait_no_replica = true;
  own.timeout_ms = 86'400'000;
  own.clients = 2;
  own.wait_count = 1;
  return own;
}

void acknowledging(Node& node) {
  node.facts->semi_sync.replica_variable = "rpl_semi_sync_replica_enabled";
  node.facts->semi_sync.replica_enabled = node.facts->semi_sync.replica_active = true;
}

Node acknowledger(int number, Flavour flavour = Flavour::kMysql, int source = 1) {
  const char* const history = flavour == Flavour::kMysql ? "#1:1-100" : "0-1-100";
  return with(replica(number, source, history, flavour), {acknowledging});
}

Node orphan(int number, Flavour flavour = Flavour::kMysql) {
  return with(acknowledger(number, flavour), {io_connecting});
}

// A cluster as it was last seen, and as it is without its primary.
struct World {
  std::vector<Node> before = {writer(1), acknowledger(2), acknowledger(3)};
  std::vector<Node> now = {lost(1), orphan(2), orphan(3)};
  Policy policy = {};
  double now_s = kSeen_s + 60;

  World() { source() = lossless_source(); }

  SemiSync& source() { return before[0].facts->semi_sync; }

  Context context() const {
    Context moment;
    moment.memory = remember({}, linked(before), kSeen_s);
    moment.now_s = now_s;
    return moment;
  }
  Revocation judge(const Context& moment) const {
    const Topology topology = linked(now, moment.memory);
    return judge_revocation({topology, policy, moment, 0});
  }
  Revocation judge() const { return judge(context()); }
  Plan plan(Fence fence) const {
    Policy rules = policy;
    rules.fence = fence;
    const Context moment = context();
    return plan_failover(linked(now, moment.memory), rules, moment, "");
  }
};

TEST(RevocationTest, StopsEveryReceiverOfThePrimary) {
  const Revocation revocation = World().judge();
  EXPECT_EQ(revocation.missing, "");
  EXPECT_EQ(revocation.receivers, (std::vector<Receiver>{{1, 0}, {2, 0}}));
  EXPECT_EQ(revocation.text,
            "db1 waits for one acknowledgement under lossless semi-sync, as it was last seen, and "
            "gets none when db2, db3 no longer receive");
}

TEST(RevocationTest, EachSettingThatIsMissingIsNamedWithWhatToType) {
  const std::string put = ", and put the same into its option file";
  const struct {
    const char* name;
    void (*spoil)(SemiSync& own);
    std::string missing;
  } cases[] = {
      {"no plugin", [](SemiSync& own) { own = {}; },
       "db1 had no semi-sync source; run there: INSTALL PLUGIN rpl_semi_sync_source SONAME "
       "'semisync_source.so'"},
      {"switched off", [](SemiSync& own) { own.source_enabled = false; },
       "db1: rpl_semi_sync_source_enabled was OFF; while it is the primary, run there: SET GLOBAL "
       "rpl_semi_sync_source_enabled=ON" +
           put},
      {"after the commit", [](SemiSync& own) { own.after_sync = false; },
       "db1: rpl_semi_sync_source_wait_point was AFTER_COMMIT; while it is the primary, run there: "
       "SET GLOBAL rpl_semi_sync_source_wait_point=AFTER_SYNC" +
           put},
      {"not without a replica", [](SemiSync& own) { own.wait_no_replica = false; },
       "db1: rpl_semi_sync_source_wait_no_replica was OFF; while it is the primary, run there: SET "
       "GLOBAL rpl_semi_sync_source_wait_no_replica=ON" +
           put},
      {"ten seconds", [](SemiSync& own) { own.timeout_ms = 10000; },
       "db1: rpl_semi_sync_source_timeout was 10000; while it is the primary, run there: SET "
       "GLOBAL "
       "rpl_semi_sync_source_timeout=86400000" +
           put},
      {"nearly a day", [](SemiSync& own) { own.timeout_ms = 86'399'999; },
       "db1: rpl_semi_sync_source_timeout was 86399999; while it is the primary, run there: SET "
       "GLOBAL rpl_semi_sync_source_timeout=86400000" +
           put},
      {"the old words, and several",
       [](SemiSync& own) {
         own.source_variable = "rpl_semi_sync_master_enabled";
         own.timeout_ms.reset();
         own.wait_no_replica = false;
       },
       "db1: rpl_semi_sync_master_wait_no_slave was OFF, rpl_semi_sync_master_timeout was not "
       "known; while it is the primary, run there: SET GLOBAL "
       "rpl_semi_sync_master_wait_no_slave=ON, GLOBAL rpl_semi_sync_master_timeout=86400000" +
           put},
      {"fallen back", [](SemiSync& own) { own.source_active = false; },
       "db1 did not wait for acknowledgements when it was last seen (Rpl_semi_sync_source_status "
       "was "
       "OFF); on its replicas, check that they acknowledge"},
      {"its clients are not known", [](SemiSync& own) { own.clients.reset(); },
       "it is not known how many replicas acknowledge to db1 (Rpl_semi_sync_source_clients)"},
  };
  for (const auto& c : cases) {
    World world;
    c.spoil(world.source());
    EXPECT_EQ(world.judge().missing, c.missing) << c.name;
  }
}

TEST(RevocationTest, WhatWasSeenIsBelievedForADay) {
  const auto missing = [](double now_s) {
    World world;
    world.now_s = now_s;
    return world.judge().missing;
  };
  EXPECT_EQ(missing(kSeen_s), "");
  EXPECT_EQ(missing(kSeen_s + kDay_s), "");
  EXPECT_EQ(
      missing(kSeen_s + kDay_s + 3600),
      "the semi-sync settings of db1 were last seen 25h 00m ago, more than a day; run a check "
      "of all nodes, or mysql_ha status, once a minute");
  EXPECT_EQ(
      missing(kSeen_s - 3600),
      "it is not known when the semi-sync settings of db1 were seen, because the clock was set "
      "back; run a check of all nodes, or mysql_ha status, once a minute");
}

TEST(RevocationTest, WhatWasNotSeenIsNotBelieved) {
  const World world;
  Context never = world.context(), promoted = never;
  never.memory = {};
  never.memory_trouble = "there is no memory.json yet";
  EXPECT_EQ(
      world.judge(never).missing,
      "the semi-sync settings of db1 are not known (there is no memory.json yet); run a check "
      "of all nodes, or mysql_ha status, once a minute");
  promoted.memory = with_primary(promoted.memory, world.before[0], kSeen_s);
  EXPECT_EQ(world.judge(promoted).missing,
            "the semi-sync settings of db1 are not known, it has not been seen since it became the "
            "primary; run a check of all nodes, or mysql_ha status, once a minute");
}

TEST(RevocationTest, FewerMustBeLeftThanThePrimaryWaitsFor) {
  const char* const kSilent =
      "db1 waits for one acknowledgement, which it may still get: db3 may acknowledge and cannot "
      "be "
      "asked to stop receiving; make db3 answer";
  const struct {
    const char* name;
    void (*change)(World& world);
    std::string missing;
  } cases[] = {
      {"a silent one that acknowledges", [](World& w) { w.now[2] = lost(3); }, kSilent},
      {"one whose replication cannot be read",
       [](World& w) { w.now[2] = with(orphan(3), {unknown_channels}); }, kSilent},
      {"a silent one, and two are waited for",
       [](World& w) {
         w.now[2] = lost(3);
         w.source().wait_count = 2;
       },
       ""},
      {"a silent one that never acknowledged",
       [](World& w) {
         w.before[2] = replica(3, 1);
         w.source().clients = 1;
         w.now[2] = lost(3);
       },
       ""},
      {"a silent one that acknowledges to another",
       [](World& w) {
         w.before[2] = acknowledger(3, Flavour::kMysql, 2);
         w.source().clients = 1;
         w.now[2] = lost(3);
       },
       ""},
      {"a silent one that was never seen",
       [](World& w) {
         w.before[2] = lost(3);
         w.source().clients = 1;
         w.now[2] = lost(3);
       },
       kSilent},
      {"one that follows no server any more",
       [](World& w) {
         w.now[2].facts->channels->clear();
         w.now[2].sources.clear();
       },
       ""},
      {"a stopped receiver is stopped all the same",
       [](World& w) { channel(w.now[2]).io.state = ThreadState::kStopped; }, ""},
      {"a replica outside of the cluster", [](World& w) { w.source().clients = 3; },
       "db1 waits for one acknowledgement, which it may still get: one replica that acknowledged "
       "when db1 was last seen (Rpl_semi_sync_source_clients was 3) is none of the nodes that were "
       "seen to; name it with --node, or run there: SET GLOBAL rpl_semi_sync_replica_enabled=OFF"},
      {"one outside, and two are waited for",
       [](World& w) {
         w.source().clients = 3;
         w.source().wait_count = 2;
       },
       ""},
      {"one outside in the place of a node that did not receive then",
       [](World& w) { channel(w.before[2]).io.state = ThreadState::kStopped; },
       "db1 waits for one acknowledgement, which it may still get: one replica that acknowledged "
       "when db1 was last seen (Rpl_semi_sync_source_clients was 2) is none of the nodes that were "
       "seen to; name it with --node, or run there: SET GLOBAL rpl_semi_sync_replica_enabled=OFF"},
      {"a node that is to acknowledge and does not yet",
       [](World& w) {
         w.before[2].facts->semi_sync.replica_active = false;
         w.source().clients = 1;
       },
       ""},
  };
  for (const auto& c : cases) {
    World world;
    c.change(world);
    EXPECT_EQ(world.judge().missing, c.missing) << c.name;
  }
}

// What a silent node was in an older look says nothing of who acknowledged in the last one.
TEST(RevocationTest, AcknowledgersAreCountedInOneLook) {
  World world;
  world.source().wait_count = 2;
  Context moment = world.context();
  std::vector<Node> later = {world.before[0], world.before[1], lost(3)};
  moment.memory = remember(moment.memory, linked(later, moment.memory), kSeen_s + 30);
  world.now[2] = lost(3);
  EXPECT_EQ(
      world.judge(moment).missing,
      "db1 waits for 2 acknowledgements, which it may still get: db3 may acknowledge and "
      "cannot be asked to stop receiving; make db3 answer; one replica that acknowledged when "
      "db1 was last seen (Rpl_semi_sync_source_clients was 2) is none of the nodes that were "
      "seen to; name it with --node, or run there: SET GLOBAL "
      "rpl_semi_sync_replica_enabled=OFF");
}

TEST(RevocationTest, EveryChannelOfANodeIsStopped) {
  World world;
  for (std::vector<Node>* const nodes : {&world.before, &world.now}) {
    ChannelStatus second = channel_from(1);
    second.name = "second";
    (*nodes)[1].facts->channels->push_back(second);
  }
  EXPECT_EQ(world.judge().receivers, (std::vector<Receiver>{{1, 0}, {1, 1}, {2, 0}}));
}

std::string outline(const Plan& plan) {
  std::string text;
  for (const Step& step : plan.steps)
    text += fmt::format("{}{}({}{})", text.empty() ? "" : " ", action_name(step.action), step.node,
                        step.may_fail ? ", may fail" : "");
  return text.empty() ? describe_refusal(plan) : text;
}

TEST(EvidenceTest, RevocationComesBeforeAllThatChangesAnything) {
  const World world;
  for (const Fence fence : {Fence::kRevoke, Fence::kRequired}) {
    const Plan plan = world.plan(fence);
    EXPECT_EQ(plan.evidence, Evidence::kRevocation);
    EXPECT_EQ(
        outline(plan),
        "lock(db2) lock(db3) confirm-dead(db1) revoke(db2) revoke(db3) drain(db2) record(db2) "
        "promote(db2) recheck(db1) make-writable(db2) repoint(db3, may fail) fence(db1, may fail)");
    EXPECT_NE(render(plan).find("evidence that db1 takes no writes: revocation: db1 waits for one "
                                "acknowledgement under lossless semi-sync"),
              std::string::npos);
    const Step& revoke = plan.steps[3];
    EXPECT_EQ(render(revoke),
              "  4. revoke        db2: it acknowledges nothing to db1 any more\n"
              "       STOP SLAVE IO_THREAD;\n");
    ASSERT_EQ(revoke.undo.size(), 1u);
    EXPECT_EQ(revoke.undo[0].statements[0].sql, "START SLAVE IO_THREAD");
    EXPECT_EQ(render(plan.loss), "none that is known; the old primary may have had more");
  }
}

// MariaDB's receivers by GTID are left alone otherwise.
TEST(EvidenceTest, MariadbsReceiversAreStoppedToo) {
  World world;
  world.before = {writer(1, "0-1-100", kMariadb), acknowledger(2, kMariadb)};
  world.now = {lost(1), orphan(2, kMariadb)};
  world.source() = lossless_source("rpl_semi_sync_master_enabled");
  world.source().clients = 1;
  EXPECT_EQ(outline(world.plan(Fence::kRevoke)),
            "lock(db2) confirm-dead(db1) revoke(db2) drain(db2) record(db2) promote(db2) "
            "recheck(db1) make-writable(db2) fence(db1, may fail)");
}

TEST(EvidenceTest, AFenceCommandDecidesUnlessRevocationIsAskedFor) {
  World world;
  world.policy.fence_command = {"/usr/local/sbin/fence"};
  const auto beginning = [&](Fence fence) {
    const std::string text = outline(world.plan(fence));
    return text.substr(0, text.find(" drain"));
  };
  EXPECT_EQ(
      beginning(Fence::kRequired),
      "lock(db2) lock(db3) confirm-dead(db1) fence(db1) stop-receiver(db2) stop-receiver(db3)");
  EXPECT_EQ(world.plan(Fence::kRequired).evidence, Evidence::kFenceCommand);
  EXPECT_EQ(beginning(Fence::kRevoke),
            "lock(db2) lock(db3) confirm-dead(db1) revoke(db2) revoke(db3) fence(db1, may fail)");
  for (const Fence fence : {Fence::kBestEffort, Fence::kNone}) {
    EXPECT_EQ(world.plan(fence).evidence, Evidence::kNone);
    EXPECT_EQ(beginning(fence).find("revoke"), std::string::npos);
  }
}

// Its connections stay, and its replicas receive heartbeats.
TEST(EvidenceTest, APrimaryThatHangsIsReplacedOnceItIsRevoked) {
  World world;
  world.now = {lost(1, Reach::kHung), acknowledger(2), acknowledger(3)};
  Context moment = world.context();
  moment.primary_hung_s = 31;
  const Topology topology = linked(world.now, moment.memory);
  EXPECT_EQ(plan_failover(topology, world.policy, moment, "").candidate, "db2");
  moment.primary_hung_s = 29;
  EXPECT_EQ(plan_failover(topology, world.policy, moment, "").refusal, Refusal::kStillReceives);
  moment.primary_hung_s = 31;
  moment.memory = {};
  EXPECT_EQ(plan_failover(topology, world.policy, moment, "").refusal, Refusal::kStillReceives);
}

TEST(EvidenceTest, ARefusalSaysWhatIsMissingForEach) {
  World world;
  world.now[2] = lost(3);
  const std::string left =
      "db1 waits for one acknowledgement, which it may still get: db3 may acknowledge and cannot "
      "be "
      "asked to stop receiving; make db3 answer (cannot-fence)";
  EXPECT_EQ(describe_refusal(world.plan(Fence::kRequired)),
            "fencing db1 is required and there is no fence command; db1 cannot be closed without "
            "its answer; the acknowledgements of db1 cannot be revoked: " +
                left);
  EXPECT_EQ(describe_refusal(world.plan(Fence::kRevoke)),
            "the acknowledgements of db1 cannot be revoked (fence is revoke): " + left);
}

TEST(EvidenceTest, ItsNamesAreReadAgain) {
  for (const Evidence one :
       {Evidence::kNone, Evidence::kFenceCommand, Evidence::kClosing, Evidence::kRevocation})
    EXPECT_EQ(parse_evidence(evidence_name(one)), one);
  EXPECT_EQ(parse_evidence("nonsense"), Evidence::kNone);
  const Plan plan = World().plan(Fence::kRevoke), again = *plan_from_json(plan_to_json(plan));
  EXPECT_EQ(again.evidence, plan.evidence);
  EXPECT_EQ(again.evidence_text, plan.evidence_text);
  EXPECT_EQ(again.steps, plan.steps);
}

}  // namespace
}  // namespace ha
