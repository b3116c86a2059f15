// SPDX-License-Identifier: MIT
// A server in memory that any number of sessions share: it keeps what is done to its replication,
// to read_only and to the mark of a half copy, and answers everything else as it is told. Records
// all statements, of which one can be made to fail. Reading what it was not told of fails.

#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/execute/copy_mark.h"
#include "common/mysql/session.h"
#include "tests/builders.h"

namespace ha {

inline Rows one_cell(std::string value) { return Rows{{"value"}, {{std::move(value)}}}; }

class FakeServer {
 public:
  using Answer = std::function<Result<Rows>(const std::string& sql)>;

  explicit FakeServer(std::string_view greeting) : version(parse_version(greeting)) {}

  // How it answers a statement with this fragment; what is told last counts.
  FakeServer& answer(std::string fragment, Answer answer) {
    answers_.emplace_back(std::move(fragment), std::move(answer));
    return *this;
  }
  FakeServer& answer(std::string fragment, Result<Rows> rows) {
    return answer(std::move(fragment), [rows](const std::string&) { return rows; });
  }
  FakeServer& answer(std::string fragment, const char* value) {
    return answer(std::move(fragment), one_cell(value));
  }
  FakeServer& fail(std::string fragment) {
    return answer(std::move(fragment), Error{Errc::kRefused, "it burns", 1105});
  }

  Result<Rows> query(const std::string& sql) {
    asked.push_back(sql);
    if (asked.size() == fails_at) return Error{Errc::kRefused, "it burns", 1105};
    for (auto one = answers_.rbegin(); one != answers_.rend(); ++one)
      if (sql.find(one->first) != sql.npos) return one->second(sql);
    if (auto rows = change(sql)) return *rows;
    if (auto rows = answer_to(sql)) return *rows;
    return Error{Errc::kInternal, "unexpected statement: " + sql};
  }

  std::unique_ptr<SqlSession> session() { return std::make_unique<Session>(*this); }

  // How often a statement with this fragment was run.
  long count(std::string_view fragment) const {
    return std::ranges::count_if(
        asked, [&](const std::string& sql) { return sql.find(fragment) != sql.npos; });
  }

  const Version version;
  int id = 1;
  std::optional<Fields> channel = {};  // as SHOW REPLICA STATUS prints it; unset: no replica
  bool read_only = true, half_copied = false, events_run = false;
  std::string executed = {}, purged = {};  // MySQL's GTIDs; both empty: it has none
  std::string gtids = {};                  // MariaDB's binlog state, and all positions
  BinlogPosition binlog = {"binlog.000009", 400};
  std::vector<std::string> asked = {};
  std::size_t fails_at = 0;  // the number of the statement that fails, from 1; 0: none

 private:
  class Session : public SqlSession {
   public:
    explicit Session(FakeServer& server) : server_(server) {}
    Result<Rows> query(const std::string& sql) override { return server_.query(sql); }
    const Version& version() const override { return server_.version; }

   private:
    FakeServer& server_;
  };

  bool is_mysql() const { return version.flavour == Flavour::kMysql; }

  void set_threads(const std::string& sql, const char* state) {
    const std::string word = is_mysql() ? "Replica" : "Slave";
    if (sql.find("SQL_THREAD") == sql.npos) *channel = with(*channel, word + "_IO_Running", state);
    if (sql.find("IO_THREAD") == sql.npos) *channel = with(*channel, word + "_SQL_Running", state);
  }

  void follow(const std::string& sql) {
    const std::size_t at = sql.find("_HOST='");
    if (at == sql.npos) return;
    const std::size_t begin = at + 7;
    if (!channel) channel = is_mysql() ? mysql_row() : mariadb_row();
    *channel = with(*channel, is_mysql() ? "Source_Host" : "Master_Host",
                    sql.substr(begin, sql.find('\'', begin) - begin));
    if (sql.find("AUTO_POSITION=1") != sql.npos) *channel = with(*channel, "Auto_Position", "1");
    if (sql.find("USE_GTID=slave_pos") != sql.npos)
      *channel = with(with(*channel, "Using_Gtid", "Slave_Pos"), "Gtid_IO_Pos", gtids);
    set_threads("", "No");
  }

