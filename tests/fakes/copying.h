// SPDX-License-Identifier: MIT
// Two servers, of which db2 is replaced by a copy of db1, the primary. Both have one table.

#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/resync/copy.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_server.h"
#include "tests/topology_builders.h"

namespace ha {

inline std::string dump_of(Flavour flavour) {
  const bool mysql = flavour == Flavour::kMysql;
  return std::string(mysql ? "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '" + uuid_of(1) +
                                 ":1-100';\nCHANGE REPLICATION SOURCE TO SOURCE"
                           : "CHANGE MASTER TO MASTER") +
         "_LOG_FILE='binlog.000009', " + (mysql ? "SOURCE" : "MASTER") +
         "_LOG_POS=400;\n"
         "CREATE DATABASE `shop`;\nUSE `shop`;\nINSERT INTO `a` VALUES (1),(2);\n"
         "-- Dump completed on 2026-01-02\n";
}

// One table of two rows.
inline void tell_contents(FakeServer& server) {
  server
      .answer("SUM(data_length) AS bytes",
              rows_of({{{"bytes", "1048576"}, {"foreigners", "0"}, {"versioned", "0"}}}))
      .answer("SHOW GRANTS", one_cell("GRANT ALL PRIVILEGES ON *.* TO `m`@`%`"))
      .answer("SHOW GLOBAL STATUS WHERE",
              rows_of({{{"Variable_name", "Innodb_rows_inserted"}, {"Value", "2"}}}))
      .answer("UNIX_TIMESTAMP() AS now", rows_of({{{"now", "1000"}, {"open", "0"}}}))
      .answer("AS engine,", rows_of({{{"db", "shop"},
                                      {"name", "a"},
                                      {"type", "BASE TABLE"},
                                      {"engine", "InnoDB"},
                                      {"written", std::nullopt},
                                      {"created", "5"}}}))
      .answer("referential_constraints", Rows{})
      .answer("COUNT(*) FROM `shop`.`a`", "2")
      .answer("SHOW COLUMNS FROM", rows_of({{{"Field", "id"}}}))
      .answer("SUM(c) AS total", rows_of({{{"rows_", "2"}, {"known", "2"}, {"total", "77"}}}))
      .answer("SELECT @@GLOBAL.max_allowed_packet", "4096")
      .answer("SELECT schema_name AS name", rows_of({{{"name", "shop"}}}))
      .answer("information_schema.events", Rows{})
      .answer("SELECT BINLOG_GTID_POS", "0-1-100")
      .answer("information_schema.plugins", "1")
      .answer("persisted_variables", "0")
      .answer("FROM performance_schema.clone_progress",
              rows_of({{{"done", "1"}, {"estimate", "2"}}}))
      .answer("SELECT CONCAT(STATE", "Completed ")
      .answer("SELECT binlog_file, binlog_position",
              rows_of({{{"binlog_file", "binlog.000009"}, {"binlog_position", "400"}}}));
}

// Work that is begun takes as many looks at it until it has ended, and two seconds each.
class LateWorkers : public InlineWorkers {
 public:
  explicit LateWorkers(FakeClock& clock) : clock_(clock) {}

  Result<std::unique_ptr<Job>> start(std::function<void()> work) override {
    work();
    return std::unique_ptr<Job>(std::make_unique<Late>(clock_, late));
  }

  int late = 0;

 private:
  class Late : public Job {
   public:
    Late(FakeClock& clock, int looks) : clock_(clock), looks_(looks) {}
    bool wait(const Deadline&) override {
      if (looks_ == 0) return true;
      --looks_;
      clock_.time_s += 2;
      return false;
    }

   private:
    FakeClock& clock_;
    int looks_;
  };

