// SPDX-License-Identifier: MIT
#include "plugins/check_heartbeat.h"

#include <gtest/gtest.h>

#include "common/report.h"

namespace ha {
namespace {

const Thresholds kLimits{Range{0, 30}, Range{0, 60}};

HeartbeatFacts fresh() {
  HeartbeatFacts facts{"db2", "Zabbix node z1"};
  facts.age_s = 3;
  facts.role = "standby";
  facts.clock_skew_s = 0.25;
  return facts;
}

std::string line(const EngineFacts& facts) {
  return render({"heartbeat"}, evaluate(facts, kLimits, "zabbix")).output;
}

TEST(CheckHeartbeatTest, TheWholeLine) {
  EXPECT_EQ(line({fresh()}),
            "HEARTBEAT OK - db2: Zabbix node z1 wrote its heartbeat 3s ago (standby) | "
            "'age'=3s;30;60;0 'clock_skew'=0.25s\n");
}

TEST(CheckHeartbeatTest, ClocksThatDifferAreTold) {
  HeartbeatFacts facts = fresh();
  facts.clock_skew_s = -300;
  const CheckResult result = evaluate({facts}, kLimits, "zabbix");
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_TRUE(result.text.ends_with("; our clock is 5m 00s behind")) << result.text;
}

TEST(CheckHeartbeatTest, NoHeartbeatHasNoAge) {
  HeartbeatFacts facts{"db2", "Nagios"};
  facts.absence = "no row";
  EXPECT_EQ(line({facts}),
            "HEARTBEAT CRITICAL - db2: no heartbeat of Nagios: no row | 'age'=U;30;60;0 "
            "'clock_skew'=U\n");
}

TEST(CheckHeartbeatTest, FailuresAreJudgedByTheirKind) {
  EXPECT_EQ(evaluate({Error{Errc::kUnreachable, "x"}}, kLimits, "ndo").state, State::kCritical);
  EXPECT_EQ(evaluate({Error{Errc::kPrivilege, "x"}}, kLimits, "ndo").state, State::kUnknown);
  EXPECT_EQ(evaluate({Error{Errc::kBadData, "x"}}, kLimits, "ndo").state, State::kUnknown);
}

TEST(CheckHeartbeatTest, AMissingProcessIsCriticalWhateverTheHeartbeat) {
  CheckResult result = evaluate({fresh(), ProcessFacts{"nagios -d"}}, kLimits, "zabbix");
  EXPECT_EQ(result.state, State::kCritical);
  EXPECT_TRUE(result.text.starts_with("no process matches 'nagios -d'; db2: Zabbix"))
      << result.text;
  result = evaluate({Error{Errc::kPrivilege, "x"}, ProcessFacts{"nagios"}}, kLimits, "zabbix");
  EXPECT_EQ(result.state, State::kCritical);
  result = evaluate({fresh(), ProcessFacts{"nagios", 4711}}, kLimits, "zabbix");
  EXPECT_EQ(result.state, State::kOk);
  EXPECT_TRUE(result.text.ends_with("; process 4711 runs")) << result.text;
}

TEST(CheckHeartbeatTest, AProcessThatMayBeHiddenIsNotMissing) {
  const ProcessFacts hidden{"nagios -d", std::nullopt, false};
  CheckResult result = evaluate({fresh(), hidden}, kLimits, "zabbix");
  EXPECT_EQ(result.state, State::kUnknown);
  EXPECT_TRUE(result.text.starts_with("db2: Zabbix")) << result.text;
  EXPECT_NE(result.text.find("/proc hides the processes of other users"), std::string::npos)
      << result.text;
  HeartbeatFacts late = fresh();
  late.age_s = 100;
  EXPECT_EQ(evaluate({late, hidden}, kLimits, "zabbix").state, State::kCritical);
}

}  // namespace
}  // namespace ha