  // What the probe of a cluster reads.
  Rows variables() const {
    const char* const closed = read_only ? "ON" : "OFF";
    std::vector<Fields> rows;
    const auto add = [&](std::string name, std::string value) {
      rows.push_back({{"Variable_name", std::move(name)}, {"Value", std::move(value)}});
    };
    add("server_id", std::to_string(id));
    if (is_mysql()) add("server_uuid", "00000000-0000-0000-0000-00000000000" + std::to_string(id));
    if (is_mysql()) add("super_read_only", closed);
    add("read_only", closed);
    add("log_bin", "ON");
    add(is_mysql() ? "log_replica_updates" : "log_slave_updates", "ON");
    add("event_scheduler", events_run ? "ON" : "OFF");
    add("binlog_format", "ROW");
    return rows_of(rows);
  }

  // Does what a statement changes; nullopt: it reads.
  std::optional<Result<Rows>> change(const std::string& sql) {
    const auto begins = [&](std::string_view words) { return sql.starts_with(words); };
    if (begins("SELECT") || begins("SHOW")) return std::nullopt;
    if (channel && begins("STOP ")) set_threads(sql, "No");
    if (channel && begins("START ") && !begins("START TRANSACTION")) set_threads(sql, "Yes");
    if (begins("RESET ") && sql.find(" ALL") != sql.npos) channel.reset();
    if (begins("CHANGE ")) follow(sql);
    if (sql.find("read_only=1") != sql.npos) read_only = true;
    if (sql.find("GLOBAL read_only=0") != sql.npos) read_only = false;
    if (begins("CREATE DATABASE") && sql.ends_with(kHalfCopy)) half_copied = true;
    if (begins("DROP DATABASE") && sql.ends_with(kHalfCopy)) half_copied = false;
    if (begins("SET GLOBAL gtid_purged='")) executed = sql.substr(24, sql.size() - 25);
    if (begins("SET GLOBAL event_scheduler=")) events_run = sql.ends_with("=ON");
    return Rows{};
  }

  std::optional<Result<Rows>> answer_to(const std::string& sql) const {
    const auto has = [&](std::string_view words) { return sql.find(words) != sql.npos; };
    if (has("SHOW REPLICA STATUS") || has("SHOW ALL SLAVES STATUS"))
      return channel ? rows_of({*channel}) : Rows{};
    if (has("SHOW GLOBAL VARIABLES WHERE")) return variables();
    if (has(" AS origin FROM")) return Rows{};
    if (has("SHOW PROCESSLIST")) return Rows{};
    if (has("SHOW BINARY LOG STATUS") || has("SHOW MASTER STATUS"))
      return rows_of({{{"File", binlog.file}, {"Position", std::to_string(binlog.offset)}}});
    if (has("@@GLOBAL.gtid_mode AS mode"))
      return rows_of({{{"mode", executed.empty() ? "OFF" : "ON"},
                       {"executed", executed},
                       {"purged", purged}}});
    if (has("@@GLOBAL.gtid_binlog_state AS state"))
      return rows_of(
          {{{"state", gtids}, {"written", gtids}, {"applied", gtids}, {"current", gtids}}});
    if (has("@@GLOBAL.gtid_slave_pos") || has("@@GLOBAL.gtid_binlog_state")) return one_cell(gtids);
    if (has("@@GLOBAL.read_only") || has("@@GLOBAL.super_read_only"))
      return one_cell(read_only ? "1" : "0");
    if (has("@@GLOBAL.event_scheduler")) return one_cell(events_run ? "ON" : "OFF");
    if (has("information_schema.schemata WHERE schema_name = "))
      return one_cell(half_copied ? "1" : "0");
    if (has("CONNECTION_ID()")) return one_cell(has("IS_USED_LOCK") ? "1" : "7");
    if (has("GET_LOCK(") || has("RELEASE_LOCK(")) return one_cell("1");
    if (has("IS_USED_LOCK(")) return one_cell("");
    return std::nullopt;
  }

  std::vector<std::pair<std::string, Answer>> answers_;
};

}  // namespace ha
