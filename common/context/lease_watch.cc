// SPDX-License-Identifier: MIT
#include "common/context/lease_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/context/ballot.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

Result<LeaseReading> read_lease(SqlSession& session, const FailoverOptions& options) {
  const auto& nodes = options.cluster.nodes;
  std::string sql = fmt::format("SELECT IS_USED_LOCK({})", quote_string(options.lease_lock()));
  for (const NodeAddress& node : nodes)
    sql += fmt::format(", IS_USED_LOCK({}), IS_USED_LOCK({})",
                       quote_string(options.lease_node_lock(node.name)),
                       quote_string(options.guard_lock(node.name)));
  const auto rows = session.query(sql);
  if (!rows) return rows.error();
  if (rows->cells.size() != 1 || rows->cells[0].size() != 1 + 2 * nodes.size())
    return Error{Errc::kBadData, "the locks were not told"};
  const auto& cells = rows->cells[0];
  LeaseReading reading{cells[0].value_or("")};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!reading.connection.empty() && cells[1 + 2 * i].value_or("") == reading.connection)
      reading.node = nodes[i].name;
    if (cells[2 + 2 * i]) reading.guards.insert(nodes[i].name);
  }
  if (reading.connection.empty()) return reading;
  const auto seconds = query_value(
      session, "SELECT TIME FROM information_schema.PROCESSLIST WHERE ID = " + reading.connection);
  // It may have ended since.
  if (seconds) reading.silent_s = parse_number(*seconds).value_or(0);
  return reading;
}

void observe_lease(LeaseSighting& sighting, std::optional<LeaseReading> now, int lease_s) {
  const LeaseReading& last = sighting.last;
  const bool ended = now && !last.connection.empty() && now->connection != last.connection;
  // The seconds that a server tells are whole ones, and it was asked a moment before the end.
  if (ended && !last.node.empty())
    (last.silent_s >= lease_s - 1 ? sighting.expired : sighting.broken).insert(last.node);
  if (now && !now->node.empty()) {
    sighting.expired.erase(now->node);
    sighting.broken.erase(now->node);
  }
  if (now) sighting.last = *now;
  sighting.now = std::move(now);
}

bool LeaseFinding::proves_closing() const {
  return expired > 0 && voters - expired < majority_of(voters);
}

LeaseFinding judge_lease(const std::vector<LeaseSighting>& sightings, const std::string& node) {
  LeaseFinding finding{.voters = sightings.size()};
  std::optional<double> silent_s;
  for (const LeaseSighting& one : sightings) {
    finding.expired += one.expired.contains(node);
    finding.broken += one.broken.contains(node);
    if (!one.now) continue;
    finding.guards += one.now->guards.contains(node);
    if (one.now->node != node) continue;
    ++finding.held;
    silent_s = std::min(silent_s.value_or(one.now->silent_s), one.now->silent_s);
  }
  finding.silent_s = silent_s.value_or(0);
  return finding;
}

LeaseWatch::LeaseWatch(const ProbeEnv& env, const FailoverOptions& options)
    : env_(env),
      options_(options),
      voters_(voters_of(options)),
      sessions_(voters_.size()),
      sightings_(voters_.size()) {}

void LeaseWatch::observe(const Deadline& deadline) {
  struct Answer {
    std::shared_ptr<SqlSession> session = {};
    std::optional<LeaseReading> reading = {};
  };
  auto answers = run_each<Answer>(
      env_.workers, voters_.size(), deadline,
      [env = env_, options = options_, voters = voters_, sessions = sessions_](std::size_t i) {
        Answer answer{sessions[i]};
        if (!answer.session) {
          MysqlOptions login =
              options_for(voters[i], options.cluster.mysql, options.probe_timeout_s);
          login.answer_timeout_s = static_cast<unsigned>(options.probe_timeout_s) + 1;
          if (auto session = env.connector.connect(login)) answer.session = std::move(*session);
        }
        const auto reading =
            answer.session ? read_lease(*answer.session, options) : Result<LeaseReading>(Error{});
        if (reading)
          answer.reading = *reading;
        else
          answer.session.reset();
        return answer;
      });
  for (std::size_t i = 0; i < voters_.size(); ++i) {
    // The session of one that is late is still in use.
    sessions_[i] = answers[i] ? std::move(answers[i]->session) : nullptr;
    observe_lease(sightings_[i], answers[i] ? std::move(answers[i]->reading) : std::nullopt,
                  options_.lease.lease_s);
  }
}

std::string LeaseWatch::holder() const {
  std::map<std::string, std::size_t> votes;
  for (const LeaseSighting& one : sightings_)
    if (one.now && !one.now->node.empty()) ++votes[one.now->node];
  const auto most = std::ranges::max_element(votes, {}, [](const auto& one) { return one.second; });
  return most == votes.end() ? "" : most->first;
}

}  // namespace ha
