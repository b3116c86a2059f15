// SPDX-License-Identifier: MIT
// The statements that a simulated server answers: those that the product sends, each by its first
// words. What the product does not send is not here, and a new statement has to be added. All in
// one file, although it is a long one: who misses a statement looks here.

#include <algorithm>
#include <charconv>
#include <utility>

#include "common/text.h"
#include "tests/sim/manager.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace ha::sim {

namespace {

using Cell = std::optional<std::string>;
using Answer = std::optional<Result<Rows>>;

constexpr unsigned kLockWaitTimeout = 1205, kSuperReadOnly = 1290, kChannelRuns = 3021,
                   kNotReplica = 1200;

Rows one_cell(const char* column, std::string value) { return {{column}, {{std::move(value)}}}; }

std::string file_name(const char* base, std::uint32_t number) {
  std::string digits = std::to_string(number);
  return base + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

std::string binlog_name(std::uint32_t number) { return file_name("binlog.", number); }

std::uint32_t file_number(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  std::uint32_t number = 0;
  if (dot != name.npos) std::from_chars(name.data() + dot + 1, name.data() + name.size(), number);
  return number;
}

const char* yes(bool value) { return value ? "Yes" : "No"; }
const char* on(bool value) { return value ? "ON" : "OFF"; }

// Returns the value of an option of CHANGE ..., without quotes; nullopt: it is not given.
std::optional<std::string> option_of(const std::string& sql, std::string_view name) {
  const std::string want = std::string("_") + std::string(name) + "=";
  const std::size_t at = sql.find(want);
  if (at == sql.npos) return std::nullopt;
  std::size_t begin = at + want.size();
  if (sql[begin] == '\'') {
    const std::size_t end = sql.find('\'', begin + 1);
    return sql.substr(begin + 1, end - begin - 1);
  }
  return sql.substr(begin, sql.find_first_of(", ", begin) - begin);
}

// Returns what stands between the first quotes from `from` on.
std::string quoted(const std::string& sql, std::size_t from = 0) {
  const std::size_t begin = sql.find('\'', from);
  if (begin == sql.npos) return "";
  return sql.substr(begin + 1, sql.find('\'', begin + 1) - begin - 1);
}

Error error(unsigned number, std::string text) { return {Errc::kBadData, std::move(text), number}; }

constexpr char kSecondChannel[] = "other";
constexpr std::uint32_t kClientIds = 1'000'000;  // connections of writers, beyond the managers'

}  // namespace

// Answers one statement of one session.
class Statements {
 public:
  Statements(Server& server, std::uint32_t session, const std::string& sql, Time since)
      : s_(server), session_(session), sql_(sql), since_(since) {}

  Answer answer() {
    if (begins("SELECT ")) return select();
    if (begins("SHOW ")) return show();
    if (begins("SET ")) return set();
    if (begins("STOP ") || begins("START ") || begins("RESET ") || begins("CHANGE "))
      return replicate();
    if (begins("KILL ")) return kill();
    if (begins("FLUSH TABLES WITH READ LOCK")) return lock_all();
    if (begins("UNLOCK TABLES")) return unlock();
    if (begins("DO 0")) return Rows{};
    unknown();
  }

 private:
  bool begins(std::string_view words) const { return std::string_view(sql_).starts_with(words); }
  bool holds(std::string_view words) const { return sql_.find(words) != sql_.npos; }

  [[noreturn]] void unknown() const {
    throw Impossible{"the simulated server does not know the statement: " + sql_};
  }

  SimSession& session() { return s_.world_.sessions()[session_]; }

  bool is_broken(Break what) const { return s_.world_.history().broken == what; }

  bool is_own_guard() {
    const Manager& manager = *s_.world_.managers()[session().process];
    return manager.keeps_lease() && std::cmp_equal(manager.what().node, s_.index_);
  }

  void record_change(std::string_view what) {
    s_.world_.witness().changed(s_.index_, session().process, what);
  }

  // --- SELECT

