// SPDX-License-Identifier: MIT
#include "common/context/observation.h"

#include <cmath>

#include "common/context/witness.h"
#include "common/mysql/memory_file.h"
#include "common/mysql/probe.h"
#include "common/parallel.h"

namespace ha {

namespace {

constexpr double kGrace_s = 1;

// The second look at a slow node may have taken its session along.
void connect_again(const Env& env, Observation& observation, const MysqlOptions& mysql,
                   double seconds) {
  for (std::size_t i = 0; i < observation.sessions.size(); ++i) {
    const Node& node = observation.topology.nodes[i];
    if (!node.facts || observation.sessions[i]) continue;
    if (auto session =
            env.connector.connect(options_for({node.name, node.host, node.port}, mysql, seconds)))
      observation.sessions[i] = std::move(*session);
  }
}

}  // namespace

Observation observe(const Env& env, const FailoverOptions& options) {
  const Deadline deadline = Deadline::after(env.clock, options.probe_timeout_s);
  const std::vector<bool> none(options.witnesses.size(), false);
  const auto asking = Pending<std::vector<bool>>::begin(
      env.workers, [env, witnesses = options.witnesses, deadline] {
        return reach_witnesses(env, witnesses, deadline);
      });
  // The sessions are used for the whole run.
  MysqlOptions mysql = options.cluster.mysql;
  mysql.answer_timeout_s = static_cast<unsigned>(std::ceil(options.deadline_s));
  const MemoryFile file(env.files, options.state_dir, options.cluster_name);
  Recollection known = file.read(options.cluster.nodes);
  Probe probe = probe_nodes(env, options.cluster.nodes, mysql, deadline,
                            {known.memory, Unreadable::kAgain, Origins::kOfRestarted});
  Observation observation{std::move(probe.topology), std::move(probe.sessions)};
  connect_again(env, observation, mysql, options.probe_timeout_s);
  // One that keeps the deadline has a moment to come back.
  const bool answered =
      asking && asking->wait(deadline.from_now(deadline.remaining_s() + kGrace_s));
  const std::vector<bool> reached = answered ? asking->result().value_or(none) : none;
  observation.context.witnesses = judge_witnesses(reached);
  observation.context.now_s = env.clock.now_s();
  file.update(known, observation.topology, observation.context.now_s);
  observation.context.memory = std::move(known.memory);
  observation.context.memory_trouble = std::move(known.trouble);
  follow_word(options.policy.primary, observation.topology);
  return observation;
}

Result<Done> add_history(const RunStore& store, const std::vector<NodeAddress>& nodes,
                         const Moment& now, Context& context) {
  const auto runs = store.recent_runs(nodes);
  if (!runs) return runs.error();
  auto history = history_of(*runs, now);
  if (!history) return history.error();
  context.runs = std::move(*history);
  return Done{};
}

}  // namespace ha
