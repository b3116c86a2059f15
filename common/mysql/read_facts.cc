// SPDX-License-Identifier: MIT
#include "common/mysql/read_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/mysql/events.h"
#include "common/mysql/privileges.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/variables.h"
#include "common/mysql/write_state.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr char kVariablesQuery[] =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'server_uuid', 'log_bin', '{}',"
    " '{}', 'event_scheduler', 'binlog_format', {})"
    " OR Variable_name LIKE 'rpl_semi_sync%'";
constexpr char kStatusQuery[] =
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'rpl_semi_sync%status'"
    " OR Variable_name LIKE 'rpl_semi_sync%clients'";

template <class Words>
std::optional<bool> semi_sync_flag(const Variables& variables, const Words& words,
                                   std::string_view suffix) {
  for (const std::string_view word : words)
    if (const auto on = flag(variables, fmt::format("rpl_semi_sync_{}_{}", word, suffix)))
      return on;
  return std::nullopt;
}

template <class Words>
std::string enabling_variable(const Variables& variables, const Words& words) {
  for (const std::string_view word : words)
    if (std::string name = fmt::format("rpl_semi_sync_{}_enabled", word); variables.contains(name))
      return name;
  return "";
}

// The settings of semi-sync; nullopt and empty where the plugin is not installed.
SemiSync read_semi_sync(const Variables& variables) {
  SemiSync semi_sync;
  semi_sync.source_variable = enabling_variable(variables, kSourceWords);
  semi_sync.replica_variable = enabling_variable(variables, kReplicaWords);
  semi_sync.source_enabled = semi_sync_flag(variables, kSourceWords, "enabled");
  semi_sync.replica_enabled = semi_sync_flag(variables, kReplicaWords, "enabled");
  if (semi_sync.source_variable.empty()) return semi_sync;
  // MariaDB has no such setting: one acknowledgement is enough.
  semi_sync.wait_count = 1;
  for (const std::string_view word : kSourceWords) {
    const std::string prefix = fmt::format("rpl_semi_sync_{}_", word);
    if (const auto found = variables.find(prefix + "timeout"); found != variables.end())
      semi_sync.timeout_ms = parse_integer(found->second);
    if (const auto found = variables.find(prefix + "wait_point"); found != variables.end())
      semi_sync.after_sync = to_upper(found->second) == "AFTER_SYNC";
    for (const std::string_view replica : kReplicaWords) {
      if (const auto on = flag(variables, fmt::format("{}wait_no_{}", prefix, replica)))
        semi_sync.wait_no_replica = on;
      const auto count = variables.find(fmt::format("{}wait_for_{}_count", prefix, replica));
      if (count != variables.end()) semi_sync.wait_count = parse_integer(count->second);
    }
  }
  return semi_sync;
}

Result<Done> read_settings(SqlSession& session, ServerFacts& facts) {
  const Spelling& words = spelling(facts.version);
  const auto variables =
      read_variables(session, fmt::format(kVariablesQuery, words.log_replica_updates,
                                          words.replica_net_timeout, kWriteVariables));
  if (!variables) return variables.error();
  const auto id = variables->find("server_id");
  const auto number = id == variables->end() ? std::nullopt : parse_integer(id->second);
  if (!number) return Error{Errc::kBadData, "the server tells no server_id"};
  facts.server_id = static_cast<std::uint32_t>(*number);
  if (const auto uuid = variables->find("server_uuid"); uuid != variables->end())
    facts.server_uuid = to_lower(uuid->second);
  facts.read_only = flag(*variables, "read_only");
  facts.super_read_only = flag(*variables, "super_read_only");
  facts.obstacles = judge_variables(*variables, facts.version.flavour);
  if (const auto read = read_group(session, *variables, facts.obstacles); !read)
    return read.error();
  facts.log_bin = flag(*variables, "log_bin");
  facts.binlog_scope.emplace();
  if (const auto format = variables->find("binlog_format"); format != variables->end())
    facts.binlog_scope->format = format->second;
  facts.log_replica_updates = flag(*variables, std::string(words.log_replica_updates));
  facts.event_scheduler = flag(*variables, "event_scheduler");
  if (const auto found = variables->find(std::string(words.replica_net_timeout));
      found != variables->end())
    facts.replica_net_timeout_s = parse_number(found->second);
  facts.semi_sync = read_semi_sync(*variables);
  return facts.semi_sync.source_enabled || facts.semi_sync.replica_enabled
             ? reread_semi_sync(session, facts)
             : Result<Done>(Done{});
}

Result<Done> read_channels(SqlSession& session, ServerFacts& facts) {
  auto channels = read_replica_status(session);
  if (channels) {
    facts.channels = std::move(*channels);
    return Done{};
  }
  if (channels.error().code != Errc::kPrivilege) return channels.error();
  facts.unread.push_back("replication status unknown: " + channels.error().text);
  return Done{};
}