  Answer select() {
    if (begins("SELECT @@GLOBAL.gtid_mode AS mode")) return mysql_history();
    if (begins("SELECT @@GLOBAL.gtid_binlog_state AS state")) return mariadb_history();
    if (begins("SELECT @@GLOBAL.read_only"))
      return one_cell("r", s_.read_only_ || (s_.seems_closed_ && is_own_guard()) ? "1" : "0");
    if (begins("SELECT @@GLOBAL.rpl_semi_sync"))
      return one_cell("s", semi_sync_value() ? "1" : "0");
    if (begins("SELECT IS_USED_LOCK(") && holds("), IS_USED_LOCK(")) return lease_state();
    if (begins("SELECT COALESCE(IS_USED_LOCK(") && holds(") = IS_USED_LOCK("))
      return one_cell("same", have_same_holder() ? "1" : "0");
    if (begins("SELECT RELEASE_LOCK(")) return release_lock();
    if (begins("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = "))
      return process_state();
    if (begins("SELECT @@GLOBAL.port")) return one_cell("port", "3306");
    if (begins("SELECT @@GLOBAL.pid_file")) return one_cell("pid_file", kPidFile);
    if (begins("SELECT HOST FROM information_schema.PROCESSLIST"))
      return one_cell("HOST", "manager");
    if (begins("SELECT CONNECTION_ID()")) return one_cell("id", std::to_string(session_ + 1));
    if (begins("SELECT GET_LOCK(")) return get_lock();
    if (begins("SELECT IS_USED_LOCK(") || begins("SELECT COALESCE(IS_USED_LOCK("))
      return used_lock();
    if (begins("SELECT VARIABLE_SOURCE") || begins("SELECT GLOBAL_VALUE_ORIGIN"))
      return one_cell("origin", origin());
    // Nothing of these is simulated, so nothing is found.
    if (begins("SELECT COUNT(*) FROM")) return one_cell("c", "0");
    if (begins("SELECT PROCESSLIST_STATE FROM") || begins("SELECT STATE FROM") ||
        begins("SELECT PROCESSLIST_ID, ") || begins("SELECT t.PROCESSLIST_ID") ||
        begins("SELECT p.ID"))
      return Rows{{"PROCESSLIST_STATE"}, {}};
    unknown();
  }

  std::string uuid_of(std::size_t server) const {
    return "0000000" + std::to_string(server + 1) + "-1111-1111-1111-111111111111";
  }

  std::string print(const Gtids& gtids) const {
    return gtids.print([this](std::size_t server) { return uuid_of(server); });
  }

  Rows mysql_history() const {
    const bool gtid = s_.settings_.gtid;
    if (gtid && is_broken(Break::kDrain))
      return {{"mode", "executed", "purged"},
              {{Cell("ON"), print(s_.received_or_executed()), print(s_.initial_executed_)}}};
    return {{"mode", "executed", "purged"},
            {{Cell(on(gtid)), gtid ? print(s_.executed_) : "",
              gtid ? print(s_.initial_executed_) : ""}}};
  }

  static std::string print_gtid(std::size_t server, std::uint32_t number) {
    if (number == 0) return "";
    return "0-" + std::to_string(server + 1) + "-" + std::to_string(number);
  }

  Rows mariadb_history() const {
    std::string state;
    for (std::size_t i = 0; i < kMostNodes; ++i)
      if (s_.binlog_state_[i] > 0)
        state += (state.empty() ? "" : ",") + print_gtid(i, s_.binlog_state_[i]);
    const auto [server, number] = s_.current_gtid();
    return {{"state", "written", "applied", "current"},
            {{Cell(state), print_gtid(s_.written_server_, s_.written_number_),
              print_gtid(s_.applied_server_, s_.applied_number_), print_gtid(server, number)}}};
  }

  bool semi_sync_value() const {
    if (holds("master_enabled") || holds("source_enabled")) return s_.semi_sync_source_;
    if (holds("slave_enabled") || holds("replica_enabled")) return s_.semi_sync_replica_;
    if (holds("wait_no_slave") || holds("wait_no_replica")) return s_.settings_.semi_sync.lossless;
    unknown();
  }

