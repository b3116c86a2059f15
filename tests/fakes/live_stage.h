// SPDX-License-Identifier: MIT
// Three servers on which single steps of a plan are carried out: db2 and db3 follow db1, by
// position, and have applied all that it has.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/execute/live_actions.h"
#include "tests/fakes/fake_env.h"
#include "tests/fakes/fake_server.h"
#include "tests/topology_builders.h"

namespace ha {

struct LiveStage {
  explicit LiveStage(Flavour kind = Flavour::kMysql) : flavour(kind) {
    const bool mysql = flavour == Flavour::kMysql;
    const char* const greeting = mysql ? "8.4.0" : "10.11.9-MariaDB";
    plan.primary = "db1";
    plan.candidate = "db2";
    options.state_dir = "/state";
    options.cluster.mysql.tls_mode = TlsMode::kVerifyIdentity;
    options.repl_password = "replicate";
    for (int i = 1; i <= 3; ++i) {
      servers.push_back(std::make_unique<FakeServer>(greeting));
      FakeServer& one = db(i);
      one.read_only = i > 1;
      one.binlog = {"binlog.000007", 1234};
      if (i > 1) one.channel = mysql ? mysql_row() : mariadb_row();
      world.connector.servers["db" + std::to_string(i)] =
          [&one](const MysqlOptions&) -> Result<std::unique_ptr<SqlSession>> {
        return one.session();
      };
      nodes.push_back(i == 1 ? writer(1, "", flavour) : replica(i, 1, "", flavour));
      ServerFacts& facts = *nodes.back().facts;
      facts.history = {};
      facts.binlog = one.binlog;
      for (ChannelStatus& channel : *facts.channels) channel.uses_gtid = false;
    }
  }

  FakeServer& db(int number) { return *servers[static_cast<std::size_t>(number - 1)]; }
  ServerFacts& facts(int number) { return *nodes[static_cast<std::size_t>(number - 1)].facts; }

  // Changes a cell of a replica's status.
  void set(int number, const std::string& column, const std::string& cell) {
    *db(number).channel = with(*db(number).channel, column, cell);
  }

  void kill(int number) { world.connector.servers.erase("db" + std::to_string(number)); }

  Result<StepResult> perform(const Step& step, const RunFacts& known = {}, double seconds = 0.7) {
    LiveActions actions(world.env, options, {linked(nodes), {}, context}, plan, "run1",
                        "/state/mysql", std::nullopt);
    return actions.perform(step, known, Deadline::after(world.clock, seconds));
  }

  const Flavour flavour;
  FakeWorld world;
  std::vector<std::unique_ptr<FakeServer>> servers;
  std::vector<Node> nodes;
  Context context;
  Plan plan;
  FailoverOptions options;
};

// A step on a node that follows or waits for another one.
inline Step step_on(Action action, std::string node, Statements statements = {},
                    std::string other = "") {
  Step step{1, action, std::move(node), std::move(statements)};
  step.other = std::move(other);
  return step;
}

}  // namespace ha
