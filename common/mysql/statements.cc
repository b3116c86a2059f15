// SPDX-License-Identifier: MIT
#include "common/mysql/statements.h"

#include <fmt/format.h>

#include "common/mysql/quote.h"
#include "common/text.h"

namespace ha {

namespace {

// MySQL takes a statement without a channel for all of them, since it has channels.
std::string for_channel(const Version& version, std::string_view channel) {
  if (version.flavour == Flavour::kMariadb || (channel.empty() && !version.at_least(5, 7, 6)))
    return "";
  return " FOR CHANNEL " + quote_text(channel);
}

// Puts the channel where the flavour wants it: behind the noun or at the end.
std::string on_channel(const Version& version, std::string_view verb, std::string_view rest,
                       std::string_view channel) {
  const std::string noun = to_upper(spelling(version).replica);
  const bool mariadb = version.flavour == Flavour::kMariadb;
  std::string text = fmt::format("{} {}", verb, noun);
  if (mariadb && !channel.empty()) text += " " + quote_text(channel);
  if (!rest.empty()) text += fmt::format(" {}", rest);
  return text + for_channel(version, channel);
}

}  // namespace

std::string stop_receiver(const Version& version, std::string_view channel) {
  return on_channel(version, "STOP", "IO_THREAD", channel);
}

std::string start_receiver(const Version& version, std::string_view channel) {
  return on_channel(version, "START", "IO_THREAD", channel);
}

std::string stop_applier(const Version& version, std::string_view channel) {
  return on_channel(version, "STOP", "SQL_THREAD", channel);
}

std::string start_applier(const Version& version, std::string_view channel) {
  return on_channel(version, "START", "SQL_THREAD", channel);
}

std::string start_replication(const Version& version, std::string_view channel) {
  return on_channel(version, "START", "", channel);
}

std::string stop_replication(const Version& version, std::string_view channel) {
  return on_channel(version, "STOP", "", channel);
}

std::string forget_source(const Version& version, std::string_view channel) {
  return on_channel(version, "RESET", "ALL", channel);
}

std::string forget_binlogs(const Version& version) {
  return version.flavour == Flavour::kMysql && version.at_least(8, 2)
             ? "RESET BINARY LOGS AND GTIDS"
             : "RESET MASTER";
}

LogPosition log_position(const BinlogPosition& position) {
  return {quote_text(position.file), std::to_string(position.offset)};
}

namespace {

// The account and TLS options of a new channel; `word` is SOURCE or MASTER.
std::string login_options(const Version& version, std::string_view word,
                          const ReplicationLogin& login) {
  std::string text =
      fmt::format("{0}_USER={1}, {0}_PASSWORD={2}, ", word, quote_text(login.user), login.password);
  const ChannelTls& tls = login.tls;
  text += fmt::format("{}_SSL={}, ", word, tls.used ? 1 : 0);
  const std::pair<const char*, const std::string&> files[] = {{"CA", tls.ca},
                                                              {"CAPATH", tls.ca_directory},
                                                              {"CERT", tls.certificate},
                                                              {"KEY", tls.key},
                                                              {"CIPHER", tls.ciphers}};
  for (const auto& [name, value] : files)
    if (!value.empty()) text += fmt::format("{}_SSL_{}={}, ", word, name, quote_text(value));
  if (tls.used) text += fmt::format("{}_SSL_VERIFY_SERVER_CERT={}, ", word, tls.verifies ? 1 : 0);
  // The defaults of some versions give up after ten minutes.
  if (login.retry.interval_s)
    text += fmt::format("{}_CONNECT_RETRY={}, ", word, *login.retry.interval_s);
  if (login.retry.count) text += fmt::format("{}_RETRY_COUNT={}, ", word, *login.retry.count);
  // Without TLS the password of a caching_sha2_password account needs the source's key.
  if (version.flavour == Flavour::kMysql && version.at_least(8, 0, 4))
    text += word == "SOURCE" ? "GET_SOURCE_PUBLIC_KEY=1, " : "GET_MASTER_PUBLIC_KEY=1, ";
  return text;
}

// The statement's start, with MariaDB's channel.
std::string change_source(const Version& version, std::string_view channel) {
  std::string start(spelling(version).change_source);
  if (version.flavour == Flavour::kMariadb && !channel.empty()) {
    constexpr std::string_view kTo = " TO";
    start.resize(start.size() - kTo.size());
    start += " " + quote_text(channel) + std::string(kTo);
  }
  return start;
}

}  // namespace

std::string follow(const Version& version, std::string_view channel, std::string_view host,
                   unsigned port, const std::optional<LogPosition>& position,
                   const std::optional<ReplicationLogin>& login, double delay_s) {
  const Spelling& words = spelling(version);
  const bool mariadb = version.flavour == Flavour::kMariadb;
  std::string text = fmt::format(
      "{0} {4}{1}_HOST={2}, {1}_PORT={3}", change_source(version, channel), words.source_option,
      quote_text(host), port, login ? login_options(version, words.source_option, *login) : "");
  if (position)
    text +=
        fmt::format(", {0}_LOG_FILE={1}, {0}_LOG_POS={2}, {0}_{3}", words.source_option,
                    position->file, position->offset, mariadb ? "USE_GTID=no" : "AUTO_POSITION=0");
  else
    text += fmt::format(", {}_{}", words.source_option,
                        mariadb ? "USE_GTID=slave_pos" : "AUTO_POSITION=1");
  if (delay_s > 0) text += fmt::format(", {}_DELAY={:.0f}", words.source_option, delay_s);
  return text + for_channel(version, channel);
}

std::string set_delay(const Version& version, std::string_view channel, double delay_s,
                      const LogPosition& relay) {
  const std::string place =
      version.flavour == Flavour::kMariadb
          ? fmt::format("RELAY_LOG_FILE={}, RELAY_LOG_POS={}, ", relay.file, relay.offset)
          : "";
  return fmt::format("{} {}{}_DELAY={:.0f}{}", change_source(version, channel), place,
                     spelling(version).source_option, delay_s, for_channel(version, channel));
}

std::string set_delay_by_gtid(const Version& version, std::string_view channel, double delay_s) {
  return fmt::format("{} MASTER_DELAY={:.0f}, MASTER_USE_GTID=slave_pos",
                     change_source(version, channel), delay_s);
}

std::string set_heartbeat(const Version& version, std::string_view channel, double period_s) {
  return fmt::format("{} {}_HEARTBEAT_PERIOD={}", change_source(version, channel),
                     spelling(version).source_option, period_s) +
         for_channel(version, channel);
}

std::string begin_after_own_transactions() {
  return "SET GLOBAL gtid_slave_pos=@@GLOBAL.gtid_current_pos";
}

std::string make_writable(const Version& version) {
  return version.flavour == Flavour::kMariadb ? "SET GLOBAL read_only=0"
                                              : "SET GLOBAL super_read_only=0, GLOBAL read_only=0";
}

std::string make_read_only(const Version& version) {
  return version.flavour == Flavour::kMariadb ? "SET GLOBAL read_only=1"
                                              : "SET GLOBAL read_only=1, GLOBAL super_read_only=1";
}

std::vector<std::string> block_writers(const Version& version) {
  if (version.flavour == Flavour::kMysql) return {make_read_only(version)};
  // MariaDB's administrators write in spite of read_only.
  return {make_read_only(version), "FLUSH TABLES WITH READ LOCK"};
}

std::vector<std::string> settings_for_copying(const Version& version) {
  std::vector<std::string> sql = {"SET SESSION sql_mode=''", "SET SESSION wait_timeout=86400",
                                  "SET SESSION lock_wait_timeout=60",
                                  "SET SESSION innodb_strict_mode=0"};
  if (version.flavour == Flavour::kMariadb)
    sql.emplace_back("SET SESSION max_statement_time=0");
  else if (version.at_least(8, 0, 13))
    sql.emplace_back("SET SESSION sql_require_primary_key=0");
  if (version.flavour == Flavour::kMysql && version.at_least(8, 4))
    sql.emplace_back("SET SESSION restrict_fk_on_non_standard_key=0");
  return sql;
}

std::vector<std::string> settings_for_counting(const Version& version) {
  std::vector<std::string> sql = {"SET SESSION time_zone='+00:00'"};
  // MySQL remembers for a day what it has once told of tables.
  if (version.flavour == Flavour::kMysql && version.at_least(8, 0))
    sql.emplace_back("SET SESSION information_schema_stats_expiry=0");
  return sql;
}

std::string count_busy_workers(const Version& version, std::string_view channel) {
  if (version.flavour == Flavour::kMariadb)
    return "SELECT COUNT(*) FROM information_schema.processlist WHERE COMMAND = 'Slave_worker'"
           " AND STATE NOT LIKE 'Waiting for work%'";
  return "SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker"
         " JOIN performance_schema.threads USING (THREAD_ID) WHERE CHANNEL_NAME = " +
         quote_string(channel) +
         " AND PROCESSLIST_STATE NOT LIKE 'Waiting for an event from Coordinator%'"
         // A single applier stands there as its own worker.
         " AND PROCESSLIST_STATE NOT LIKE '%has read all relay log%'";
}

std::string ask_applier_wait(const Version& version) {
  if (version.flavour == Flavour::kMariadb)
    return "SELECT STATE FROM information_schema.processlist WHERE USER = 'system user'"
           " AND (STATE LIKE 'Waiting for % lock' OR STATE LIKE 'Waiting for semi-sync ACK%')"
           " LIMIT 1";
  return "SELECT PROCESSLIST_STATE FROM performance_schema.threads"
         " WHERE (NAME LIKE 'thread/sql/replica\\_%' OR NAME LIKE 'thread/sql/slave\\_%')"
         " AND (PROCESSLIST_STATE LIKE 'Waiting for % lock'"
         " OR PROCESSLIST_STATE LIKE 'Waiting for semi-sync ACK%') LIMIT 1";
}

std::string ask_lock_holder(const Version& version) {
  if (version.flavour == Flavour::kMariadb)
    return "SELECT p.ID AS id, p.USER AS user, p.HOST AS host FROM information_schema.processlist p"
           " LEFT JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.ID"
           " WHERE p.USER NOT IN ('system user', 'event_scheduler') AND p.ID <> CONNECTION_ID()"
           " AND p.COMMAND NOT LIKE 'Binlog Dump%'"
           " ORDER BY t.trx_started IS NULL, t.trx_started, p.TIME_MS DESC LIMIT 1";
  return "SELECT t.PROCESSLIST_ID AS id, t.PROCESSLIST_USER AS user, t.PROCESSLIST_HOST AS host"
         " FROM performance_schema.metadata_locks w JOIN performance_schema.threads a"
         " ON a.THREAD_ID = w.OWNER_THREAD_ID"
         " JOIN performance_schema.metadata_locks g ON g.LOCK_STATUS = 'GRANTED'"
         " AND g.OBJECT_TYPE = w.OBJECT_TYPE AND g.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA"
         " AND g.OBJECT_NAME <=> w.OBJECT_NAME AND g.OWNER_THREAD_ID <> w.OWNER_THREAD_ID"
         " JOIN performance_schema.threads t ON t.THREAD_ID = g.OWNER_THREAD_ID"
         " WHERE w.LOCK_STATUS = 'PENDING' AND t.PROCESSLIST_USER IS NOT NULL"
         " AND (a.NAME LIKE 'thread/sql/replica\\_%' OR a.NAME LIKE 'thread/sql/slave\\_%')"
         " LIMIT 1";
}

std::string disable_on_replica(const Version& version, const ServerEvent& event) {
  const bool renamed = version.flavour == Flavour::kMysql && version.at_least(8, 2);
  return fmt::format("ALTER DEFINER={} EVENT {} DISABLE ON {}", event.definer, event.name,
                     renamed ? "REPLICA" : "SLAVE");
}

std::string enable(const ServerEvent& event) {
  return fmt::format("ALTER DEFINER={} EVENT {} ENABLE", event.definer, event.name);
}

}  // namespace ha