  std::string origin() const {
    if (s_.read_only_by_sql_) return s_.settings_.mariadb ? "SQL" : "DYNAMIC";
    if (s_.settings_.read_only_file) return s_.settings_.mariadb ? "CONFIG" : "GLOBAL";
    return s_.settings_.mariadb ? "COMPILE-TIME" : "COMPILED";
  }

  Answer get_lock() {
    const std::string name = quoted(sql_);
    const auto held = std::ranges::find(s_.locks_, name, &UserLock::name);
    if (held == s_.locks_.end()) {
      s_.world_.witness().locks(session().process);
      s_.locks_.push_back({name, session_});
      return one_cell("got", "1");
    }
    if (held->session == session_ || is_broken(Break::kLock)) return one_cell("got", "1");
    const Time patience = sql_.ends_with(" 0)") ? 0 : kSecond;
    if (s_.world_.now() - since_ < patience) return std::nullopt;
    return one_cell("got", "0");
  }

  Rows used_lock() const {
    const std::string name = quoted(sql_);
    const auto held = std::ranges::find(s_.locks_, name, &UserLock::name);
    if (holds("= CONNECTION_ID()"))
      return held == s_.locks_.end() && !is_broken(Break::kLock)
                 ? Rows{{"ours"}, {{Cell()}}}
                 : one_cell("ours",
                            is_broken(Break::kLock) || held->session == session_ ? "1" : "0");
    if (held == s_.locks_.end())
      return Rows{{"holder"}, {{begins("SELECT COALESCE") ? Cell("") : Cell()}}};
    return one_cell("holder", std::to_string(held->session + 1));
  }

  Cell holder_of(const std::string& lock) const {
    const auto held = std::ranges::find(s_.locks_, lock, &UserLock::name);
    return held == s_.locks_.end() ? Cell() : Cell(std::to_string(held->session + 1));
  }

  // One column for each lock that is named; the second names the first one again and asks how long
  // its holder has said nothing.
  Rows lease_state() const {
    Rows rows{{}, {{}}};
    for (std::size_t at = 0; (at = sql_.find('\'', at)) != sql_.npos;) {
      rows.columns.emplace_back("holder");
      rows.cells[0].push_back(holder_of(quoted(sql_, at)));
      at = sql_.find('\'', at + 1) + 1;
    }
    rows.cells[0][1] = silence_of(rows.cells[0][1]);
    return rows;
  }

  bool have_same_holder() const {
    const Cell first = holder_of(quoted(sql_));
    return first && first == holder_of(quoted(sql_, sql_.find(" = ")));
  }

  Answer release_lock() {
    const std::string name = quoted(sql_);
    const auto held = std::ranges::find(s_.locks_, name, &UserLock::name);
    if (held == s_.locks_.end()) return Rows{{"freed"}, {{Cell()}}};
    if (held->session != session_) return one_cell("freed", "0");
    s_.locks_.erase(held);
    s_.grant(name);
    return one_cell("freed", "1");
  }

  // Returns the session that is known as connection `id`; nullptr: there is none.
  const SimSession* find_session(const std::string& id) const {
    const auto index = static_cast<std::uint32_t>(std::stoul(id)) - 1;
    const bool there = std::ranges::find(s_.sessions_, index) != s_.sessions_.end();
    return there ? &s_.world_.sessions()[index] : nullptr;
  }

  Cell silence_of(const Cell& id) const {
    const SimSession* const one = id ? find_session(*id) : nullptr;
    if (one == nullptr) return {};
    const auto index = static_cast<std::uint32_t>(std::stoul(*id)) - 1;
    return std::to_string(one->arrived ? 0 : s_.idle_time(index) / kSecond);
  }

  Rows process_state() const {
    const std::string id = sql_.substr(sql_.rfind(' ') + 1);
    const SimSession* const one = find_session(id);
    if (one == nullptr) return Rows{{"STATE"}, {}};
    const bool waits = one->arrived && one->sql.starts_with("SELECT GET_LOCK(");
    const bool closes = std::to_string(s_.closing_) == id;
    return one_cell("STATE", waits ? "User lock" : closes ? "Waiting for commit lock" : "");
  }

  // --- SHOW

