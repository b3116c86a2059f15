// SPDX-License-Identifier: MIT
#include "plugins/check_vip.h"

#include <gtest/gtest.h>

#include "common/report.h"
#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

using Macs = std::set<std::string>;

const Error kDown{Errc::kUnreachable, "192.0.2.12: no connection"};
const Error kBusy{Errc::kRefused, "192.0.2.10: Too many connections"};
const Error kDenied{Errc::kAccessDenied, "192.0.2.12: access denied"};
const Error kNotAllowed{Errc::kPrivilege, "no permission"};

VipQuestion question(Expect expect = Expect::kAny) {
  VipQuestion asked;
  asked.vip = {"192.0.2.10", 32};
  asked.expect = expect;
  return asked;
}

ServerIdentity writer(const std::string& id) { return {id, false}; }
ServerIdentity reader(const std::string& id) { return {id, true}; }

// db1 accepts writes, db2 does not.
VipFacts facts(Result<ServerIdentity> leads_to) {
  VipFacts seen;
  seen.leads_to = std::move(leads_to);
  seen.nodes = {{{"db1", "192.0.2.11", 3306}, writer("one")},
                {{"db2", "192.0.2.12", 3306}, reader("two")}};
  return seen;
}

TEST(CheckVipTest, TheWholeLine) {
  VipFacts seen = facts(writer("one"));
  seen.others.emplace(Macs{"02:00:00:00:00:01"});
  EXPECT_EQ(render({"vip"}, evaluate(seen, question())).output,
            "VIP OK - 192.0.2.10: leads to db1, which accepts writes; held by 02:00:00:00:00:01 "
            "alone; not held here | 'held'=0;;;0 'holders'=1;;;0\n"
            "[OK] db1: writable, the address leads here\n"
            "[OK] db2: read-only\n");
}

TEST(CheckVipTest, WhereItLeadsPicksTheState) {
  const ServerIdentity mute{"one", std::nullopt};
  ServerIdentity blocked = writer("one"), unread = writer("one");
  blocked.obstacles.reasons = {"innodb_read_only is ON"};
  unread.obstacles.unread = "denied; run: GRANT";
  const struct {
    Result<ServerIdentity> leads_to;
    State want;
    const char* text;
    std::optional<double> holders;
  } cases[] = {
      {writer("one"), State::kOk, "leads to db1, which accepts writes", 1},
      {reader("one"), State::kCritical, "leads to db1, which is read-only", 1},
      {reader("two"), State::kCritical, "leads to db2, which is read-only", 1},
      {blocked, State::kCritical, "leads to db1, which takes no writes: innodb_read_only is ON", 1},
      {unread, State::kUnknown,
       "leads to db1, which does not tell whether it accepts writes: denied; run: GRANT", 1},
      {mute, State::kUnknown, "leads to db1, which does not tell whether it accepts writes", 1},
      {writer("x"), State::kCritical,
       "leads to a server that is none of the nodes, which accepts writes", 1},
      {kDown, State::kCritical, "leads to no server: 192.0.2.12: no connection", std::nullopt},
      {kBusy, State::kCritical, "leads to a server that refuses: 192.0.2.10: Too many connections",
       1},
      {kDenied, State::kUnknown,
       "it is not known where the address leads: 192.0.2.12: access denied", 1},
  };
  for (const auto& c : cases) {
    const CheckResult result = evaluate(facts(c.leads_to), question());
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_EQ(result.text, std::string("192.0.2.10: ") + c.text + "; not held here");
    EXPECT_EQ(result.metrics[1].value, c.holders) << result.text;
  }
}

TEST(CheckVipTest, AServerThatMayBeASilentNodeIsNotCalledAStranger) {
  VipFacts seen = facts(writer("x"));
  seen.nodes[0].server = kDown;
  EXPECT_EQ(evaluate(seen, question()).state, State::kUnknown);
  EXPECT_EQ(evaluate(seen, question()).text,
            "192.0.2.10: leads to what may be db1, which accepts writes; not held here");
  seen.leads_to = reader("x");
  EXPECT_EQ(evaluate(seen, question()).state, State::kCritical);
}

