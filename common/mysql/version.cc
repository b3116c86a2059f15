// SPDX-License-Identifier: MIT
#include "common/mysql/version.h"

#include <charconv>
#include <tuple>

namespace ha {

bool Version::at_least(int want_major, int want_minor, int want_patch) const {
  return std::tie(major, minor, patch) >= std::tie(want_major, want_minor, want_patch);
}

Version parse_version(std::string_view greeting) {
  Version version;
  version.text = greeting;
  if (greeting.find("MariaDB") != greeting.npos) version.flavour = Flavour::kMariadb;
  // MariaDB before 11 pretends to be 5.5.5 to old replicas.
  if (version.flavour == Flavour::kMariadb && greeting.starts_with("5.5.5-"))
    greeting.remove_prefix(6);
  const char* position = greeting.data();
  const char* const end = greeting.data() + greeting.size();
  for (int* part : {&version.major, &version.minor, &version.patch}) {
    position = std::from_chars(position, end, *part).ptr;
    if (position == end || *position != '.') break;
    ++position;
  }
  return version;
}

Version parse_version(std::string_view greeting, unsigned long capabilities) {
  constexpr unsigned long kClientMysql = 1;
  Version version = parse_version(greeting);
  if ((capabilities & kClientMysql) != 0) return version;
  version.flavour = Flavour::kMariadb;
  // What else an administrator may have written: MySQL's numbers end below these.
  if (!version.at_least(10, 2)) {
    version.major = 11;
    version.minor = 8;
    version.patch = 0;
  }
  return version;
}

namespace {

struct SpellingRow {
  Flavour flavour;
  int major, minor, patch;  // from this version on
  Spelling spelling;
};

// Newest first within each flavour.
// clang-format off
constexpr SpellingRow kSpellings[] = {
    {Flavour::kMysql, 8, 2, 0,
     {"SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT",
      "SHOW BINARY LOG STATUS", "REPLICATION CLIENT", "log_replica_updates",
      "CHANGE REPLICATION SOURCE TO", "SOURCE", "replica_net_timeout"}},
    {Flavour::kMysql, 8, 0, 26,
     {"SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT",
      "SHOW MASTER STATUS", "REPLICATION CLIENT", "log_replica_updates",
      "CHANGE REPLICATION SOURCE TO", "SOURCE", "replica_net_timeout"}},
    {Flavour::kMysql, 8, 0, 23,
     {"SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT",
      "SHOW MASTER STATUS", "REPLICATION CLIENT", "log_slave_updates",
      "CHANGE REPLICATION SOURCE TO", "SOURCE", "slave_net_timeout"}},
    {Flavour::kMysql, 8, 0, 22,
     {"SHOW REPLICA STATUS", "Replica", "Source", "Channel_Name", "REPLICATION CLIENT",
      "SHOW MASTER STATUS", "REPLICATION CLIENT", "log_slave_updates",
      "CHANGE MASTER TO", "MASTER", "slave_net_timeout"}},
    {Flavour::kMysql, 0, 0, 0,
     {"SHOW SLAVE STATUS", "Slave", "Master", "Channel_Name", "REPLICATION CLIENT",
      "SHOW MASTER STATUS", "REPLICATION CLIENT", "log_slave_updates",
      "CHANGE MASTER TO", "MASTER", "slave_net_timeout"}},
    {Flavour::kMariadb, 10, 5, 9,
     {"SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name", "REPLICA MONITOR",
      "SHOW MASTER STATUS", "BINLOG MONITOR", "log_slave_updates",
      "CHANGE MASTER TO", "MASTER", "slave_net_timeout"}},
    {Flavour::kMariadb, 10, 5, 2,
     {"SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name", "REPLICATION CLIENT",
      "SHOW MASTER STATUS", "BINLOG MONITOR", "log_slave_updates",
      "CHANGE MASTER TO", "MASTER", "slave_net_timeout"}},
    {Flavour::kMariadb, 0, 0, 0,
     {"SHOW ALL SLAVES STATUS", "Slave", "Master", "Connection_name", "REPLICATION CLIENT",
      "SHOW MASTER STATUS", "REPLICATION CLIENT", "log_slave_updates",
      "CHANGE MASTER TO", "MASTER", "slave_net_timeout"}},
};
// clang-format on

}  // namespace

const Spelling& spelling(const Version& version) {
  for (const SpellingRow& row : kSpellings)
    if (row.flavour == version.flavour && version.at_least(row.major, row.minor, row.patch))
      return row.spelling;
  return kSpellings[0].spelling;  // not reached: each flavour has a row from 0 on
}

}  // namespace ha
