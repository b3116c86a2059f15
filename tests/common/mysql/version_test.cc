// SPDX-License-Identifier: MIT
#include "common/mysql/version.h"

#include <gtest/gtest.h>

namespace ha {
namespace {

TEST(VersionTest, GreetingsTellFlavourAndNumbers) {
  const struct {
    const char* greeting;
    Flavour flavour;
    int major, minor, patch;
  } cases[] = {
      {"5.7.44-log", Flavour::kMysql, 5, 7, 44},
      {"8.0.21", Flavour::kMysql, 8, 0, 21},
      {"8.0.36-28", Flavour::kMysql, 8, 0, 36},  // Percona Server
      {"8.4.5", Flavour::kMysql, 8, 4, 5},
      {"9.4.0-commercial", Flavour::kMysql, 9, 4, 0},
      {"12.10.100", Flavour::kMysql, 12, 10, 100},
      {"10.11.6-MariaDB-0+deb12u1", Flavour::kMariadb, 10, 11, 6},
      {"5.5.5-10.6.18-MariaDB-log", Flavour::kMariadb, 10, 6, 18},
      {"5.5.68-MariaDB", Flavour::kMariadb, 5, 5, 68},
      {"11.8.2-MariaDB-ubu2404", Flavour::kMariadb, 11, 8, 2},
      {"8.0.mysql_aurora.3.04", Flavour::kMysql, 8, 0, 0},
      {"", Flavour::kMysql, 0, 0, 0},
      {"junk", Flavour::kMysql, 0, 0, 0},
      {"99999999999.1", Flavour::kMysql, 0, 1, 0},
  };
  for (const auto& c : cases) {
    const Version version = parse_version(c.greeting);
    EXPECT_EQ(version.flavour, c.flavour) << c.greeting;
    EXPECT_EQ(version.major, c.major) << c.greeting;
    EXPECT_EQ(version.minor, c.minor) << c.greeting;
    EXPECT_EQ(version.patch, c.patch) << c.greeting;
    EXPECT_EQ(version.text, c.greeting);
  }
}

// The greetings of MariaDB 10.11.19 (with and without --version) and of MySQL 9.7.4.
TEST(VersionTest, CapabilitiesTellTheFlavourWhateverTheVersionSays) {
  const struct {
    const char* greeting;
    unsigned long capabilities;
    Flavour flavour;
    int major, minor;
  } cases[] = {
      {"9.7.4-2", 0xdfffffff, Flavour::kMysql, 9, 7},
      {"8.0.mysql_aurora.3.04", 0xdfffffff, Flavour::kMysql, 8, 0},
      {"8.0.36-28", 0xdfffffff, Flavour::kMysql, 8, 0},
      {"5.5.5-10.11.19-MariaDB", 0x81fff7fe, Flavour::kMariadb, 10, 11},
      {"11.8.2", 0x81fff7fe, Flavour::kMariadb, 11, 8},
      {"8.0.36", 0x81fff7fe, Flavour::kMariadb, 11, 8},
      {"5.7.44", 0x81fff7fe, Flavour::kMariadb, 11, 8},
      {"ours", 0x81fff7fe, Flavour::kMariadb, 11, 8},
      {"5.5.5-10.1.48-MariaDB", 0xa03ff7ff, Flavour::kMariadb, 10, 1},
  };
  for (const auto& c : cases) {
    const Version version = parse_version(c.greeting, c.capabilities);
    EXPECT_EQ(version.flavour, c.flavour) << c.greeting;
    EXPECT_EQ(version.major, c.major) << c.greeting;
    EXPECT_EQ(version.minor, c.minor) << c.greeting;
    EXPECT_EQ(version.text, c.greeting);
  }
}

TEST(VersionTest, ComparesNumbersNotText) {
  const Version version = parse_version("8.0.22");
  EXPECT_TRUE(version.at_least(8));
  EXPECT_TRUE(version.at_least(8, 0, 22));
  EXPECT_TRUE(version.at_least(5, 7, 44));
  EXPECT_FALSE(version.at_least(8, 0, 23));
  EXPECT_FALSE(version.at_least(10));
  EXPECT_TRUE(parse_version("10.0.1").at_least(9, 9, 9));
}

TEST(VersionTest, EachVersionHasItsSpelling) {
  const struct {
    const char* greeting;
    const char* statement;
    const char* replica;
    const char* source;
    const char* channel_column;
    const char* privilege;
  } cases[] = {
      {"5.7.44", "SHOW SLAVE STATUS", "Slave", "Master", "Channel_Name", "REPLICATION CLIENT"},
      {"8.0.21", "SHOW SLAVE STATUS", "Slave", "Master", "Channel_Name", "REPLICATION CLIENT"},
      {"8.0.22", "SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT"},
      {"8.4.0", "SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT"},
      {"9.9.9", "SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT"},
      {"20.1.0", "SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT"},
      {"10.4.34-MariaDB", "SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name",
       "REPLICATION CLIENT"},
      {"10.6.18-MariaDB", "SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name",
       "REPLICA MONITOR"},
      {"10.11.6-MariaDB", "SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name",
       "REPLICA MONITOR"},
      {"11.8.2-MariaDB", "SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name",
       "REPLICA MONITOR"},
      {"20.1.0-MariaDB", "SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name",
       "REPLICA MONITOR"},
  };
  for (const auto& c : cases) {
    const Spelling& words = spelling(parse_version(c.greeting));
    EXPECT_EQ(words.show_replica_status, c.statement) << c.greeting;
    EXPECT_EQ(words.replica, c.replica) << c.greeting;
    EXPECT_EQ(words.source, c.source) << c.greeting;
    EXPECT_EQ(words.channel_column, c.channel_column) << c.greeting;
    EXPECT_EQ(words.monitor_privilege, c.privilege) << c.greeting;
  }
}

}  // namespace
}  // namespace ha
