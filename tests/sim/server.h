// SPDX-License-Identifier: MIT
// A simulated MySQL 9 or MariaDB 10.11 server: binlog, channels with relay logs, read_only, user
// locks, semi-sync, crashes. It answers the statements that the managers send (sql.cc), and no
// others: an unknown one ends the history, loudly.
//
// Simulated by the manuals and by what was measured on real servers (DESIGN.md, section 4). Left
// out: parallel appliers, torn transactions, filters, events, TLS, several domains. A second
// channel is there, and brings nothing.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/session.h"
#include "tests/sim/gtids.h"
#include "tests/sim/time.h"

namespace ha::sim {

class World;

// One write of a client, as it exists on however many servers.
struct Transaction {
  std::uint8_t origin = 0;        // the server that took it
  std::uint32_t number = 0;       // its GTID's; two may have the same after a loss
  Time written = 0;               // when it was first in a binlog
  bool acknowledged = false;      // the client was told that it is done
  bool lossless = false;          // under lossless semi-sync
  std::uint32_t received_by = 0;  // servers that acknowledged it to the source, a bit each
};

inline constexpr std::uint32_t kNoTransaction = UINT32_MAX;  // of what only begins a new file
inline constexpr std::uint32_t kFirstOffset = 4;
inline constexpr char kPidFile[] = "/run/mysqld.pid";  // on the host of every server

struct Place {  // in a server's binlog
  std::uint32_t file = 1;
  std::uint32_t offset = 4;
  auto operator<=>(const Place&) const = default;
};

struct LogEntry {
  std::uint32_t transaction = 0;
  Place end = {};
};

struct RelayEntry {
  std::uint32_t transaction = 0;
  Place end = {};        // in the source's binlog
  bool ignored = false;  // it bears the replica's own identity
  Time received = 0;
};

enum class Receiver : std::uint8_t { kStopped, kConnecting, kRunning };

struct SemiSyncSettings {
  bool installed = false;
  bool source = false, replica = false;  // in the option file
  bool lossless = false;                 // a timeout without end, waits with no replica, too
  Time timeout = 10 * kSecond;
};

struct ServerSettings {
  bool mariadb = false;
  bool gtid = true;             // MySQL: gtid_mode; MariaDB: channels use GTIDs
  bool log_updates = true;      // log_replica_updates
  bool read_only_file = false;  // read_only in the option file
  bool keeps_relay_log = true;  // over a crash; else it is fetched anew
  std::uint32_t unsynced = 0;   // transactions that a power cut loses (sync_binlog=0)
  Time apply_time = 2 * kMillisecond;
  Time connect_retry = kSecond;
  Time net_timeout = 10 * kSecond;
  Time delay = 0;                       // SQL_Delay
  Time wait_timeout = 28800 * kSecond;  // after which it ends a session that does nothing
  bool second_channel = false;          // from a server outside the cluster
  SemiSyncSettings semi_sync = {};
};

struct Channel {
  bool exists = false;
  std::uint8_t source = 0;
  bool by_gtid = true;
  Receiver io = Receiver::kStopped;
  bool sql = false;
  unsigned io_errno = 0, sql_errno = 0;
  std::string io_error = {}, sql_error = {};
  Place read = {}, executed = {};  // in the source's binlog
  Place base = {};                 // where the relay log begins
  std::vector<RelayEntry> relay = {};
  std::size_t applied = 0;  // entries of it
  std::uint32_t relay_file = 1;
  std::uint32_t connection = 0;  // the one that it has or had; a new one gets a new number
  std::uint32_t tries = 0;       // generation of kReceiverTries
  std::uint32_t applying = 0;    // generation of kApply
  bool apply_planned = false;
  Time heard = 0;
  Time delay = 0;
  Gtids retrieved = {};
  std::uint8_t io_server = 0;  // MariaDB: Gtid_IO_Pos
  std::uint32_t io_number = 0;
};

// A connection of a receiver, as its source sees it.
struct Dump {
  std::uint8_t replica = 0;
  std::uint32_t connection = 0;
  bool acknowledges = false;
  std::size_t next = 0;          // place in the binlog of what is sent next
  std::size_t acknowledged = 0;  // entries before this place
  Time arrives = 0;              // the last thing that was sent
  bool stalled = false;          // by the network
  Gtids known = {};              // MySQL: what the replica had when it connected
};

// A client's write that waits at its server.
struct Pending {
  std::uint32_t client = 0, write = 0, session = 0;
  std::uint32_t transaction = 0;
  std::size_t place = 0;  // in the binlog
};

struct UserLock {
  std::string name;
  std::uint32_t session;
};

class Server {
 public:
  Server(World& world, std::size_t index, const ServerSettings& settings);

  const ServerSettings& settings() const { return settings_; }
  std::size_t index() const { return index_; }
  std::string host() const;

  bool up() const { return up_; }
  bool answers() const { return up_ && !stopped_ && !stuck_; }
  bool hung() const { return up_ && (stopped_ || stuck_); }
  bool read_only() const { return read_only_; }
  bool fenced() const { return fenced_; }
  const Channel& channel() const { return channel_; }
  bool has(std::uint32_t transaction) const {
    return transaction < has_.size() && has_[transaction];
  }
  // True when it has it, or will when its relay log is applied.
  bool has_or_received(std::uint32_t transaction) const;
  const std::vector<LogEntry>& binlog() const { return binlog_; }
  std::uint32_t boots() const { return boots_; }
  Time started() const { return started_; }
  // Returns the process that holds a user lock, as its server sees it; nullopt: none does.
  std::optional<std::uint32_t> lock_holder(std::string_view name) const;