TEST(CheckVipTest, ANodeThatIsDownElsewhereIsNoTroubleButAClosedOneIs) {
  VipFacts seen = facts(writer("one"));
  seen.nodes[1].server = kDown;
  EXPECT_EQ(evaluate(seen, question()).state, State::kOk);
  EXPECT_EQ(evaluate(seen, question()).items[1].text, "db2: 192.0.2.12: no connection");
  seen.nodes[1].server = kDenied;
  const CheckResult result = evaluate(seen, question());
  EXPECT_EQ(result.state, State::kUnknown);
  EXPECT_TRUE(result.text.starts_with("192.0.2.10: db2: 192.0.2.12: access denied; leads to db1"))
      << result.text;
}

TEST(CheckVipTest, NodesThatCannotBeToldApartAreBothNamed) {
  VipFacts seen = facts(writer("one"));
  seen.nodes[1].server = writer("one");
  EXPECT_TRUE(evaluate(seen, question()).text.starts_with("192.0.2.10: leads to db1 or db2, "));
}

TEST(CheckVipTest, TheAnswersOfTheNetworkAreCounted) {
  const LocalAddress here{"eth0", "192.0.2.10", 32};
  const struct {
    std::optional<LocalAddress> held;
    Result<Macs> others;
    State want;
    const char* text;
    std::optional<double> holders;
  } cases[] = {
      {{}, Macs{}, State::kCritical, "held by no machine; not held here", 0},
      {{}, Macs{"aa"}, State::kOk, "held by aa alone; not held here", 1},
      {{}, Macs{"aa", "bb"}, State::kCritical, "held by 2 machines: aa, bb; not held here", 2},
      {here, Macs{}, State::kOk, "held by this machine alone; held here on eth0", 1},
      {here, Macs{"aa"}, State::kCritical,
       "held by 2 machines: this machine, aa; held here on eth0", 2},
      {{},
       kNotAllowed,
       State::kUnknown,
       "holders are not known: no permission; not held here",
       std::nullopt},
      {here, kNotAllowed, State::kUnknown,
       "holders are not known: no permission; held here on eth0", 1},
  };
  for (const auto& c : cases) {
    VipFacts seen{c.held};
    seen.others = c.others;
    const CheckResult result = evaluate(seen, question());
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_EQ(result.text, std::string("192.0.2.10: ") + c.text);
    EXPECT_EQ(result.metrics[1].value, c.holders) << result.text;
    EXPECT_EQ(result.metrics[0].value, c.held ? 1 : 0);
  }
}

TEST(CheckVipTest, AServerBehindALoadBalancerIsNoHolder) {
  VipFacts seen{LocalAddress{"lo", "192.0.2.10", 32}, true};
  seen.others.emplace(Macs{"aa"});
  CheckResult result = evaluate(seen, question());
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_EQ(result.text,
            "192.0.2.10: held by aa alone; held here on lo where it answers no other machine that "
            "asks for it");
  EXPECT_EQ(result.metrics[0].value, 1.0);
  EXPECT_EQ(result.metrics[1].value, 1.0);
  seen.others.emplace(Macs{});
  seen.leads_to = writer("one");
  result = evaluate(seen, question());
  EXPECT_EQ(result.state, State::kCritical) << "it leads to this machine only for itself";
  EXPECT_NE(result.text.find("; held by no machine; "), std::string::npos) << result.text;
  seen.others.reset();
  EXPECT_EQ(evaluate(seen, question()).metrics[1].value, std::nullopt);
  seen.hidden = false;
  seen.others.emplace(Macs{"aa"});
  EXPECT_NE(evaluate(seen, question()).text.find("held by 2 machines: this machine, aa"),
            std::string::npos);
}

TEST(CheckVipTest, WhatWasSentToAnotherMachineUntilItAskedIsTold) {
  VipFacts seen = facts(writer("one"));
  seen.neighbour = "bb";
  EXPECT_EQ(evaluate(seen, question()).state, State::kOk) << "nobody was asked";
  seen.others.emplace(Macs{"aa"});
  EXPECT_EQ(evaluate(seen, question()).state, State::kCritical);
  EXPECT_TRUE(
      evaluate(seen, question())
          .text.starts_with("192.0.2.10: until this check asked, this machine sent packets for the "
                            "address to bb, which does not hold it: other machines may still do "
                            "so; leads to db1"))
      << evaluate(seen, question()).text;
  seen.neighbour = "aa";
  EXPECT_EQ(evaluate(seen, question()).state, State::kOk);
  seen.neighbour = "bb";
  seen.others.emplace(Macs{});
  EXPECT_EQ(evaluate(seen, question()).text.find("until this check asked"), std::string::npos);
  seen.others.emplace(kNotAllowed);
  EXPECT_EQ(evaluate(seen, question()).text.find("until this check asked"), std::string::npos);
}

