// SPDX-License-Identifier: MIT
#include "common/execute/clients.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "common/context/node_locks.h"
#include "common/deadline.h"
#include "common/mysql/read_facts.h"

namespace ha {

namespace {

using Connections = std::set<std::string>;  // by their ids

// Returns those that are ours: this session, and the one that holds the vote.
Result<Connections> find_ours(SqlSession& session, const std::vector<std::string>& our_locks) {
  const auto own = query_value(session, "SELECT CONNECTION_ID()");
  if (!own) return own.error();
  Connections ours = {*own};
  for (const std::string& lock : our_locks) {
    const auto holder = node_lock_holder(session, lock);
    if (!holder) return holder.error();
    ours.insert(*holder);
  }
  return ours;
}

bool is_in_commit(const Row& row) {
  return row.text("State").value_or("").find("for semi-sync ACK") != std::string::npos;
}

// By their ids: whether each waits in its commit for semi-sync replicas.
using Clients = std::map<std::string, bool>;

Result<Clients> find_clients(SqlSession& session, const Connections& ours) {
  const auto rows = session.query_long("SHOW PROCESSLIST");
  if (!rows) return rows.error();
  Clients clients;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const std::string user = row.text("User").value_or(""), id = row.text("Id").value_or("");
    const std::string command = row.text("Command").value_or("");
    if (!id.empty() && !ours.contains(id) && user != "system user" && user != "event_scheduler" &&
        !command.starts_with("Binlog Dump") && command != "Daemon")
      clients.emplace(id, is_in_commit(row));
  }
  return clients;
}

int end_those(SqlSession& session, const Clients& clients, bool in_commit) {
  int ended = 0;
  // One that has gone by itself is ended too.
  for (const auto& [id, waits] : clients)
    if (waits == in_commit && session.query("KILL CONNECTION " + id)) ++ended;
  return ended;
}

Result<int> end_all_but(SqlSession& session, const Connections& ours) {
  const auto clients = find_clients(session, ours);
  if (!clients) return clients.error();
  const int ended = end_those(session, *clients, false);
  return ended + end_those(session, *clients, true);
}

}  // namespace

Result<int> end_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                        const std::string& spared) {
  auto ours = find_ours(session, our_locks);
  if (!ours) return ours.error();
  ours->insert(spared);
  return end_all_but(session, *ours);
}

Result<int> end_clients_outside_commits(SqlSession& session,
                                        const std::vector<std::string>& our_locks) {
  const auto ours = find_ours(session, our_locks);
  if (!ours) return ours.error();
  const auto clients = find_clients(session, *ours);
  if (!clients) return clients.error();
  return end_those(session, *clients, false);
}

Result<bool> waits_for_replicas(SqlSession& session) {
  const auto rows = session.query_long("SHOW PROCESSLIST");
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->cells.size(); ++i)
    if (is_in_commit(Row(*rows, i))) return true;
  return false;
}

Result<Done> turn_away_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                               Clock& clock) {
  constexpr double kPatience_s = 1;
  const auto ours = find_ours(session, our_locks);
  if (!ours) return ours.error();
  const auto waiting = find_clients(session, *ours);
  if (!waiting) return waiting.error();
  if (const auto ended = end_all_but(session, *ours); !ended) return ended.error();
  for (const Deadline patience = Deadline::after(clock, kPatience_s); !patience.passed();
       clock.pause(kPoll_s)) {
    const auto left = find_clients(session, *ours);
    if (!left) return left.error();
    if (std::ranges::none_of(*waiting, [&](const auto& one) { return left->contains(one.first); }))
      break;
  }
  return Done{};
}

}  // namespace ha