// True when a commit waits for an acknowledgement that no replica seems to give. From the second
// one on a MariaDB holds the lock of its binlog meanwhile, and does not tell where that ends. How
// many replicas it counts says nothing: those that were cut off are among them.
Result<bool> locks_binlog(SqlSession& session, const ServerFacts& facts) {
  if (facts.version.flavour != Flavour::kMariadb || facts.semi_sync.source_active != true)
    return false;
  const auto waiting =
      query_value(session,
                  "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                  " WHERE STATE LIKE 'Waiting for semi-sync ACK%' AND TIME_MS > 1000");
  if (!waiting) return waiting.error();
  return *waiting != "0";
}

}  // namespace

Result<Done> read_binlog_end(SqlSession& session, ServerFacts& facts) {
  const std::string format = facts.binlog_scope.value_or(BinlogScope()).format;
  facts.binlog_scope.reset();
  if (facts.log_bin != true) return Done{};
  const auto locked = locks_binlog(session, facts);
  if (!locked) return locked.error();
  if (*locked) {
    facts.notes.push_back(
        "binlog position unknown: commits wait for a replica to acknowledge them");
    return Done{};
  }
  const Spelling& words = spelling(facts.version);
  const auto rows = session.query(std::string(words.show_binlog_status));
  if (!rows) {
    if (rows.error().code != Errc::kPrivilege) return rows.error();
    facts.notes.push_back("binlog position unknown: " + rows.error().text +
                          "; run: " + grant_statement(session, words.binlog_privilege, "*.*"));
    return Done{};
  }
  if (rows->cells.empty()) return Done{};
  const Row row(*rows, 0);
  const auto offset = row.integer("Position");
  const auto file = row.text("File");
  if (!file || !offset || *offset < 0)
    return Error{Errc::kBadData, fmt::format("{}: no file and position", words.show_binlog_status)};
  facts.binlog = BinlogPosition{*file, static_cast<std::uint64_t>(*offset)};
  facts.binlog_scope = BinlogScope{row.text("Binlog_Do_DB").value_or(""),
                                   row.text("Binlog_Ignore_DB").value_or(""), format};
  return Done{};
}

namespace {

// Adds what the channels received to the history.
Result<Done> add_received(ServerFacts& facts) {
  for (const ChannelStatus& channel : facts.channels.value_or(std::vector<ChannelStatus>{})) {
    if (auto* mysql = std::get_if<MysqlHistory>(&facts.history)) {
      const auto set = GtidSet::parse(channel.received_gtids);
      if (!set) return set.error();
      mysql->retrieved = unite(mysql->retrieved, *set);
    } else if (auto* mariadb = std::get_if<MariadbHistory>(&facts.history)) {
      const auto position = MariadbGtids::parse(channel.received_gtids);
      if (!position) return position.error();
      mariadb->received_position = unite(mariadb->received_position, *position);
    }
  }
  return Done{};
}

Result<History> read_mysql_history(SqlSession& session) {
  const auto rows = session.query(
      "SELECT @@GLOBAL.gtid_mode AS mode, @@GLOBAL.gtid_executed AS executed,"
      " @@GLOBAL.gtid_purged AS purged");
  if (!rows) return rows.error();
  if (rows->cells.empty()) return Error{Errc::kBadData, "the server tells no gtid_executed"};
  const Row row(*rows, 0);
  // With any other mode some transactions have no GTID, and a set would be taken for the whole.
  if (row.text("mode").value_or("") != "ON") return History{};
  auto executed = GtidSet::parse(row.text("executed").value_or(""));
  if (!executed) return executed.error();
  auto purged = GtidSet::parse(row.text("purged").value_or(""));
  if (!purged) return purged.error();
  return History{MysqlHistory{std::move(*executed), std::move(*purged)}};
}

Result<History> read_mariadb_history(SqlSession& session, std::uint32_t server_id) {
  const auto rows = session.query(
      "SELECT @@GLOBAL.gtid_binlog_state AS state, @@GLOBAL.gtid_binlog_pos AS written,"
      " @@GLOBAL.gtid_slave_pos AS applied, @@GLOBAL.gtid_current_pos AS current");
  if (!rows) return rows.error();
  if (rows->cells.empty()) return Error{Errc::kBadData, "the server tells no gtid_binlog_state"};
  const Row row(*rows, 0);
  MariadbHistory history{server_id, {}};
  const std::pair<const char*, MariadbGtids*> fields[] = {{"state", &history.binlog_state},
                                                          {"written", &history.binlog_position},
                                                          {"applied", &history.applied_position},
                                                          {"current", &history.current_position}};
  for (const auto& [column, target] : fields) {
    auto gtids = MariadbGtids::parse(row.text(column).value_or(""));
    if (!gtids) return gtids.error();
    *target = std::move(*gtids);
  }
  return History{std::move(history)};
}

// Without EVENT the server shows none, as if there were none.
Result<Done> read_visible_events(SqlSession& session, ServerFacts& facts) {
  const auto privileges = read_privileges(session);
  auto events = read_events(session);
  for (const auto& error : {privileges ? std::nullopt : std::optional(privileges.error()),
                            events ? std::nullopt : std::optional(events.error())})
    if (error && is_no_answer(*error)) return *error;
  if (privileges && events && (holds(*privileges, "EVENT") || !events->empty()))
    facts.events = std::move(*events);
  return Done{};
}

// Returns where a value comes from, in the words of information_schema.SYSTEM_VARIABLES
// (GLOBAL_VALUE_ORIGIN) or of performance_schema.variables_info (VARIABLE_SOURCE).
ReadOnlyOrigin parse_origin(std::string_view word) {
  constexpr std::pair<std::string_view, ReadOnlyOrigin> kWords[] = {
      {"COMPILE-TIME", ReadOnlyOrigin::kDefault},
      {"COMPILED", ReadOnlyOrigin::kDefault},
      {"CONFIG", ReadOnlyOrigin::kOptionFile},
      {"ENVIRONMENT", ReadOnlyOrigin::kOptionFile},
      {"GLOBAL", ReadOnlyOrigin::kOptionFile},
      {"SERVER", ReadOnlyOrigin::kOptionFile},
      {"EXPLICIT", ReadOnlyOrigin::kOptionFile},
      {"EXTRA", ReadOnlyOrigin::kOptionFile},
      {"USER", ReadOnlyOrigin::kOptionFile},
      {"LOGIN", ReadOnlyOrigin::kOptionFile},
      {"COMMAND_LINE", ReadOnlyOrigin::kOptionFile},
      {"COMMAND-LINE", ReadOnlyOrigin::kOptionFile},
      {"PERSISTED", ReadOnlyOrigin::kPersisted},
      {"SQL", ReadOnlyOrigin::kSql},
      {"DYNAMIC", ReadOnlyOrigin::kSql}};
  for (const auto& [name, origin] : kWords)
    if (word == name) return origin;
  return ReadOnlyOrigin::kUnknown;
}

}  // namespace