  Answer show() {
    if (begins("SHOW GLOBAL VARIABLES")) return variables();
    if (begins("SHOW GLOBAL STATUS")) return status();
    if (begins("SHOW REPLICA STATUS")) return channel_status(false);
    if (begins("SHOW ALL SLAVES STATUS")) return channel_status(true);
    if (begins("SHOW BINARY LOG STATUS") || begins("SHOW MASTER STATUS"))
      return Rows{{"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"},
                  {{Cell(binlog_name(s_.file_)), std::to_string(s_.offset_), "", ""}}};
    if (begins("SHOW BINARY LOGS")) return binary_logs();
    if (begins("SHOW BINLOG EVENTS")) return binlog_events();
    if (begins("SHOW PROCESSLIST")) return processes();
    unknown();
  }

  Rows variables() const {
    Rows rows{{"Variable_name", "Value"}, {}};
    const auto add = [&](const char* name, std::string value) {
      rows.cells.push_back({Cell(name), Cell(std::move(value))});
    };
    const bool mariadb = s_.settings_.mariadb;
    rows.cells.reserve(20);
    add("binlog_format", "ROW");
    add("event_scheduler", "OFF");
    add("innodb_read_only", "OFF");
    add("innodb_force_recovery", "0");
    add("log_bin", "ON");
    add(mariadb ? "log_slave_updates" : "log_replica_updates", on(s_.settings_.log_updates));
    add("read_only", on(s_.read_only_));
    add("server_id", std::to_string(s_.index_ + 1));
    add(mariadb ? "slave_net_timeout" : "replica_net_timeout",
        std::to_string(s_.settings_.net_timeout / kSecond));
    if (!mariadb) {
      add("server_uuid", uuid_of(s_.index_));
      add("super_read_only", on(s_.super_read_only_));
      add("offline_mode", "OFF");
    }
    if (s_.settings_.semi_sync.installed) semi_sync_variables(rows);
    return rows;
  }

  void semi_sync_variables(Rows& rows) const {
    const SemiSyncSettings& own = s_.settings_.semi_sync;
    const bool mariadb = s_.settings_.mariadb;
    const std::string source = mariadb ? "rpl_semi_sync_master_" : "rpl_semi_sync_source_",
                      replica = mariadb ? "rpl_semi_sync_slave_" : "rpl_semi_sync_replica_";
    const auto add = [&](std::string name, std::string value) {
      rows.cells.push_back({Cell(std::move(name)), Cell(std::move(value))});
    };
    add(source + "enabled", on(s_.semi_sync_source_));
    add(replica + "enabled", on(s_.semi_sync_replica_));
    add(source + "timeout",
        own.lossless ? "1000000000" : std::to_string(own.timeout / kMillisecond));
    add(source + "wait_point", "AFTER_SYNC");
    add(source + (mariadb ? "wait_no_slave" : "wait_no_replica"), on(own.lossless));
    if (!mariadb) add(source + "wait_for_replica_count", "1");
  }

  Rows status() const {
    Rows rows{{"Variable_name", "Value"}, {}};
    if (holds("'Uptime'"))
      rows.cells.push_back(
          {Cell("Uptime"), Cell(std::to_string((s_.world_.now() - s_.started_) / kSecond))});
    if (!s_.settings_.semi_sync.installed) return rows;
    const char* const word = s_.settings_.mariadb ? "master" : "source";
    const std::string name = std::string("Rpl_semi_sync_") + word;
    rows.cells.push_back(
        {Cell(name + "_status"), Cell(on(s_.semi_sync_source_ && s_.semi_sync_waits()))});
    rows.cells.push_back({Cell(name + "_clients"), Cell(std::to_string(s_.clients()))});
    return rows;
  }

