// SPDX-License-Identifier: MIT
#include "common/heartbeat/sql_sources.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

constexpr const char* kGreeting = "10.11.6-MariaDB";

HeartbeatSpec spec_of(std::string_view preset) {
  HeartbeatSpec spec;
  spec.preset = *find_preset(preset);
  EXPECT_TRUE(finish(spec));
  return spec;
}

TEST(SqlSourcesTest, ATimeOfTheRepeatedHourHasTwoReadings) {
  const struct {
    const char *age, *has_later, *has_earlier;
    std::optional<double> want;
  } cases[] = {
      {"7", "0", "0", 7},
      {"3607", "1", "0", 7},     // the server took the earlier, the later is right
      {"1800", "1", "0", 1800},  // the later would be in the future
      {"-3593", "0", "1", 7},    // the server took the later, the earlier is right
      {"7", "0", "1", 7},
      {"-7200", "0", "0", -7200},  // a wrong clock stays one
      {nullptr, "0", "0", std::nullopt},
  };
  for (const auto& c : cases) {
    const std::optional<std::string> age = c.age ? std::optional<std::string>(c.age) : std::nullopt;
    const Rows rows{{"age", "has_later", "has_earlier"}, {{age, c.has_later, c.has_earlier}}};
    EXPECT_EQ(local_age_s(Row(rows, 0)), c.want) << (c.age ? c.age : "NULL");
  }
}

TEST(SqlSourcesTest, NamesAreQuoted) {
  HeartbeatSpec spec = spec_of("nagios1");
  spec.database = "mon`itor";
  spec.prefix = "a b";
  FakeSession session(kGreeting);
  session.answer("programstatus", Rows{});
  ASSERT_TRUE(read_nagios1(session, spec));
  EXPECT_NE(session.asked[0].find("FROM `mon``itor`.`a bprogramstatus`"), std::string::npos)
      << session.asked[0];
}

TEST(SqlSourcesTest, AMissingPrivilegeComesWithItsGrant) {
  FakeSession session(kGreeting);
  session.answer("CURRENT_USER", Rows{{"u"}, {{"monitor@%"}}})
      .answer("ha_node", Error{Errc::kPrivilege, "SELECT command denied"});
  const auto facts = read_zabbix(session, spec_of("zabbix"));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().text,
            "SELECT command denied; run: GRANT SELECT ON `zabbix`.`ha_node` TO 'monitor'@'%'");
}

TEST(SqlSourcesTest, AStampThatIsNoNumberIsNotUnderstood) {
  FakeSession session(kGreeting);
  session.answer("ha_node", Rows{{"name", "status", "age"}, {{"z1", "3", "soon"}}});
  const auto facts = read_zabbix(session, spec_of("zabbix"));
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Errc::kBadData);
}

TEST(SqlSourcesTest, AnEngineWithoutEndpointColumnCannotBeAskedForOne) {
  HeartbeatSpec spec = spec_of("ido");
  spec.node_name = "m1";
  FakeSession session(kGreeting);
  session.answer("programstatus", Rows{{"instance_name", "age"}, {{"default", "3"}}});
  const auto facts = read_ido(session, spec);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Errc::kBadData);
}

}  // namespace
}  // namespace ha
