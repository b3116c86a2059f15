// SPDX-License-Identifier: MIT
// What one server says of itself, as far as a topology is judged by it. Plain values: what could
// not be read is nullopt and `unread` says why, never a guess. Sources: MySQL manual, "Replication
// and Binary Logging Options and Variables"; MariaDB Knowledge Base, "Global Transaction ID".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/mysql/channel_status.h"
#include "common/mysql/history.h"
#include "common/mysql/server_event.h"
#include "common/mysql/version.h"
#include "common/mysql/write_obstacles.h"

namespace ha {

// What set read_only last, and so what it will be after a restart; the later, the more is known to
// have been done by hand.
enum class ReadOnlyOrigin {
  kUnknown,     // the server does not report it
  kDefault,     // nothing: after a restart it is off
  kOptionFile,  // an option file or the command line
  kPersisted,   // MySQL: SET PERSIST
  kSql,         // SET GLOBAL; what the option file says is not known
};

struct SemiSync {
  std::string source_variable = {};          // that switches it on; empty: not installed
  std::optional<bool> source_enabled = {};   // waits for an acknowledgement when it writes
  std::optional<bool> replica_enabled = {};  // acknowledges
  std::optional<bool> source_active = {};    // has not fallen back to asynchronous
  std::optional<std::int64_t> clients = {};  // replicas that acknowledge to it
  std::string replica_variable = {};         // that switches acknowledging on; empty: not installed
  std::optional<std::int64_t> timeout_ms = {};
  std::optional<bool> after_sync = {};  // waits before it commits: lossless
  std::optional<bool> wait_no_replica =
      {};  // waits too while fewer replicas than it needs are there
  std::optional<std::int64_t> wait_count = {};  // acknowledgements that it waits for
  std::optional<bool> replica_active = {};      // acknowledges what it receives now

  // True when nothing is acknowledged to a client that exists on this server alone: it waits a day
  // or longer, before the commit, with no replica too.
  bool lossless() const {
    return source_enabled == true && after_sync == true && wait_no_replica == true &&
           timeout_ms.value_or(0) >= kLosslessTimeout_ms;
  }

  static constexpr std::int64_t kLosslessTimeout_ms = 86'400'000;
};

// What of its changes a server writes into its binlog. Both lists of databases are as the server
// prints them, separated by commas; empty: all, and none.
struct BinlogScope {
  std::string do_db = {}, ignore_db = {};
  std::string format = {};  // "ROW", "MIXED", "STATEMENT"; empty: not known

  bool filtered() const { return !do_db.empty() || !ignore_db.empty(); }
  bool operator==(const BinlogScope&) const = default;
};

struct ServerFacts {
  Version version = {};
  std::uint32_t server_id = 0;
  std::string server_uuid = {};  // empty where there is none (MariaDB)
  std::optional<bool> read_only = {};
  ReadOnlyOrigin read_only_origin = ReadOnlyOrigin::kUnknown;
  std::string read_only_set_at = {};  // MySQL: when it was set last, for comparing; empty: not told
  std::optional<bool> super_read_only = {};  // MySQL only
  WriteObstacles obstacles = {};             // beside those two
  std::optional<bool> log_bin = {};
  std::optional<bool> log_replica_updates = {};
  std::optional<bool> event_scheduler = {};
  // Those that are not disabled; nullopt: the account may not see them.
  std::optional<std::vector<ServerEvent>> events = {};
  // How long a receiver waits for a word of its source before it takes it for lost.
  std::optional<double> replica_net_timeout_s = {};
  SemiSync semi_sync = {};
  std::optional<BinlogPosition> binlog = {};                // the end of its own binlog
  std::optional<BinlogScope> binlog_scope = {};             // nullopt: it has none, or not known
  std::optional<std::vector<ChannelStatus>> channels = {};  // empty list: not a replica
  History history = {};
  History history_later = {};            // read after every node had answered; see probe.h
  bool history_outdated = false;         // others were read later, and it could not be read again
  std::vector<std::string> unread = {};  // what is missing from the above, with the GRANT to run
  std::vector<std::string> notes = {};   // what is missing and rarely needed

  // What others are compared with: read last, so that it has all that they can have had from it.
  const History& latest_history() const {
    return std::holds_alternative<std::monostate>(history_later) ? history : history_later;
  }

  // True when read_only does not keep clients without special privileges from writing.
  bool writable() const { return read_only == false; }

  // True when, as far as the server tells, their writes succeed now.
  bool takes_writes() const { return writable() && !obstacles.any(); }

  // Tells the same of the time after a restart; nullopt: the server does not tell, as when
  // read_only was set by SQL.
  std::optional<bool> writable_after_restart() const {
    if (read_only_origin == ReadOnlyOrigin::kDefault) return true;
    if (read_only_origin == ReadOnlyOrigin::kUnknown || read_only_origin == ReadOnlyOrigin::kSql)
      return std::nullopt;
    return writable();
  }
};

}  // namespace ha