  Rows channel_status(bool mariadb) const {
    const std::string replica = mariadb ? "Slave" : "Replica",
                      source = mariadb ? "Master" : "Source";
    const Channel& c = s_.channel_;
    Rows rows{channel_columns(mariadb), {}};
    if (s_.second_channel_) rows.cells.push_back(second_channel(mariadb));
    if (!c.exists) return rows;
    const bool caught_up = c.applied >= c.relay.size();
    const char* const io = c.io == Receiver::kRunning      ? "Yes"
                           : c.io == Receiver::kConnecting ? "Connecting"
                                                           : "No";
    std::vector<Cell> row;
    row.reserve(rows.columns.size());
    row.emplace_back("");  // the channel's name
    row.emplace_back("db" + std::to_string(c.source + 1));
    row.emplace_back("3306");
    row.emplace_back("repl");
    row.emplace_back(std::to_string(settings_retry()));
    row.emplace_back(binlog_name(c.read.file));
    row.emplace_back(std::to_string(c.read.offset));
    row.emplace_back(file_name("relay.", c.relay_file));
    row.emplace_back(std::to_string(4 + 400 * c.applied));
    const Place& executed = is_broken(Break::kDrain) ? c.read : c.executed;
    row.emplace_back(binlog_name(executed.file));
    row.emplace_back(io);
    row.emplace_back(yes(c.sql));
    row.emplace_back(std::to_string(executed.offset));
    row.emplace_back(std::to_string(400 * (c.relay.size() - c.applied)));
    row.emplace_back("None");
    row.emplace_back("");
    row.emplace_back("0");
    row.emplace_back("No");
    row.emplace_back(seconds_behind());
    row.emplace_back(std::to_string(c.io_errno));
    row.emplace_back(c.io_error);
    row.emplace_back(std::to_string(c.sql_errno));
    row.emplace_back(c.sql_error);
    row.emplace_back(c.connection > 0 ? std::to_string(c.source + 1) : "0");
    row.emplace_back(std::to_string(c.delay / kSecond));
    row.emplace_back(s_.disk_full_ && c.io == Receiver::kRunning ? "Waiting for disk space" : "");
    row.emplace_back(!c.sql ? ""
                     : caught_up
                         ? (mariadb ? "Slave has read all relay log; waiting for more updates"
                                    : "Replica has read all relay log; waiting for more updates")
                         : "Reading event from the relay log");
    row.emplace_back("86400");
    if (mariadb) {
      row.emplace_back(c.by_gtid ? "Slave_Pos" : "No");
      row.emplace_back(io_position());
    } else {
      row.emplace_back(c.connection > 0 ? uuid_of(c.source) : "");
      row.emplace_back(s_.settings_.gtid ? print(c.retrieved) : "");
      row.emplace_back(c.by_gtid ? "1" : "0");
    }
    rows.cells.push_back(std::move(row));
    return rows;
  }

  // The channel from elsewhere: it runs, and nothing comes.
  static std::vector<Cell> second_channel(bool mariadb) {
    std::vector<Cell> row = {Cell(kSecondChannel), "elsewhere", "3306", "repl", "60"};
    for (const char* const cell : {"binlog.000007",
                                   "4",
                                   "relay-other.000002",
                                   "4",
                                   "binlog.000007",
                                   "Yes",
                                   "Yes",
                                   "4",
                                   "0",
                                   "None",
                                   "",
                                   "0",
                                   "No",
                                   "0",
                                   "0",
                                   "",
                                   "0",
                                   "",
                                   "99",
                                   "0",
                                   "",
                                   "",
                                   "86400"})
      row.emplace_back(cell);
    if (mariadb) {
      row.emplace_back("No");
      row.emplace_back("");
    } else {
      row.emplace_back("99999999-1111-1111-1111-111111111111");
      row.emplace_back("");
      row.emplace_back("0");
    }
    return row;
  }

  // True for a statement that is about the channel from elsewhere, too: MySQL takes one that names
  // none for all channels.
  bool is_of_second_channel() const {
    if (!s_.second_channel_) return false;
    if (s_.settings_.mariadb) return holds(std::string(" '") + kSecondChannel + "'");
    const std::size_t at = sql_.find(" FOR CHANNEL ");
    return at == sql_.npos || quoted(sql_, at) == kSecondChannel;
  }

  std::string io_position() const {
    const Channel& c = s_.channel_;
    if (!c.by_gtid) return "";
    if (c.io_number == 0 || is_broken(Break::kDrain))
      return print_gtid(s_.applied_server_, s_.applied_number_);
    return print_gtid(c.io_server, c.io_number);
  }