  FakeClock& clock_;
};

class Copying {
 public:
  Copying(Flavour flavour, CopyMethod method)
      : source(flavour == Flavour::kMysql ? "8.4.0" : "10.11.9-MariaDB"),
        target(flavour == Flavour::kMysql ? "8.4.0" : "10.11.9-MariaDB"),
        flavour_(flavour) {
    const bool mysql = flavour == Flavour::kMysql;
    const char* const history = mysql ? "#1:1-100" : "0-1-100";
    task = {writer(1, history, flavour), replica(2, 1, history, flavour),
            writer(1, history, flavour), "run1"};
    target.channel = mysql ? mysql_row() : mariadb_row();
    for (FakeServer* const server : {&source, &target}) {
      server->executed = mysql ? uuid_of(1) + ":1-100" : "";
      server->gtids = mysql ? "" : "0-1-100";
      tell_contents(*server);
    }
    source.read_only = false;
    target.id = 2;
    if (mysql) *target.channel = with(*target.channel, "Auto_Position", "1");
    target.events_run = true;
    target.answer("CLONE INSTANCE", [this](const std::string&) { return replace_files(); });
    resync.method = method;
    resync.copy_command = {"/copy"};
    options.cluster.mysql.user = "monitor";
    // A dump's tool needs no relay then; CLONE knows no names.
    options.cluster.mysql.tls_mode =
        method == CopyMethod::kClone ? TlsMode::kRequired : TlsMode::kVerifyIdentity;
    options.state_dir = "/state";
    for (const auto& [host, server] : {std::pair("db1", &source), std::pair("db2", &target)}) {
      options.cluster.nodes.push_back({host, host, 3306});
      world.connector.servers[host] =
          [one = server](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
        return one->session();
      };
    }
    for (const char* const program : {"mysqldump", "mariadb-dump"})
      world.programs.programs[program] = [this](const Command& command) {
        return print(command, dump_of(flavour_));
      };
    world.programs.programs["/copy"] = [this](const Command& command) {
      replace_files();
      return print(command, flavour_ == Flavour::kMysql
                                ? "binlog.000009 400 " + uuid_of(1) + ":1-100\n"
                                : "binlog.000009 400 0-1-100\n");
    };
  }

  Result<CopyResult> copy() {
    return copy_server(
        env, task, options, resync,
        [this] {
          ++begun;
          return Result<Done>(Done{});
        },
        [this](const std::string& line) { said.push_back(line); });
  }

  Result<Done> check() {
    return check_copy(env, task, options, resync, [](const std::string&) {});
  }

  // Nothing was done, or all was undone.
  void expect_untouched(const std::string& what) {
    EXPECT_FALSE(target.half_copied) << what;
    EXPECT_TRUE(target.read_only) << what;
    EXPECT_TRUE(target.events_run) << what;
    EXPECT_FALSE(world.files.files.contains(record)) << what;
    EXPECT_EQ(target.count("DROP DATABASE `shop`"), 0) << what;
    ASSERT_TRUE(target.channel) << what;
    for (const auto& [column, cell] : *target.channel)
      if (column.ends_with("_IO_Running") || column.ends_with("_SQL_Running")) {
        EXPECT_EQ(cell, "Yes") << what;
      }
  }

  void expect_whole(const std::string& what) {
    EXPECT_FALSE(target.half_copied) << what;
    EXPECT_TRUE(target.read_only) << what;
    EXPECT_TRUE(target.events_run) << what;
    EXPECT_FALSE(target.channel) << what;
    EXPECT_FALSE(world.files.files.contains(record)) << what;
  }

  const std::string record = "/state/mysql.resync/db2.copying";  // that its copy is not whole
  FakeWorld world;
  LateWorkers workers{world.clock};
  Env env{world.clock, world.connector, world.programs, world.files, world.network, workers};
  FakeServer source, target;
  CopyTask task;
  FailoverOptions options;
  ResyncOptions resync;
  int begun = 0;
  std::vector<std::string> said;
  double takes_s = 0;  // the program

 private:
  Rows replace_files() {
    target.half_copied = false;
    target.events_run = false;
    target.channel.reset();
    return {};
  }

  ProcessOutcome print(const Command& command, const std::string& text) {
    world.clock.time_s += takes_s;
    if (!command.may_go_on()) return {ProcessOutcome::End::kTimedOut, 0, "", takes_s};
    world.files.files[command.output_file] = text;
    if (!command.may_go_on()) return {ProcessOutcome::End::kTimedOut, 0, "", takes_s};
    return {ProcessOutcome::End::kExited, 0, "", takes_s};
  }

  const Flavour flavour_;
};

}  // namespace ha
