// SPDX-License-Identifier: MIT
#include "common/heartbeat/sql_sources.h"

#include <gtest/gtest.h>

#include "common/text.h"
#include "tests/fakes/fake_session.h"

namespace ha {
namespace {

constexpr const char* kGreeting = "10.11.6-MariaDB";

class SqlSourcesTest : public testing::Test {
 protected:
  StampMemory memory_;
};

HeartbeatSpec spec_of(std::string_view preset) {
  HeartbeatSpec spec;
  spec.preset = *find_preset(preset);
  EXPECT_TRUE(finish(spec));
  return spec;
}

TEST_F(SqlSourcesTest, NamesAreQuoted) {
  HeartbeatSpec spec = spec_of("nagios1");
  spec.database = "mon`itor";
  spec.prefix = "a b";
  FakeSession session(kGreeting);
  session.answer("programstatus", Rows{});
  ASSERT_TRUE(read_nagios1(session, spec, memory_));
  EXPECT_NE(session.asked[0].find("FROM `mon``itor`.`a bprogramstatus`"), std::string::npos)
      << session.asked[0];
}

TEST_F(SqlSourcesTest, AMissingPrivilegeComesWithItsGrant) {
  FakeSession session(kGreeting);
  session.answer("CURRENT_USER", Rows{{"u"}, {{"monitor@%"}}})
      .answer("ha_node", Error{Errc::kPrivilege, "SELECT command denied"});
  const auto facts = read_zabbix(session, spec_of("zabbix"), memory_);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().text,
            "SELECT command denied; run: GRANT SELECT ON `zabbix`.`ha_node` TO 'monitor'@'%'");
}

TEST_F(SqlSourcesTest, AStampThatIsNoNumberIsNotUnderstood) {
  FakeSession session(kGreeting);
  session.answer("ha_node", Rows{{"name", "status", "age"}, {{"z1", "3", "soon"}}});
  const auto facts = read_zabbix(session, spec_of("zabbix"), memory_);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Errc::kBadData);
}

TEST_F(SqlSourcesTest, AnEngineWithoutEndpointColumnCannotBeAskedForOne) {
  HeartbeatSpec spec = spec_of("ido");
  spec.node_name = "m1";
  FakeSession session(kGreeting);
  session.answer("programstatus", Rows{{"instance_name", "age"}, {{"default", "3"}}});
  const auto facts = read_ido(session, spec, memory_);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, Errc::kBadData);
}

// Rows as read_ndo() asks for them: name, running, age; the server's clock shows 1000000.
Rows programs(std::initializer_list<std::tuple<const char*, const char*, int>> instances) {
  Rows rows{{"instance_name", "is_currently_running", "now", "stamp", "stamp_s", "twin_s"}, {}};
  for (const auto& [name, running, age] : instances)
    rows.cells.push_back(
        {name, running, "1000000", "2024-01-01 12:00:00", std::to_string(1000000 - age), "0"});
  return rows;
}

TEST_F(SqlSourcesTest, ADeadDefaultInstanceNamesTheLivingOnes) {
  const struct {
    Rows rows;
    const char* advice;
  } cases[] = {
      {programs({{"default", "1", 900}}), "ndo2db writes this row and may be late instead"},
      {programs({{"default", "1", 900}, {"west", "1", 3}, {"east", "1", 700}, {"north", "0", 1}}),
       "alive in this database: instance 'west' (3s ago); choose it with --instance"},
      {programs({{"default", "0", 900}, {"west", "1", 50}}),
       "alive in this database: instance 'west' (50s ago); choose it with --instance"},
  };
  for (const auto& c : cases) {
    FakeSession session(kGreeting);
    session.answer("programstatus", c.rows);
    const auto facts = read_ndo(session, spec_of("ndo"), memory_);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->age_s, 900);
    EXPECT_EQ(facts->advice, c.advice);
  }
}

