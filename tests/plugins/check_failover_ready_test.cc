// SPDX-License-Identifier: MIT
#include "plugins/check_failover_ready.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/machine.h"
#include "common/report.h"
#include "tests/topology_builders.h"

namespace ha {
namespace {

Policy with_fence() {
  Policy policy;
  policy.fence_command = {"/usr/local/sbin/fence"};
  return policy;
}

ReadyFacts with_nodes(std::vector<Node> nodes) { return {.topology = linked(std::move(nodes))}; }

ReadyFacts sound() { return with_nodes({writer(1), replica(2, 1), replica(3, 1)}); }

Node failed(int number) {
  Node node = replica(number, 1);
  channel(node).sql = {ThreadState::kStopped, 1062, "Duplicate entry"};
  return node;
}

// Has received as far as #1:110 and is `seconds` behind.
Node behind(int number, double seconds) {
  Node node = replica(number, 1);
  std::get<MysqlHistory>(node.facts->history).retrieved = gtids("#1:101-110");
  channel(node).seconds_behind = seconds;
  return node;
}

std::string line(const ReadyFacts& facts, const Policy& policy = with_fence(),
                 const ReadyLimits& limits = {}) {
  const std::string output = render({"failover_ready"}, evaluate(facts, policy, limits)).output;
  return output.substr(0, output.find('\n'));
}

double metric(const CheckResult& result, std::size_t place) {
  return result.metrics[place].value.value_or(-1);
}

TEST(CheckFailoverReadyTest, TheWholeOutput) {
  ReadyFacts facts = sound();
  facts.accounts["db3"] = "db3: access denied for user 'repl'";
  EXPECT_EQ(render({"failover_ready"}, evaluate(facts, with_fence(), {})).output,
            "FAILOVER READY WARNING - db2 would replace db1, nothing would be lost: db3: the "
            "replication account cannot be used: db3: access denied for user 'repl' | "
            "'candidates'=2;;;0 'lost_transactions'=0;;;0 'drain_time'=0s;;;0\n"
            "[WARNING] db3: db2 has received as much and is preferred; db3: the replication "
            "account cannot be "
            "used: db3: access denied for user 'repl'\n"
            "[OK] db1: the primary\n"
            "[OK] db2: would be promoted\n");
}

// All nodes were seen before, db1 with its replicas.
ReadyFacts seen_well(ReadyFacts facts) {
  facts.known.memory = remember({}, linked({writer(1), replica(2, 1), replica(3, 1)}), 1000);
  return facts;
}

struct Case {
  const char* name;
  ReadyFacts facts;
  State want;
  const char* words;
  Policy policy = with_fence();
};

TEST(CheckFailoverReadyTest, JudgesThePlan) {
  Policy none = with_fence(), careful = with_fence(), hasty = with_fence();
  none.fence = Fence::kNone;
  careful.max_lost_transactions = 5;
  Node unread = replica(3, 1);
  unread.facts->channels.reset();
  unread.facts->unread = {"replication status unknown: run: GRANT"};
  const Case cases[] = {
      {"sound", sound(), State::kOk, "db2 would replace db1, nothing would be lost"},
      {"two nodes", with_nodes({writer(1), replica(2, 1)}), State::kOk, "db2 would replace db1"},
      {"no fence", sound(), State::kWarning, "nothing keeps db1 from taking writes", none},
      {"a live primary alone could be closed, a dead one cannot",
       sound(),
       State::kCritical,
       "db2 could not replace db1: fencing db1 is required and there is no fence command",
       {}},
      {"the only replica is broken", with_nodes({writer(1), failed(2)}), State::kCritical,
       "no failover is possible: no node can be promoted in place of db1; not db2: its SQL thread"},
      {"one of two replicas is broken", with_nodes({writer(1), replica(2, 1), failed(3)}),
       State::kWarning, "db2 would replace db1, nothing would be lost: db3 needs a resync"},
      {"errant only", with_nodes({writer(1), replica(2, 1, "#1:1-100,#2:1")}), State::kWarning,
       "db2 has 1 errant transaction that db1 lacks"},
      {"loss", with_nodes({writer(1, "#1:1-103"), replica(2, 1)}), State::kWarning,
       "3 transactions would be lost: not received: "},
      {"too much loss", with_nodes({writer(1, "#1:1-110"), replica(2, 1)}), State::kCritical,
       "10 transactions would be lost, more than 5", careful},
      {"the primary is down already", with_nodes({lost(1), replica(2, 1), replica(3, 1)}),
       State::kCritical,
       "db2 would replace db1, no known transaction would be lost: no server takes writes; db1 is "
       "unreachable"},
      {"whether the primary takes writes is not known",
       with_nodes({lost(1, Reach::kRefuses), replica(2, 1), replica(3, 1)}), State::kWarning,
       "no server is known to take writes, db1 cannot be read"},
      {"the primary could not be asked",
       with_nodes({lost(1, Reach::kNotAsked), replica(2, 1), replica(3, 1)}), State::kUnknown,
       "no server is known to take writes, db1 cannot be read"},
      {"the only replica could not be asked", with_nodes({writer(1), lost(2, Reach::kNotAsked)}),
       State::kUnknown, "no failover is possible"},
      {"two writers, and a replica that could not be asked",
       with_nodes({writer(1), writer(2), replica(3, 1), lost(4, Reach::kNotAsked)}),
       State::kCritical, "db2 accepts writes already"},
      {"a replica that could not be asked, and no fence",
       with_nodes({writer(1), replica(2, 1), lost(3, Reach::kNotAsked)}),
       State::kCritical,
       "fencing db1 is required and there is no fence command",
       {}},
      {"a replica that could not be asked, and a loss",
       with_nodes({writer(1, "#1:1-95"), replica(2, 1), lost(3, Reach::kNotAsked)}),
       State::kCritical, "db1 has lost 5 transactions"},
      {"this machine cannot try an account",
       [] {
         ReadyFacts facts = sound();
         facts.accounts["db3"] = std::string("Can't create TCP/IP socket (24)") + kOwnWant;
         return facts;
       }(),
       State::kUnknown, "db3: the replication account cannot be used"},
      {"a replica hangs", seen_well(with_nodes({writer(1), replica(2, 1), lost(3, Reach::kHung)})),
       State::kWarning, "db3 does not answer"},
      {"a replica may not be read", with_nodes({writer(1), replica(2, 1), unread}), State::kWarning,
       "db3: replication status unknown: run: GRANT"},
      {"the only replica may not be read", with_nodes({writer(1), lost(2, Reach::kUnreadable)}),
       State::kCritical, "no failover is possible"},
      {"two writers", with_nodes({writer(1), writer(2), replica(3, 1)}), State::kCritical,
       "db2 accepts writes already"},
      {"one server_id twice",
       with_nodes({writer(1), replica(2, 1),
                   [] {
                     Node node = replica(3, 1);
                     node.facts->server_id = 2;
                     return node;
                   }()}),
       State::kWarning, "db2, db3 share the server_id 2"},
      {"no replica at all", with_nodes({writer(1)}), State::kCritical, "no failover is possible"},
      {"nobody there", with_nodes({lost(1), lost(2)}), State::kCritical, "no failover is possible"},
  };
  for (const Case& c : cases) {
    const CheckResult result = evaluate(c.facts, c.policy, {});
    EXPECT_EQ(result.state, c.want) << c.name << ": " << result.text;
    EXPECT_NE(result.text.find(c.words), std::string::npos) << c.name << ": " << result.text;
  }
}

TEST(CheckFailoverReadyTest, JudgesWhatAFailoverNeeds) {
  Policy commands = with_fence();
  commands.pre_failover = {{"before", "x"}};
  commands.post_failover = {{"after"}};
  commands.hosts_file = "/srv/pandora_ha_hosts.conf";
  Policy floating = with_fence(), wishing = with_fence();
  floating.vip = "192.0.2.10";
  wishing.fence = Fence::kBestEffort;
  const auto changed = [](auto change) {
    ReadyFacts facts = sound();
    change(facts);
    return facts;
  };
  const auto lacking = [&](const char* program) {
    return changed([&](ReadyFacts& facts) { facts.programs[program] = "cannot run it"; });
  };
  const Case cases[] = {
      {"all is there", sound(), State::kOk, "nothing would be lost", commands},
      {"fence command", lacking("/usr/local/sbin/fence"), State::kCritical,
       "db2 could not replace db1: fence: cannot run it"},
      {"fence command that is only wished for", lacking("/usr/local/sbin/fence"), State::kWarning,
       "fence: cannot run it", wishing},
      {"command before", lacking("before"), State::kCritical, "hook: cannot run it", commands},
      {"command after", lacking("after"), State::kWarning, "hook: cannot run it", commands},
      {"events", changed([](ReadyFacts& facts) {
         facts.topology.nodes[0].facts->event_scheduler = true;
         facts.topology.nodes[1].facts->event_scheduler = false;
       }),
       State::kWarning, "db2: its event scheduler is off, that of db1 is on"},
      {"command of nobody", lacking("other"), State::kOk, "nothing would be lost", commands},
      {"file", changed([](ReadyFacts& facts) {
         facts.files["/srv/pandora_ha_hosts.conf"] = "cannot write it";
       }),
       State::kWarning, "cannot write it", commands},
      {"virtual IP of the candidate",
       changed([](ReadyFacts& facts) { facts.vip_hosts["db2"] = "no --remote-command"; }),
       State::kCritical, "db2: the virtual IP cannot be moved: no --remote-command", floating},
      {"virtual IP of the primary",
       changed([](ReadyFacts& facts) { facts.vip_hosts["db1"] = "ssh failed"; }), State::kWarning,
       "db1: the virtual IP cannot be moved: ssh failed", floating},
      {"virtual IP of a node that plays no part",
       changed([](ReadyFacts& facts) { facts.vip_hosts["db3"] = "ssh failed"; }), State::kOk,
       "nothing would be lost", floating},
      {"no account", changed([](ReadyFacts& facts) { facts.account_trouble = "no account"; }),
       State::kWarning, "no account"},
      {"account of a node that is reported anyhow",
       [] {
         ReadyFacts facts = seen_well(with_nodes({writer(1), replica(2, 1), lost(3)}));
         facts.accounts["db3"] = "no connection";
         return facts;
       }(),
       State::kWarning, "nothing would be lost: db3 is unreachable: no answer"},
      {"state directory", changed([](ReadyFacts& facts) { facts.state.trouble = "disk full"; }),
       State::kCritical, "--state-dir: disk full"},
      {"lock on this host",
       changed([](ReadyFacts& facts) { facts.state.lock_holder = "process 7 of this host"; }),
       State::kCritical, "another run holds the lock: process 7 of this host"},
      {"lock on a node", changed([](ReadyFacts& facts) {
         facts.answers.emplace("db1", NodeAnswers{});
         facts.answers.emplace("db2", NodeAnswers{"17"});
       }),
       State::kCritical, "another run holds the lock: connection 17 on db2"},
      {"lock unknown", changed([](ReadyFacts& facts) {
         facts.answers.emplace("db2", Error{Errc::kUnreachable, "no answer in time"});
       }),
       State::kWarning,
       "db2: neither its lock nor the privileges of our account are known: no answer in time"},
      {"young failover",
       changed([](ReadyFacts& facts) { facts.state.runs.last_failover_age_s = 60; }),
       State::kCritical,
       "the last failover was 60s ago, less than 60m 00s, and is not acknowledged"},
      {"old failover",
       changed([](ReadyFacts& facts) { facts.state.runs.last_failover_age_s = 4000; }), State::kOk,
       "nothing would be lost"},
      {"a guard that has ended", changed([](ReadyFacts& facts) {
         facts.guard = {true, {}, GuardState{.process = 7}};
       }),
       State::kWarning,
       "the guard (process 7) has ended and was not stopped; to start it again, "
       "run: mysql_ha guard"},
      {"a guard that is paused",
       changed([](ReadyFacts& facts) { facts.guard.pause = GuardPause{}; }), State::kWarning,
       "the guard is paused: it watches and changes nothing; to end that, run: mysql_ha guard "
       "resume"},
      {"a guard whose state cannot be read",
       changed([](ReadyFacts& facts) { facts.guard.unread = "cannot read guard.json"; }),
       State::kWarning, "how the guard is, is not known: cannot read guard.json"},
      {"interrupted run",
       changed([](ReadyFacts& facts) { facts.state.interrupted = ha::Run{.id = "2026"}; }),
       State::kWarning, "run 2026 was interrupted"},
      {"one of two witnesses", changed([](ReadyFacts& facts) {
         facts.witnesses = Witnesses::kReached;
         facts.silent_witnesses = {"gw"};
       }),
       State::kWarning, "witness gw cannot be reached"},
      {"no witness", changed([](ReadyFacts& facts) {
         facts.witnesses = Witnesses::kUnreached;
         facts.silent_witnesses = {"gw"};
       }),
       State::kCritical, "no witness is reachable"},
      {"all vote", changed([](ReadyFacts& facts) { facts.votes = 1; }), State::kOk,
       "nothing would be lost"},
      {"no majority", changed([](ReadyFacts& facts) {
         facts.votes = 1;
         facts.silent_voters = {{"mon:3306", "no route to host"}};
       }),
       State::kCritical,
       "without db1 only 2 of 4 servers would vote, and a failover needs 3; mon:3306 would not "
       "vote: no route to host"},
      {"one vote to spare", changed([](ReadyFacts& facts) {
         facts.votes = 3;
         facts.silent_voters = {{"mon:3306", "no route to host"}};
       }),
       State::kWarning, "mon:3306 would not vote: no route to host"},
  };
  for (const Case& c : cases) {
    const CheckResult result = evaluate(c.facts, c.policy, {});
    EXPECT_EQ(result.state, c.want) << c.name << ": " << result.text;
    EXPECT_NE(result.text.find(c.words), std::string::npos) << c.name << ": " << result.text;
  }
}

// What a live cluster would lose or wait for, with what to do about it.
TEST(CheckFailoverReadyTest, JudgesTheReplicas) {
  const auto changed = [](Node node, auto change) {
    change(node);
    return node;
  };
  const auto io_stopped = [&](int number) {
    return changed(replica(number, 1), [](Node& node) {
      channel(node).io = {ThreadState::kStopped, 1045, "Access denied"};
    });
  };
  const auto sql_stopped = [&](int number) {
    return changed(behind(number, 0),
                   [](Node& node) { channel(node).sql.state = ThreadState::kStopped; });
  };
  const auto slow_to_notice = [&](int number, double seconds) {
    return changed(replica(number, 1),
                   [&](Node& node) { node.facts->replica_net_timeout_s = seconds; });
  };
  Policy only_db2 = with_fence();
  only_db2.promotion = {{"db3", Promotion::kNever}};
  const auto delayed = changed(replica(3, 1), [](Node& node) { channel(node).sql_delay_s = 3600; });
  const auto closed = [&](Node node) {
    node.facts->read_only = true;
    return node;
  };
  const Case cases[] = {
      {"both appliers are stopped",
       with_nodes({writer(1, "#1:1-110"), sql_stopped(2), sql_stopped(3)}), State::kWarning,
       "db3 applies nothing, 10 transactions are received and not applied: SQL thread stopped; a "
       "failover would have to wait for that; run there: START SLAVE SQL_THREAD"},
      {"no replica receives", with_nodes({writer(1), io_stopped(2), io_stopped(3)}),
       State::kWarning, "no replica receives: only db1 has what db1 writes now"},
      {"one of two receives", with_nodes({writer(1), io_stopped(2), replica(3, 1)}),
       State::kWarning,
       "db2 receives nothing from db1: IO thread stopped, error 1045: Access denied; run there: "
       "START SLAVE IO_THREAD"},
      {"a delayed node may become the candidate", with_nodes({writer(1), replica(2, 1), delayed}),
       State::kWarning, "to prevent that, set never = db3"},
      {"unless it is never promoted", with_nodes({writer(1), replica(2, 1), delayed}), State::kOk,
       "nothing would be lost", only_db2},
      {"it takes longer to notice than to act",
       with_nodes({writer(1), slow_to_notice(2, 60), slow_to_notice(3, 60)}), State::kWarning,
       "db2, db3: slave_net_timeout is 60s, longer than --hung-after (30s): for that long no "
       "replica notices that db1 has vanished; run there: SET GLOBAL slave_net_timeout=10; STOP "
       "SLAVE; "
       "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD=5; START SLAVE; and in the option file: "
       "slave_net_timeout=10"},
      {"soon enough", with_nodes({writer(1), slow_to_notice(2, 30)}), State::kOk,
       "nothing would be lost"},
      {"the primary was restarted and is closed", with_nodes({closed(writer(1)), replica(2, 1)}),
       State::kCritical,
       "db2 would replace db1, nothing would be lost: no server takes writes: db1 answers and is "
       "read-only; to open it: mysql_ha failover"},
      {"the primary has lost what it wrote", with_nodes({writer(1, "#1:1-95"), replica(2, 1)}),
       State::kCritical,
       "db2 would replace db1, an unknown number of transactions would be lost: db1 has lost 5 "
       "transactions that it wrote itself"},
      {"it gives the numbers again, and its receivers are not to be started",
       with_nodes({writer(1, "#1:1-105"),
                   changed(replica(2, 1),
                           [](Node& node) {
                             channel(node).io = {ThreadState::kStopped, 13114,
                                                 "Replica has more GTIDs than the source has"};
                           })}),
       State::kCritical,
       "db2 receives nothing from db1: IO thread stopped, error 13114: Replica has more GTIDs than "
       "the source has; no replica receives"},
      {"the primary is open and takes no writes",
       with_nodes(
           {changed(writer(1),
                    [](Node& node) { node.facts->obstacles.reasons = {"innodb_read_only is ON"}; }),
            replica(2, 1)}),
       State::kCritical,
       "db2 would replace db1, nothing would be lost: no server takes writes: db1 is not read-only "
       "and takes none: innodb_read_only is ON"},
      {"a node that follows nobody", with_nodes({writer(1), replica(2, 1), closed(writer(3))}),
       State::kWarning, "db3 follows no server and gets no changes"},
      {"semi-sync that has given up",
       with_nodes(
           {changed(writer(1),
                    [](Node& node) {
                      node.facts->semi_sync = {"rpl_semi_sync_master_enabled", true, true, false};
                    }),
            replica(2, 1)}),
       State::kWarning, "db1 no longer waits for acknowledgements"},
      {"a replica that waits for its own",
       with_nodes({writer(1), changed(replica(2, 1),
                                      [](Node& node) {
                                        SemiSync& own = node.facts->semi_sync;
                                        own = {"rpl_semi_sync_master_enabled", true, true, true, 0};
                                        own.wait_no_replica = true;
                                      })}),
       State::kWarning, "SET GLOBAL rpl_semi_sync_master_enabled=OFF"},
  };
  for (const Case& c : cases) {
    const CheckResult result = evaluate(c.facts, c.policy, {});
    EXPECT_EQ(result.state, c.want) << c.name << ": " << result.text;
    EXPECT_NE(result.text.find(c.words), std::string::npos) << c.name << ": " << result.text;
  }
}

TEST(CheckFailoverReadyTest, TheFenceIsAskedWhetherItCouldBeUsed) {
  using End = FenceTrial::End;
  const struct {
    End end;
    Fence fence;
    State want;
    const char* words;
  } cases[] = {
      {End::kUsable, Fence::kRequired, State::kOk, "nothing would be lost"},
      {End::kUnasked, Fence::kRequired, State::kOk, "the fence command was not tried: text"},
      {End::kAccepts, Fence::kRequired, State::kWarning,
       "if the network between db1 and db2 breaks, both take writes: the fence command proves "
       "nothing"},
      {End::kUnusable, Fence::kRequired, State::kCritical,
       "db2 could not replace db1: the fence could not be used (HA_FENCE_ACTION=status): text"},
      {End::kUnusable, Fence::kBestEffort, State::kWarning, "the fence could not be used"},
      {End::kUsable, Fence::kBestEffort, State::kWarning,
       "if the network between db1 and db2 breaks, both take writes (fence is best-effort); "
       "configure fence = required and a fence-command that proves that the old primary is off"},
      {End::kNotRun, Fence::kNone, State::kWarning, "both take writes (fence is none)"},
  };
  for (const auto& c : cases) {
    ReadyFacts facts = sound();
    facts.fence = {c.end, "text"};
    Policy policy = with_fence();
    policy.fence = c.fence;
    const CheckResult result = evaluate(facts, policy, {});
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_NE(result.text.find(c.words), std::string::npos) << result.text;
  }
}

// A primary and two replicas under lossless semi-sync, as all of it is seen now.
ReadyFacts lossless() {
  std::vector<Node> nodes = {writer(1), replica(2, 1), replica(3, 1)};
  SemiSync& source = nodes[0].facts->semi_sync;
  source.source_variable = "rpl_semi_sync_source_enabled";
  source.source_enabled = source.source_active = source.after_sync = source.wait_no_replica = true;
  source.timeout_ms = 86'400'000;
  source.clients = 2;
  source.wait_count = 1;
  for (const std::size_t i : {1, 2}) {
    SemiSync& own = nodes[i].facts->semi_sync = source;
    own.source_enabled = own.source_active = false;
    own.clients = 0;
    own.replica_enabled = own.replica_active = true;
  }
  ReadyFacts facts = with_nodes(std::move(nodes));
  facts.now_s = 1000;
  return facts;
}

TEST(CheckFailoverReadyTest, WhatPreventsTwoWritersIsNamed) {
  ReadyFacts ten_seconds = lossless();
  ten_seconds.topology.nodes[0].facts->semi_sync.timeout_ms = 10000;
  const auto policy = [](Fence fence, std::vector<std::string> command = {}) {
    Policy rules;
    rules.fence = fence;
    rules.fence_command = std::move(command);
    return rules;
  };
  const std::string revocation =
      "what keeps db1 from taking writes beside another primary: revocation: db1 waits for one "
      "acknowledgement under lossless semi-sync, as it was last seen, and gets none when db2, db3 "
      "no longer receive";
  const struct {
    ReadyFacts facts;
    Policy rules;
    State state;
    std::string note, evidence;
  } cases[] = {{lossless(), policy(Fence::kRequired), State::kOk, revocation, "revocation"},
               {lossless(), policy(Fence::kRevoke), State::kOk, revocation, "revocation"},
               {lossless(), policy(Fence::kRequired, {"/p"}), State::kOk,
                "what keeps db1 from taking writes beside another primary: the fence command",
                "fence-command"},
               {lossless(), policy(Fence::kNone), State::kWarning,
                "nothing keeps db1 from taking writes beside another primary", "none"},
               {ten_seconds, policy(Fence::kRevoke), State::kCritical,
                "nothing keeps db1 from taking writes beside another primary", "none"}};
  for (const auto& c : cases) {
    const CheckResult result = evaluate(c.facts, c.rules, {});
    EXPECT_EQ(result.state, c.state) << result.text;
    EXPECT_NE(std::ranges::find(result.notes, c.note), result.notes.end()) << c.note;
    EXPECT_EQ(result.items[0].facts.back(),
              (std::pair<std::string, FactValue>("evidence", c.evidence)));
  }
  EXPECT_NE(evaluate(ten_seconds, policy(Fence::kRevoke), {})
                .text.find("db1: rpl_semi_sync_source_timeout was 10000; while it is the primary, "
                           "run there: SET GLOBAL rpl_semi_sync_source_timeout=86400000"),
            std::string::npos);
}

TEST(CheckFailoverReadyTest, TwoVotersAreNoMajorityWorthHaving) {
  ReadyFacts facts = with_nodes({writer(1)});
  facts.votes = 1;
  EXPECT_NE(evaluate(facts, with_fence(), {}).text.find("two servers vote"), std::string::npos);
}

TEST(CheckFailoverReadyTest, APrimaryWithALeaseHasAGuardThatKeepsIt) {
  ReadyFacts facts = sound();
  Policy policy = with_fence();
  policy.lease_s = 5;
  EXPECT_NE(evaluate(facts, policy, {}).text.find("no guard has the lease of db1"),
            std::string::npos);
  facts.guards = {.voters = 3, .answering = 1, .needed = 2, .guards = {{"db1", 1, 1}, {"db2", 1}}};
  EXPECT_NE(evaluate(facts, policy, {})
                .text.find("it is not known whether the guard of db1 has the lease: 1 of 3 voters"),
            std::string::npos);
  facts.lease.held = "its guard has 2 of 3 votes and was heard 1s ago";
  facts.guards = {.voters = 3, .answering = 3, .needed = 2, .guards = {{"db1", 3, 2}, {"db2", 3}}};
  EXPECT_EQ(evaluate(facts, policy, {}).state, State::kWarning);
  EXPECT_NE(evaluate(facts, policy, {}).text.find("configure watchdog = /dev/watchdog"),
            std::string::npos);
  facts.watchdog = "/dev/watchdog";
  EXPECT_EQ(evaluate(facts, policy, {}).text.find("lease"), std::string::npos);
  facts.guards = {.voters = 3, .answering = 3, .needed = 2, .guards = {{"db1", 3, 2}, {"db2"}}};
  const CheckResult no_guard = evaluate(facts, policy, {});
  EXPECT_EQ(no_guard.state, State::kWarning);
  EXPECT_NE(no_guard.text.find("the guard of db2 is connected to no voter that answers; to start "
                               "the guard, run there: mysql_ha guard --node db2"),
            std::string::npos);
  EXPECT_EQ(no_guard.notes.back(),
            "lease: the guard of db1 has it (2 of 3 votes); no guard is seen of db2");
  facts.guards = {};
  // Then it is the evidence where there is no fence command.
  policy.fence_command.clear();
  const Plan plan = plan_failover(facts.topology, policy, context_of(facts), "");
  EXPECT_EQ(plan.evidence, Evidence::kLease);
  EXPECT_EQ(plan.evidence_text, "the lease: its guard has 2 of 3 votes and was heard 1s ago");
}

TEST(CheckFailoverReadyTest, AllThatIsRefusedIsNamedAtOnce) {
  ReadyFacts facts = sound();
  facts.witnesses = Witnesses::kUnreached;
  facts.state.runs.last_failover_age_s = 60;
  facts.programs["missing"] = "cannot run missing";
  facts.now_s = 1000;
  Policy policy;
  policy.pre_failover = {{"missing"}};
  EXPECT_EQ(
      evaluate(facts, policy, {}).text,
      "db2 could not replace db1: no witness is reachable: this machine may be the one that is cut "
      "off; the last failover was 60s ago, less than 60m 00s, and is not acknowledged; "
      "fencing db1 is required and there is no fence command; db1 cannot be closed without its "
      "answer; the acknowledgements of db1 cannot be revoked: db1 had no semi-sync source; run "
      "there: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'; hook: cannot run "
      "missing");
}

TEST(CheckFailoverReadyTest, PrivilegesOfOurAccountAreSaidInAnyCase) {
  ReadyFacts facts = sound();
  for (const char* const node : {"db1", "db3"})
    facts.answers.emplace(node, NodeAnswers{"", "GRANT RELOAD ON *.* TO 'ha'@'%'"});
  const std::string words =
      "our account cannot carry it out on db1, db3; run: GRANT RELOAD ON *.* TO 'ha'@'%'";
  const CheckResult said = evaluate(facts, with_fence(), {});
  EXPECT_EQ(said.state, State::kOk);
  EXPECT_EQ(said.text, "db2 would replace db1, nothing would be lost: " + words);
  EXPECT_EQ(evaluate(facts, with_fence(), {{}, State::kCritical}).state, State::kCritical);
  facts.account_trouble = "no account";
  EXPECT_EQ(evaluate(facts, with_fence(), {}).text,
            "db2 would replace db1, nothing would be lost: no account; " + words);
}

TEST(CheckFailoverReadyTest, ANodesLineSaysOnceWhyItIsRejected) {
  EXPECT_EQ(evaluate(with_nodes({writer(1), failed(2)}), with_fence(), {}).items[1].text,
            "db2: its SQL thread has failed with error 1062: Duplicate entry");
}

TEST(CheckFailoverReadyTest, WhatEndsAFailoverStandsFirst) {
  ReadyFacts facts = sound();
  facts.account_trouble = "no account";
  facts.state.trouble = "disk full";
  EXPECT_EQ(line(facts).substr(0, line(facts).find(" |")),
            "FAILOVER READY CRITICAL - db2 could not replace db1: --state-dir: disk full; no "
            "account");
}

TEST(CheckFailoverReadyTest, Metrics) {
  const CheckResult lossy =
      evaluate(with_nodes({writer(1, "#1:1-112"), behind(2, 7)}), with_fence(), {});
  EXPECT_EQ(metric(lossy, 0), 1);
  EXPECT_EQ(metric(lossy, 1), 2);
  EXPECT_EQ(metric(lossy, 2), 7);
  const CheckResult none = evaluate(with_nodes({writer(1), failed(2)}), with_fence(), {});
  EXPECT_EQ(metric(none, 0), 0);
  EXPECT_FALSE(none.metrics[1].value);
  EXPECT_FALSE(none.metrics[2].value);
}

TEST(CheckFailoverReadyTest, DrainTime) {
  const auto seconds = [](Node node) {
    return evaluate(with_nodes({writer(1), std::move(node)}), with_fence(), {}).metrics[2].value;
  };
  Node idle = replica(2, 1), stopped = behind(2, 0), by_position = replica(2, 1);
  channel(idle).seconds_behind = 3;  // it looked at its clock before the last one was applied
  channel(stopped).seconds_behind.reset();
  by_position.facts->history = {};
  channel(by_position).uses_gtid = false;
  channel(by_position).read = channel(by_position).executed = {"binlog.000007", 1000};
  channel(by_position).seconds_behind = 3;
  EXPECT_EQ(seconds(idle), 0);
  EXPECT_EQ(seconds(stopped), std::nullopt);
  EXPECT_EQ(seconds(by_position), 0);
  channel(by_position).read.offset = 2000;
  EXPECT_EQ(seconds(by_position), 3);
}

TEST(CheckFailoverReadyTest, ThresholdsJudgeTheDrainTime) {
  const ReadyFacts facts = with_nodes({writer(1, "#1:1-110"), behind(2, 30)});
  EXPECT_EQ(evaluate(facts, with_fence(), {{Range{0, 60}, Range{0, 90}}}).state, State::kOk);
  const CheckResult slow = evaluate(facts, with_fence(), {{Range{0, 10}, Range{0, 90}}});
  EXPECT_EQ(slow.state, State::kWarning);
  EXPECT_EQ(slow.text,
            "db2 would replace db1, nothing would be lost: db2 would need 30s to apply what it "
            "has received");
  EXPECT_EQ(evaluate(facts, with_fence(), {{Range{0, 10}, Range{0, 20}}}).state, State::kCritical);
}

}  // namespace
}  // namespace ha