Result<ReadOnlySetting> read_read_only_origin(SqlSession& session) {
  const auto rows = session.query(
      session.version().flavour == Flavour::kMariadb
          ? "SELECT GLOBAL_VALUE_ORIGIN AS origin FROM information_schema.SYSTEM_VARIABLES"
            " WHERE VARIABLE_NAME = 'READ_ONLY'"
          : "SELECT VARIABLE_SOURCE AS origin, SET_TIME AS set_at"
            " FROM performance_schema.variables_info"
            " WHERE VARIABLE_NAME IN ('read_only', 'super_read_only')");
  ReadOnlySetting last;
  if (!rows) return is_no_answer(rows.error()) ? Result<ReadOnlySetting>(rows.error()) : last;
  // MySQL: either closes the server. kSql is the greatest, and kDefault the least that is known.
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    last.origin = std::max(last.origin, parse_origin(row.text("origin").value_or("")));
    last.at = std::max(last.at, row.text("set_at").value_or(""));
  }
  return last;
}

Result<History> read_history(SqlSession& session, std::uint32_t server_id) {
  return session.version().flavour == Flavour::kMysql ? read_mysql_history(session)
                                                      : read_mariadb_history(session, server_id);
}

Result<ServerFacts> read_server_facts(SqlSession& session) {
  ServerFacts facts;
  facts.version = session.version();
  if (const auto done = read_settings(session, facts); !done) return done.error();
  if (const auto done = reread_replication(session, facts); !done) return done.error();
  // Many have a group's name in their settings and are in none. One that is closed and follows no
  // server can get its changes by the group alone.
  if (const std::string& gap = facts.obstacles.group_unread; !gap.empty())
    (facts.read_only == true && facts.channels && facts.channels->empty() ? facts.unread
                                                                          : facts.notes)
        .push_back(gap);
  if (facts.event_scheduler == true)
    if (const auto done = read_visible_events(session, facts); !done) return done.error();
  return facts;
}

Result<Done> reread_replication(SqlSession& session, ServerFacts& facts) {
  const auto received = reread_received(session, facts);
  return received ? read_binlog_end(session, facts) : received;
}

Result<Done> reread_received(SqlSession& session, ServerFacts& facts) {
  auto history = read_history(session, facts.server_id);
  if (!history) return history.error();
  facts.history = std::move(*history);
  facts.history_later = {};
  const auto channels = read_channels(session, facts);
  return channels ? add_received(facts) : channels;
}

Result<ServerFacts> reread_server_facts(SqlSession& session,
                                        const std::optional<ServerFacts>& before) {
  if (!before) return read_server_facts(session);
  ServerFacts facts = *before;
  if (const auto done = reread_replication(session, facts); !done) return done.error();
  return facts;
}

Result<Done> reread_semi_sync(SqlSession& session, ServerFacts& facts) {
  const auto status = read_variables(session, kStatusQuery);
  if (!status) return status.error();
  facts.semi_sync.source_active = semi_sync_flag(*status, kSourceWords, "status");
  facts.semi_sync.replica_active = semi_sync_flag(*status, kReplicaWords, "status");
  for (const std::string_view word : kSourceWords)
    if (const auto found = status->find(fmt::format("rpl_semi_sync_{}_clients", word));
        found != status->end())
      facts.semi_sync.clients = parse_integer(found->second);
  return Done{};
}

}  // namespace ha