TEST(CheckVipTest, AnAddressOfAnotherNetworkIsNotCalledNobodys) {
  VipFacts seen = facts(writer("one"));
  seen.others.emplace(Macs{});
  const CheckResult result = evaluate(seen, question());
  EXPECT_EQ(result.state, State::kUnknown);
  EXPECT_TRUE(result.text.starts_with("192.0.2.10: no machine in this network answers for it"));
  seen.leads_to = kDown;
  EXPECT_EQ(evaluate(seen, question()).state, State::kCritical);
}

TEST(CheckVipTest, WhatIsExpectedHereIsHeldAgainstWhatIsHere) {
  const LocalAddress usable{"eth0", "192.0.2.10", 32};
  const LocalAddress tentative{"eth0", "192.0.2.10", 32, AddressState::kTentative};
  const LocalAddress duplicate{"eth0", "192.0.2.10", 32, AddressState::kDuplicate};
  const struct {
    std::optional<LocalAddress> held;
    Expect expect;
    const char* interface;
    State want;
    const char* text;
  } cases[] = {
      {{}, Expect::kAny, "", State::kOk, "not held here"},
      {{}, Expect::kAbsent, "", State::kOk, "not held here"},
      {{}, Expect::kHeld, "", State::kCritical, "not held here, where it is expected"},
      {usable, Expect::kAny, "", State::kOk, "held here on eth0"},
      {usable, Expect::kHeld, "eth0", State::kOk, "held here on eth0"},
      {usable, Expect::kHeld, "eth0:1", State::kOk, "held here on eth0"},
      {usable, Expect::kHeld, "eth1", State::kCritical,
       "held here on eth0 instead of eth1, where it is expected"},
      {usable, Expect::kAny, "eth1", State::kOk, "held here on eth0 instead of eth1"},
      {usable, Expect::kAbsent, "", State::kCritical,
       "held here on eth0, where it is not expected"},
      {tentative, Expect::kAny, "", State::kOk,
       "held here on eth0 but not in use yet: duplicate address detection runs"},
      {tentative, Expect::kHeld, "", State::kCritical,
       "held here on eth0 but not in use yet: duplicate address detection runs, where it is "
       "expected"},
      {duplicate, Expect::kAny, "", State::kWarning,
       "held here on eth0 but not in use: another machine has it"},
      {duplicate, Expect::kAbsent, "", State::kCritical,
       "held here on eth0 but not in use: another machine has it, where it is not expected"},
  };
  for (const auto& c : cases) {
    VipQuestion asked = question(c.expect);
    asked.vip.interface = c.interface;
    const CheckResult result = evaluate({c.held}, asked);
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_EQ(result.text, std::string("192.0.2.10: ") + c.text);
  }
}

TEST(CheckVipTest, TheNumberOfHoldersHasThresholds) {
  VipQuestion asked = question();
  asked.holders.warning = Range{1, 1};
  EXPECT_EQ(evaluate({LocalAddress{"eth0", "192.0.2.10", 32}}, asked).state, State::kOk);
  EXPECT_EQ(evaluate({}, asked).state, State::kUnknown);
  asked.holders.warning = Range{2, 2};
  EXPECT_EQ(evaluate({LocalAddress{"eth0", "192.0.2.10", 32}}, asked).state, State::kWarning);
}

TEST(CheckVipTest, WhatDoesNotAnswerIsAFact) {
  VipQuestion asked = question();
  asked.vip.address = "127.0.0.1";
  asked.cluster.nodes = {{"db1", "127.0.0.1", 1}};
  asked.cluster.mysql.port = 1;
  const auto seen = gather(asked, deadline_in(5));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->held->interface, "lo");
  EXPECT_FALSE(seen->others);
  ASSERT_TRUE(seen->leads_to);
  EXPECT_EQ(seen->leads_to->error().code, Errc::kUnreachable);
  EXPECT_EQ(seen->nodes[0].server.error().code, Errc::kUnreachable);
}

TEST(CheckVipTest, WithoutNodesNoServerIsAsked) {
  VipQuestion asked = question();
  asked.vip.address = "198.51.100.1";
  asked.vip.interface = "no-such-one";
  asked.ask_network = true;
  const auto seen = gather(asked, deadline_in(5));
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->leads_to);
  ASSERT_TRUE(seen->others);
  EXPECT_EQ(seen->others->error().code, Errc::kUsage);
}

}  // namespace
}  // namespace ha