TEST_F(SqlSourcesTest, ARowWithoutATimeIsNotNoRow) {
  FakeSession session(kGreeting);
  Rows rows = programs({{"default", "1", 0}});
  rows.cells[0][4] = std::nullopt;  // the zero date
  session.answer("programstatus", rows);
  const auto facts = read_ndo(session, spec_of("ndo"), memory_);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->age_s, std::nullopt);
  EXPECT_EQ(facts->absence,
            "the row is there, but has no status_update_time yet; the engine is starting");
}

constexpr const char* kBerlin = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr const char* kTokyo = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

// Rows of icingadb_instance: endpoint, responsible, environment, age.
using Daemons = std::vector<std::vector<std::optional<std::string>>>;

Result<HeartbeatFacts> icingadb(const Daemons& daemons, const std::string& environment,
                                std::optional<std::string> node = std::nullopt) {
  HeartbeatSpec spec = spec_of("icingadb");
  spec.environment = environment;
  spec.node_name = node;
  FakeSession session(kGreeting);
  session.answer("icingadb_instance", Rows{{"name", "responsible", "environment", "age"}, daemons})
      .answer("environment", Rows{{"name", "id"}, {{"tokyo", kTokyo}}});
  StampMemory memory;
  return read_icingadb(session, spec, memory);
}

TEST_F(SqlSourcesTest, EnvironmentsAreToldApart) {
  const Daemons two = {{"m1", "y", kTokyo, "1"}, {"m1", "y", kBerlin, "500"}};
  const Daemons given_up = {
      {"m1", "y", kTokyo, "-1"}, {"m1", "y", kBerlin, "259200"}, {"m1", "n", kBerlin, "999999"}};
  const auto which = icingadb(given_up, "");
  ASSERT_FALSE(which);
  EXPECT_EQ(which.error().text, std::string("--environment: which one? There are: ") + kTokyo +
                                    " (heartbeat 0s ago), " + kBerlin + " (heartbeat 3d 00h ago)");
  EXPECT_EQ(icingadb(two, kBerlin)->age_s, 500);
  EXPECT_EQ(icingadb(two, to_upper(kBerlin), "m1")->age_s, 500);
  EXPECT_EQ(icingadb(two, "tokyo")->age_s, 1);
  const auto gone = icingadb({{"m1", "y", kTokyo, "1"}}, kBerlin);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->age_s, std::nullopt);
  EXPECT_NE(gone->absence.find(kTokyo), std::string::npos) << gone->absence;
  EXPECT_EQ(icingadb(two, "nowhere")->age_s, std::nullopt);
}

TEST_F(SqlSourcesTest, DaemonsThatAreResponsibleAtTheSameTimeAreAConflict) {
  const struct {
    Daemons daemons;
    std::optional<std::string> node;
    const char* conflict;
  } cases[] = {
      {{{"m1", "y", kTokyo, "1"}, {"m2", "n", kTokyo, "1"}}, {}, ""},
      {{{"m1", "y", kTokyo, "1"}, {"m1", "y", kTokyo, "64"}}, {}, ""},  // one crashed
      {{{"m1", "y", kTokyo, "1"}, {"m1", "y", kTokyo, "2"}},
       {},
       "2 daemons are responsible at the same time: m1, m1; stop all but one"},
      {{{"m1", "y", kTokyo, "1"}, {"m1", "y", kTokyo, "2"}},
       "m1",
       "2 daemons are responsible at the same time: m1, m1; stop all but one"},
      {{{"m1", "y", kTokyo, "1"}, {"m2", "y", kTokyo, "2"}}, "m1", ""},
  };
  for (const auto& c : cases) {
    const auto facts = icingadb(c.daemons, "", c.node);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->conflict, c.conflict);
    EXPECT_EQ(facts->active, true);
  }
}

TEST_F(SqlSourcesTest, OfOneEndpointTheDaemonThatLeadsCounts) {
  const auto facts = icingadb({{"m1", "n", kTokyo, "1"}, {"m1", "y", kTokyo, "2"}}, "", "m1");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->active, true);
}

}  // namespace
}  // namespace ha
