// SPDX-License-Identifier: MIT
#include "plugins/check_engine_pair.h"

#include <gtest/gtest.h>

#include "common/report.h"

namespace ha {
namespace {

const Thresholds kLimits{Range{0, 30}, Range{0, 60}};

EngineFacts engine(const std::string& name, double age_s, std::optional<bool> active) {
  HeartbeatFacts facts{"db-" + name, "Nagios"};
  facts.age_s = age_s;
  facts.active = active;
  facts.checks = true;
  return {name, "ndo", false, false, kLimits, facts};
}

EngineFacts failing(const std::string& name, Errc code) {
  return {name, "ndo", false, false, kLimits, Error{code, "db-" + name + " says no"}};
}

TEST(CheckEnginePairTest, TheWholeLine) {
  EXPECT_EQ(
      render({"engine_pair"}, evaluate({engine("m1", 3, true), engine("m2", 4, false)}, "")).output,
      "ENGINE PAIR OK - m1 is active, standby: m2 | 'active'=1;;;0 'nodes'=2;;;0 "
      "'m1_age'=3s;30;60;0 'm1_clock_skew'=U 'm2_age'=4s;30;60;0 'm2_clock_skew'=U\n"
      "[OK] m1 is active: db-m1: Nagios wrote its heartbeat 3s ago\n"
      "[OK] m2 stands by: db-m2: Nagios wrote its heartbeat 4s ago\n");
}

TEST(CheckEnginePairTest, TheNumberOfActiveEnginesPicksTheState) {
  const EngineFacts active = engine("m1", 3, true), standby = engine("m2", 3, false);
  const EngineFacts second = engine("m3", 3, true), dead = engine("m4", 900, true);
  const EngineFacts late = engine("m5", 40, false), future = engine("m6", -9, true);
  const EngineFacts gone = failing("m7", Errc::kUnreachable), no = failing("m8", Errc::kPrivilege);
  const struct {
    std::vector<EngineFacts> engines;
    State want;
    const char* text;  // how the summary begins
  } cases[] = {
      {{active, standby}, State::kOk, "m1 is active, standby: m2"},
      {{active}, State::kOk, "m1 is active"},
      {{active, second}, State::kCritical, "2 engines are active: m1, m3"},
      {{active, second, gone}, State::kCritical, "2 engines are active: m1, m3; m7 is unreach"},
      {{standby}, State::kCritical, "no engine is active"},
      {{standby, dead}, State::kCritical, "no engine is active; m4 is down: "},
      {{active, dead}, State::kWarning, "m1 is active; m4 is down: "},
      {{active, late}, State::kWarning, "m1 is active, standby: m5; m5 stands by: "},
      {{active, gone}, State::kWarning, "m1 is active; m7 is unreachable and may be active: "},
      {{standby, gone}, State::kCritical, "no engine is known to be active; m7 is unreachable"},
      {{active, no}, State::kUnknown, "m1 is active; m8 is unknown: db-m8 says no"},
      {{standby, no}, State::kUnknown, "cannot tell whether an engine is active; m8 is unknown"},
      {{active, future}, State::kUnknown, "m1 is active; m6 may be active: "},
      {{standby, future}, State::kCritical, "no engine is known to be active; m6 may be active"},
  };
  for (const auto& c : cases) {
    const CheckResult result = evaluate(c.engines, "");
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_TRUE(result.text.starts_with(c.text)) << result.text;
  }
}

TEST(CheckEnginePairTest, AnotherThanTheExpectedOneIsAWarning) {
  const std::vector<EngineFacts> engines = {engine("m1", 3, false), engine("m2", 3, true)};
  EXPECT_EQ(evaluate(engines, "m2").state, State::kOk);
  const CheckResult result = evaluate(engines, "m1");
  EXPECT_EQ(result.state, State::kWarning);
  EXPECT_EQ(result.text, "m2 is active instead of m1");
}

TEST(CheckEnginePairTest, AnActiveEngineThatChecksNothingIsNone) {
  EngineFacts idle = engine("m1", 3, true);
  idle.heartbeat->checks = false;
  const CheckResult result = evaluate({idle, engine("m2", 3, false)}, "");
  EXPECT_EQ(result.state, State::kCritical);
  EXPECT_EQ(result.text, "m1 is active but executes no checks");
}

TEST(CheckEnginePairTest, AColdStandbyMayBeDown) {
  EngineFacts cold = engine("m2", 900, std::nullopt);
  cold.cold = true;
  EXPECT_EQ(evaluate({engine("m1", 3, true), cold}, "").state, State::kOk);
  cold.heartbeat->age_s = 3;
  EXPECT_EQ(evaluate({engine("m1", 3, true), cold}, "").state, State::kCritical)
      << "running, a cold standby is active";
}

TEST(CheckEnginePairTest, TroubleWithTheMemoryHidesNeitherTwoActiveEnginesNorNone) {
  EngineFacts m1 = engine("m1", 3, true), m2 = engine("m2", 3, true), by = engine("m3", 3, false);
  EngineFacts dead = engine("m4", 900, true), cold = dead;
  cold.cold = true;
  for (EngineFacts* facts : {&m1, &m2, &by, &dead, &cold})
    facts->heartbeat->memory_trouble = "--state-dir: no";
  const struct {
    std::vector<EngineFacts> engines;
    State want;
    const char* text;  // how the summary begins
  } cases[] = {
      {{m1, by}, State::kUnknown, "m1 is active, standby: m3; m1 is active: db-m1: Nagios wrote "},
      {{m1, m2}, State::kCritical, "2 engines are active: m1, m2; "},
      {{by}, State::kCritical, "no engine is active; "},
      {{m1, dead}, State::kWarning, "m1 is active; m4 is down: "},
      {{engine("m1", 3, true), cold}, State::kUnknown, "m1 is active, standby: m4; m4 is down, as"},
  };
  for (const auto& c : cases) {
    const CheckResult result = evaluate(c.engines, "");
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_TRUE(result.text.starts_with(c.text)) << result.text;
    EXPECT_NE(result.text.find("--state-dir: no"), std::string::npos) << result.text;
  }
}

TEST(CheckEnginePairTest, EnginesThatShareTheWorkAreActiveTogether) {
  EngineFacts m1 = engine("m1", 3, true), m2 = engine("m2", 3, true), m3 = engine("m3", 900, true);
  EngineFacts silent = engine("m2", 3, false);
  EngineFacts idle = engine("m2", 3, true);
  idle.heartbeat->checks = false;
  for (EngineFacts* shared : {&m1, &m2, &m3, &silent, &idle}) shared->shared = true;
  const EngineFacts alone = engine("n1", 3, true);
  const struct {
    std::vector<EngineFacts> engines;
    const char* expected;
    State want;
    const char* text;  // how the summary begins
  } cases[] = {
      {{m1, m2}, "", State::kOk, "m1, m2 are active and share the work"},
      {{m1, m2}, "m2", State::kOk, "m1, m2 are active and share the work"},
      {{m1, m3}, "", State::kWarning, "m1 is active; m3 is down: "},
      {{m1, m3}, "m3", State::kWarning, "m1 is active instead of m3; m3 is down: "},
      {{m3}, "", State::kCritical, "no engine is active; m3 is down: "},
      {{m1, silent}, "", State::kWarning, "m1 is active, standby: m2; m2 stands by: "},
      {{m1, idle}, "", State::kCritical, "m2 is active but executes no checks"},
      {{m1, m2, alone}, "", State::kCritical, "3 engines are active: m1, m2, n1"},
      {{m1, alone}, "", State::kCritical, "2 engines are active: m1, n1"},
  };
  for (const auto& c : cases) {
    const CheckResult result = evaluate(c.engines, c.expected);
    EXPECT_EQ(result.state, c.want) << result.text;
    EXPECT_TRUE(result.text.starts_with(c.text)) << result.text;
  }
}

TEST(CheckEnginePairTest, TwoDaemonsOfOneEngineAreCritical) {
  EngineFacts m1 = engine("m1", 3, true);
  m1.heartbeat->conflict = "2 daemons are responsible";
  const CheckResult result = evaluate({m1, engine("m2", 3, false)}, "");
  EXPECT_EQ(result.state, State::kCritical);
  EXPECT_NE(result.text.find("2 daemons are responsible"), std::string::npos) << result.text;
}

TEST(CheckEnginePairTest, AHeartbeatOfTwoAgesIsNeitherActiveNorDown) {
  EngineFacts m1 = engine("m1", 7, true), m2 = engine("m2", 7, false);
  m1.heartbeat->other_age_s = m2.heartbeat->other_age_s = 3607;
  const CheckResult result = evaluate({m1, m2}, "");
  EXPECT_EQ(result.state, State::kUnknown);
  EXPECT_TRUE(result.text.starts_with("cannot tell whether an engine is active; ")) << result.text;
}

TEST(CheckEnginePairTest, AnEndpointThatAnotherWritesForStandsBy) {
  EngineFacts other = engine("m2", 0, false);
  other.heartbeat->age_s.reset();
  other.heartbeat->leader = "m1";
  EXPECT_EQ(evaluate({engine("m1", 3, true), other}, "").state, State::kOk);
}

TEST(ParseEngineTest, PlacesAndKeysAreTakenOver) {
  HeartbeatSpec common;
  common.mysql.user = "monitor";
  common.mysql.host = "db";
  auto parsed =
      parse_engine(R"(m1=sql@[::1]:3307,query=SELECT a\, b,warning=5,critical=@6:7,cold)", common);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->name, "m1");
  EXPECT_TRUE(parsed->cold);
  EXPECT_EQ(parsed->heartbeat.mysql.host, "::1");
  EXPECT_EQ(parsed->heartbeat.mysql.port, 3307u);
  EXPECT_EQ(parsed->heartbeat.mysql.user, "monitor");
  EXPECT_EQ(parsed->heartbeat.query, "SELECT a, b");
  EXPECT_EQ(parsed->heartbeat.limits.critical, (Range{6, 7, true}));