  long settings_retry() const { return s_.settings_.connect_retry / kSecond; }

  Cell seconds_behind() const {
    const Channel& c = s_.channel_;
    if (!c.sql || c.io != Receiver::kRunning) return std::nullopt;
    std::size_t next = c.applied;
    while (next < c.relay.size() && c.relay[next].ignored) ++next;
    if (next >= c.relay.size()) return "0";
    const Time written = s_.world_.transactions()[c.relay[next].transaction].written;
    return std::to_string((s_.world_.now() - written) / kSecond);
  }

  static const std::vector<std::string>& channel_columns(bool mariadb) {
    static const std::vector<std::string> of_mysql = make_columns(false),
                                          of_mariadb = make_columns(true);
    return mariadb ? of_mariadb : of_mysql;
  }

  static std::vector<std::string> make_columns(bool mariadb) {
    const std::string r = mariadb ? "Slave" : "Replica", s = mariadb ? "Master" : "Source";
    std::vector<std::string> columns = {mariadb ? "Connection_name" : "Channel_Name",
                                        s + "_Host",
                                        s + "_Port",
                                        s + "_User",
                                        "Connect_Retry",
                                        s + "_Log_File",
                                        "Read_" + s + "_Log_Pos",
                                        "Relay_Log_File",
                                        "Relay_Log_Pos",
                                        "Relay_" + s + "_Log_File",
                                        r + "_IO_Running",
                                        r + "_SQL_Running",
                                        "Exec_" + s + "_Log_Pos",
                                        "Relay_Log_Space",
                                        "Until_Condition",
                                        "Until_Log_File",
                                        "Until_Log_Pos",
                                        s + "_SSL_Allowed",
                                        "Seconds_Behind_" + s,
                                        "Last_IO_Errno",
                                        "Last_IO_Error",
                                        "Last_SQL_Errno",
                                        "Last_SQL_Error",
                                        s + "_Server_Id",
                                        "SQL_Delay",
                                        r + "_IO_State",
                                        r + "_SQL_Running_State",
                                        s + "_Retry_Count"};
    if (mariadb)
      columns.insert(columns.end(), {"Using_Gtid", "Gtid_IO_Pos"});
    else
      columns.insert(columns.end(), {"Source_UUID", "Retrieved_Gtid_Set", "Auto_Position"});
    return columns;
  }

  Rows binary_logs() const {
    Rows rows{{"Log_name", "File_size"}, {}};
    for (std::uint32_t file = 1; file <= s_.file_; ++file) {
      std::uint32_t size = 4;
      for (const LogEntry& entry : s_.binlog_)
        if (entry.end.file == file) size = entry.end.offset;
      rows.cells.push_back({Cell(binlog_name(file)), Cell(std::to_string(size))});
    }
    return rows;
  }

  Rows binlog_events() const {
    const std::uint32_t file = file_number(quoted(sql_));
    std::uint32_t from = 4;
    if (const std::size_t at = sql_.find(" FROM "); at != sql_.npos)
      from = static_cast<std::uint32_t>(std::stoul(sql_.substr(at + 6)));
    Rows rows{{"Log_name", "Event_type"}, {}};
    for (const LogEntry& entry : s_.binlog_)
      if (entry.end.file == file && entry.end.offset > from && entry.transaction != kNoTransaction)
        rows.cells.push_back(
            {Cell(binlog_name(file)),
             Cell(s_.settings_.mariadb || s_.settings_.gtid ? "Gtid" : "Anonymous_Gtid")});
    return rows;
  }

  Rows processes() const {
    Rows rows{{"Id", "User", "Command", "State"}, {}};
    const auto add = [&](std::uint32_t id, const char* user, const char* state) {
      rows.cells.push_back({Cell(std::to_string(id)), Cell(user), Cell("Query"), Cell(state)});
    };
    const char* const wait =
        s_.world_.history().commits_outlive_clients ? "Waiting for semi-sync ACK from replica" : "";
    for (const std::uint32_t one : s_.sessions_) add(one + 1, "monitor", "");
    for (const Pending& one : s_.pending_) add(kClientIds + one.client, "app", wait);
    for (const Pending& one : s_.waiting_) add(kClientIds + one.client, "app", "");
    return rows;
  }