  // --- What happens to it.
  void make_replica(std::size_t source);  // at the beginning
  void make_primary();
  void crash(bool power_cut);
  void fence();
  // Starts it, unless it is fenced and `by_operator` is false. Its option file decides.
  void start(bool by_operator);
  void stop_process() { stopped_ = true; }  // SIGSTOP
  void stick() { stuck_ = true; }           // answers nothing, but heartbeats flow
  void go_on();
  void fill_disk() { disk_full_ = true; }
  void free_disk();
  void stop_threads(bool receiver);      // as an operator does
  void copy_from(const Server& source);  // as after a resync; it follows nothing then

  // --- Clients.
  void take_write(std::uint32_t client, std::uint32_t write);

  // --- Replication.
  void receiver_tries(std::uint32_t generation);
  void receiver_gives_up(std::uint32_t connection);
  void event_arrives(std::uint32_t connection, std::uint32_t place);
  void acknowledged(std::uint32_t replica, std::uint32_t connection, std::uint32_t place);
  void apply(std::uint32_t generation);
  void semi_sync_timeout(std::uint32_t write, std::uint32_t boot);
  // Sends what the network held up.
  void network_changed();
  // The other end of a receiver's connection went away.
  void lose_source(std::uint32_t connection, unsigned number, const char* text);

  // --- Sessions.
  // Answers a statement; nullopt: it waits, and is to be asked again in a moment.
  std::optional<Result<Rows>> execute(std::uint32_t session, const std::string& sql, Time since);
  void begin_session(std::uint32_t session);
  void end_session(std::uint32_t session);
  // Ends those that did nothing for too long.
  void end_idle_sessions();
  const Version& version() const;

 private:
  friend class Statements;

  void append(std::uint32_t transaction);
  void commit(std::uint32_t transaction);
  void finish_write(const Pending& pending, bool done);
  void release_pending();
  void release_waiting();
  bool holds_up_writes() const { return disk_full_ || global_lock_ != 0 || closing_ != 0; }
  bool is_idle(std::uint32_t session) const;
  // Since a session's last statement, by the clock of this host.
  Time idle_time(std::uint32_t session) const;
  // Gives a lock that is free to who has waited for it longest.
  void grant(const std::string& lock);
  void end_client(std::uint32_t client);
  std::uint32_t next_number() const;
  void record_gtid(const Transaction& one);
  std::pair<std::uint8_t, std::uint32_t> current_gtid() const;
  void lose_tail();
  void rebuild_gtids();
  void hang_up();
  void pump(Dump& dump);
  void pump_all();
  void drop_dumps();
  std::size_t clients() const;  // replicas that acknowledge
  bool semi_sync_waits() const;
  void start_receiver();
  void stop_receiver();
  void receiver_failed(unsigned number, std::string text, bool for_good);
  void connect_receiver(Server& source);
  bool find_start(const Server& source, std::size_t& start, std::string& text) const;
  // Returns the size of a file of its binlog; 0: there is none.
  std::uint32_t size_of(std::uint32_t file) const;
  bool skips(const Dump& dump, const LogEntry& entry) const;
  void plan_apply();
  void purge_relay_log();
  Gtids received_or_executed() const;

  World& world_;
  std::size_t index_;
  ServerSettings settings_;

  // On disk.
  std::vector<LogEntry> binlog_;
  std::uint32_t file_ = 1, offset_ = 4;
  std::vector<std::uint32_t> file_sizes_;  // of the files before the last
  std::vector<bool> has_;
  Gtids executed_, initial_executed_;  // the latter is in no binlog: it came with a copy
  std::array<std::uint32_t, kMostNodes> binlog_state_ = {};  // MariaDB, domain 0
  std::uint8_t written_server_ = 0, applied_server_ = 0;     // gtid_binlog_pos, gtid_slave_pos
  std::uint32_t written_number_ = 0, applied_number_ = 0;
  std::uint8_t copied_server_ = 0;  // MariaDB: gtid_slave_pos of the copy
  std::uint32_t copied_number_ = 0;
  Channel channel_;
  bool second_channel_ = false;

  // In memory.
  bool up_ = true, stopped_ = false, stuck_ = false, disk_full_ = false, fenced_ = false;
  std::uint32_t boots_ = 1;
  Time started_ = -86400 * kSecond;
  bool read_only_ = false, super_read_only_ = false, read_only_by_sql_ = false;
  bool semi_sync_source_ = false, semi_sync_replica_ = false, semi_sync_active_ = false;
  std::vector<Dump> dumps_;
  std::vector<Pending> pending_;
  std::vector<Pending> waiting_;  // clients' writes that a lock or the disk holds up
  bool applier_waits_ = false;    // for replicas of its own
  std::size_t applier_waits_for_ = 0;
  std::vector<UserLock> locks_;
  std::uint32_t global_lock_ = 0;  // 1 + the session with FLUSH TABLES WITH READ LOCK
  bool seems_closed_ = false;      // to its own guard: Break::kLease
  std::uint32_t closing_ = 0;      // 1 + the session whose SET GLOBAL read_only waits for commits
  std::vector<std::uint32_t> sessions_;
};

}  // namespace ha::sim
