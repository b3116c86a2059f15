// SPDX-License-Identifier: MIT
// A cluster of the simulator's servers (tests/sim), in which commands of mysql_ha are run one after
// the other. Nothing is drawn: what befalls the servers is what the test says.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/sim/manager.h"
#include "tests/sim/world.h"

namespace ha::sim {

// What the servers of a cluster have in common.
struct Kind {
  bool mariadb = false, gtid = true, semi_sync = false;
};

// Every replica follows db1, and every server that is started again is closed.
inline History cluster_of(std::size_t servers, const Kind& kind = {}) {
  History history;
  history.seed = 1;
  history.servers.resize(servers);
  history.sources.assign(servers, 0);
  history.sources[0] = -1;
  for (ServerSettings& one : history.servers) {
    one.mariadb = kind.mariadb;
    one.gtid = kind.gtid;
    one.read_only_file = true;
    if (kind.semi_sync) one.semi_sync = {true, true, true, true};
  }
  history.calm = 600 * kSecond;
  return history;
}

class SimulatedCluster : public Witness {
 public:
  // The clients have written for three seconds.
  explicit SimulatedCluster(History history)
      : history_(std::move(history)), world_(history_, *this) {
    wait(3);
  }

  void wait(double seconds) { world_.run(world_.now() + static_cast<Time>(seconds * 1e6)); }

  // Runs a command to its end, or until it is killed before its effect `killed_at`.
  const Manager& run(Errand errand, int node = 0, std::uint32_t killed_at = 0) {
    ManagerRun run{errand, world_.now()};
    run.node = static_cast<std::int8_t>(node - 1);
    run.killed_at = killed_at;
    const std::uint32_t id = world_.start_manager(run);
    const Time limit = world_.now() + 10 * history_.deadline;
    const Manager& manager = *world_.managers()[id];
    while (!manager.ended() && !manager.killed() && world_.now() < limit) wait(0.1);
    EXPECT_TRUE(manager.ended() || manager.killed()) << describe(run);
    return manager;
  }

  // Begins a guard on a manager's host, which stops after that many seconds.
  const Manager& guard(double seconds, std::uint8_t manager = 0) {
    ManagerRun run{Errand::kGuard, world_.now(), manager};
    run.stops = world_.now() + static_cast<Time>(seconds * 1e6);
    return *world_.managers()[world_.start_manager(run)];
  }

  // Servers are numbered: 2 is db2.
  Server& db(int number) { return world_.servers()[static_cast<std::size_t>(number - 1)]; }

  std::set<int> writers() {
    std::set<int> found;
    for (std::size_t i = 0; i < history_.servers.size(); ++i)
      if (world_.server(i).up() && !world_.server(i).read_only())
        found.insert(static_cast<int>(i) + 1);
    return found;
  }

  // True when it receives and applies what the other one writes.
  bool follows(int replica, int source) {
    const Channel& channel = db(replica).channel();
    return channel.exists && channel.source == source - 1 && channel.io == Receiver::kRunning &&
           channel.sql;
  }

  // How many writes that a client was told are done a server does not have.
  std::size_t lacks(int number) {
    return static_cast<std::size_t>(std::ranges::count_if(
        acknowledged_, [&](std::uint32_t one) { return !db(number).has_or_received(one); }));
  }
  std::size_t acknowledged() const { return acknowledged_.size(); }

  void acknowledged(std::size_t, std::uint32_t transaction) override {
    acknowledged_.insert(transaction);
  }
  void changed(std::size_t server, std::uint32_t process, std::string_view what) override {
    changes[process].push_back("db" + std::to_string(server + 1) + " " + std::string(what));
  }
  void forgot_source(std::size_t server, std::size_t undrained) override {
    EXPECT_EQ(undrained, 0u) << "db" << server + 1 << " has thrown away what it received";
  }
  void opened(std::size_t, std::uint32_t) override {}
  void violated(std::string text) override { ADD_FAILURE() << text; }

  std::map<std::uint32_t, std::vector<std::string>> changes;  // of servers, by process

 private:
  const History history_;
  World world_;
  std::set<std::uint32_t> acknowledged_;
};

}  // namespace ha::sim