  // --- SET

  Answer set() {
    if (begins("SET SESSION lock_wait_timeout=")) {
      session().lock_wait = std::stoll(sql_.substr(sql_.find('=') + 1)) * kSecond;
      return Rows{};
    }
    if (begins("SET SESSION wait_timeout = ")) {
      session().wait_timeout = std::stoll(sql_.substr(sql_.find('=') + 1)) * kSecond;
      return Rows{};
    }
    if (begins("SET SESSION ")) return Rows{};
    if (begins("SET GLOBAL read_only=1")) return close();
    if (begins("SET GLOBAL read_only=0") ||
        begins("SET GLOBAL super_read_only=0, GLOBAL read_only=0"))
      return open();
    if (begins("SET GLOBAL super_read_only=")) {
      s_.super_read_only_ = sql_.ends_with("1");
      record_change("super_read_only");
      return Rows{};
    }
    if (begins("SET GLOBAL rpl_semi_sync_")) return set_semi_sync();
    if (begins("SET GLOBAL gtid_slave_pos=@@GLOBAL.gtid_current_pos")) {
      const auto [server, number] = s_.current_gtid();
      s_.applied_server_ = server;
      s_.applied_number_ = number;
      record_change("gtid_slave_pos");
      return Rows{};
    }
    unknown();
  }

  // Fails when a statement has waited too long for the commits under way.
  Answer wait_for_commits() {
    if (s_.world_.now() - since_ < session().lock_wait) return std::nullopt;
    return error(kLockWaitTimeout, "Lock wait timeout exceeded; try restarting transaction");
  }

  Answer close() {
    if (is_broken(Break::kLease) && is_own_guard()) {
      s_.seems_closed_ = true;
      return Rows{};
    }
    if (!s_.pending_.empty() || (s_.global_lock_ != 0 && s_.global_lock_ != session_ + 1)) {
      Answer failed = wait_for_commits();
      // Meanwhile no other statement begins.
      if (s_.world_.history().commits_outlive_clients) s_.closing_ = failed ? 0 : session_ + 1;
      if (failed) s_.release_waiting();
      return failed;
    }
    s_.closing_ = 0;
    s_.read_only_ = true;
    s_.super_read_only_ = !s_.settings_.mariadb;
    s_.read_only_by_sql_ = true;
    record_change("read_only=1");
    if (s_.world_.history().commits_outlive_clients) s_.release_waiting();
    return Rows{};
  }

  Answer open() {
    s_.seems_closed_ = false;
    s_.read_only_ = s_.super_read_only_ = false;
    s_.read_only_by_sql_ = true;
    record_change("read_only=0");
    s_.world_.witness().opened(s_.index_, session().process);
    return Rows{};
  }

  Answer set_semi_sync() {
    const bool value = sql_.ends_with("ON");
    if (holds("_master_enabled") || holds("_source_enabled")) {
      s_.semi_sync_source_ = s_.semi_sync_active_ = value;
      record_change("semi-sync source");
      s_.release_pending();
      return Rows{};
    }
    if (!holds("_slave_enabled") && !holds("_replica_enabled")) unknown();
    s_.semi_sync_replica_ = value;
    record_change("semi-sync replica");
    return Rows{};
  }

  // --- Replication

  Answer replicate() {
    if (is_of_second_channel())
      s_.world_.witness().violated(s_.host() + "'s channel from elsewhere is changed: " + sql_);
    Channel& c = s_.channel_;
    const bool io = !holds("SQL_THREAD"), sql = !holds("IO_THREAD");
    if (begins("STOP ")) {
      if (!c.exists) return s_.settings_.mariadb ? Answer(Rows{}) : no_replica();
      // However long that takes: nothing ends this wait but the applier's.
      if (sql && s_.applier_waits_) return std::nullopt;
      if (io) s_.stop_receiver();
      if (sql) stop_applier();
      record_change("stop");
      return Rows{};
    }
    if (begins("START ")) {
      if (!c.exists) return no_replica();
      if (sql && !c.sql) {
        c.sql = true;
        c.sql_errno = 0;
        c.sql_error.clear();
      }
      if (io) s_.start_receiver();
      s_.plan_apply();
      record_change("start");
      return Rows{};
    }
    if (begins("RESET ")) return forget();
    return change();
  }