  parsed = parse_engine("z1=zabbix@,node-name=zbx1,database=zbx,defaults-file=/x", common);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->heartbeat.mysql.host, "db");
  EXPECT_EQ(parsed->heartbeat.node_name, "zbx1");
  EXPECT_EQ(parsed->heartbeat.database, "zbx");
  EXPECT_EQ(parsed->heartbeat.mysql.defaults_file, "/x");

  parsed = parse_engine("n1=status-dat@/var/lib/nagios4/status.dat", common);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->heartbeat.file, "/var/lib/nagios4/status.dat");

  parsed = parse_engine("i1=icinga2-api@https://m1:5665,api-credentials=/x,ca-cert=/ca", common);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->heartbeat.api, "https://m1:5665");
  EXPECT_EQ(parsed->heartbeat.mysql.ca, "/ca");
  EXPECT_FALSE(parsed->shared);

  parsed = parse_engine("i1=icinga2-api@https://m1:5665,cert=/c,key=/k,shared", common);
  ASSERT_TRUE(parsed) << parsed.error().text;
  EXPECT_EQ(parsed->heartbeat.mysql.certificate, "/c");
  EXPECT_EQ(parsed->heartbeat.mysql.key, "/k");
  EXPECT_TRUE(parsed->shared);
}

TEST(ParseEngineTest, WhatIsWrongIsNamed) {
  for (const char* text :
       {"", "m1", "m1=ndo", "=ndo@db", "m1=nosuch@db", "m1=ndo@db:0", "m1=ndo@db,x=1",
        "m1=ndo@db,instance", "m1=ndo@db,password=x", "m1=zabbix@db,instance=x", "m1=status-dat@",
        "m1=sql@db,query=SELECT 1", "m1=pt-heartbeat@db", "m1=ndo@db,warning=2:1", "m1@ndo=db",
        "m1=ndo@db,cold,shared"}) {
    const auto parsed = parse_engine(text, {});
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::kUsage);
    EXPECT_TRUE(parsed.error().text.starts_with("--engine: '")) << parsed.error().text;
  }
}

}  // namespace
}  // namespace ha
