// SPDX-License-Identifier: MIT
// Which server speaks, and how it spells things. How words and columns of replication are spelled
// comes from one table keyed by flavour and version; whole statements that differ in more than a
// word stand in statements.h, the names of privileges in privileges.h.

#pragma once

#include <string>
#include <string_view>

namespace ha {

enum class Flavour { kMysql, kMariadb };

struct Version {
  Flavour flavour = Flavour::kMysql;
  int major = 0, minor = 0, patch = 0;
  std::string text = {};  // as the server gave it

  // True for this version and later ones. Compare only versions of one flavour.
  bool at_least(int want_major, int want_minor = 0, int want_patch = 0) const;
};

// Reads a greeting's version: "8.0.36-28", "9.4.0", "10.11.6-MariaDB-1", and with the prefix of old
// MariaDB servers "5.5.5-10.5.8-MariaDB". Percona Server is MySQL.
Version parse_version(std::string_view greeting);

// The same, where the greeting's capabilities are known. An administrator of MariaDB may set any
// version; but only MariaDB, from 10.2 on, greets without CLIENT_LONG_PASSWORD, which it calls
// CLIENT_MYSQL (Knowledge Base, "Connecting: Initial Handshake Packet"). Numbers that are none of
// such a MariaDB's are taken for those of the newest.
Version parse_version(std::string_view greeting, unsigned long capabilities);

// How one range of versions spells replication. Sources: MySQL manual, "SHOW REPLICA STATUS" and
// "Changes in MySQL 8.0.22" and "8.4.0"; MariaDB Knowledge Base, "SHOW REPLICA STATUS", "GRANT".
struct Spelling {
  std::string_view show_replica_status;  // every channel, one row each
  std::string_view replica;              // "Replica" or "Slave" in column names
  std::string_view source;               // "Source" or "Master" in column names
  std::string_view channel_column;       // the column with the channel's name
  std::string_view monitor_privilege;    // what show_replica_status asks for, on *.*
  std::string_view show_binlog_status;   // file and position of the own binary log's end
  std::string_view binlog_privilege;     // what show_binlog_status asks for, on *.*
  std::string_view log_replica_updates;  // the variable's name
  std::string_view change_source;        // the statement's start
  std::string_view source_option;        // "SOURCE" or "MASTER" in its options
  std::string_view replica_net_timeout;  // the variable's name
};

// Either may stand in the names of semi-sync's variables, whatever the version: they are those of
// the plugin that was installed.
inline constexpr std::string_view kSourceWords[] = {"source", "master"};
inline constexpr std::string_view kReplicaWords[] = {"replica", "slave"};

// What an account needs on *.* to replicate from any version.
inline constexpr std::string_view kReplicationPrivilege = "REPLICATION SLAVE";

// Returns the spelling for a version; unknown newer ones get the newest of their flavour.
const Spelling& spelling(const Version& version);

}  // namespace ha