  Answer no_replica() const {
    return error(kNotReplica, "The server is not configured as replica");
  }

  void stop_applier() {
    Channel& c = s_.channel_;
    c.sql = false;
    c.apply_planned = false;
    ++c.applying;
  }

  Answer forget() {
    if (!holds(" ALL")) unknown();
    Channel& c = s_.channel_;
    if (!c.exists) return s_.settings_.mariadb ? Answer(Rows{}) : no_replica();
    if (c.io != Receiver::kStopped || c.sql)
      return error(kChannelRuns, "This operation cannot be performed with a running replica");
    s_.world_.witness().forgot_source(s_.index_, undrained());
    c.exists = false;
    const std::uint32_t connection = c.connection, tries = c.tries, applying = c.applying;
    c = {};
    c.connection = connection;
    c.tries = tries;
    c.applying = applying;
    record_change("reset");
    return Rows{};
  }

  // How many transactions of the relay log are nowhere else on this server.
  std::size_t undrained() const {
    std::size_t count = 0;
    for (std::size_t i = s_.channel_.applied; i < s_.channel_.relay.size(); ++i) {
      const RelayEntry& entry = s_.channel_.relay[i];
      if (!entry.ignored && !s_.has(entry.transaction)) ++count;
    }
    return count;
  }

  Answer change() {
    Channel& c = s_.channel_;
    const auto host = option_of(sql_, "HOST");
    // MySQL lets the receiver run when it is about the applier alone.
    const bool of_receiver = host || s_.settings_.mariadb;
    if (c.exists && ((of_receiver && c.io != Receiver::kStopped) || c.sql))
      return error(kChannelRuns, "This operation cannot be performed with a running replica");
    if (const auto delay = option_of(sql_, "DELAY"))
      c.delay = std::stoll(*delay) * kSecond;
    else if (host && !c.exists)
      c.delay = 0;
    record_change("change source");
    if (!host) return Rows{};
    if (!c.exists && !option_of(sql_, "USER")) return error(1210, "no user is given");
    c.exists = true;
    c.source = static_cast<std::uint8_t>(std::stoul(host->substr(2)) - 1);
    const bool gtid =
        option_of(sql_, "AUTO_POSITION") == "1" || option_of(sql_, "USE_GTID") == "slave_pos";
    c.by_gtid = gtid;
    if (const auto file = option_of(sql_, "LOG_FILE"))
      c.executed = {file_number(*file),
                    static_cast<std::uint32_t>(std::stoul(*option_of(sql_, "LOG_POS")))};
    else
      c.executed = {1, 4};
    c.io_errno = c.sql_errno = 0;
    c.io_error.clear();
    c.sql_error.clear();
    s_.purge_relay_log();
    return Rows{};
  }

  // --- Locks and connections

  Answer kill() {
    const auto id = static_cast<std::uint32_t>(std::stoul(sql_.substr(sql_.rfind(' ') + 1)));
    if (id >= kClientIds)
      s_.end_client(id - kClientIds);
    else
      s_.world_.kill_session(id - 1);
    return Rows{};
  }

  Answer lock_all() {
    if (!s_.pending_.empty() || (s_.global_lock_ != 0 && s_.global_lock_ != session_ + 1))
      return wait_for_commits();
    s_.global_lock_ = session_ + 1;
    return Rows{};
  }

  Answer unlock() {
    if (s_.global_lock_ != session_ + 1) return Rows{};
    s_.global_lock_ = 0;
    s_.release_waiting();
    s_.plan_apply();
    return Rows{};
  }

  Server& s_;
  std::uint32_t session_;
  const std::string& sql_;
  Time since_;
};

std::optional<Result<Rows>> Server::execute(std::uint32_t session, const std::string& sql,
                                            Time since) {
  return Statements(*this, session, sql, since).answer();
}

}  // namespace ha::sim
