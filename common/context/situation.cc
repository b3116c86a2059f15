// SPDX-License-Identifier: MIT
#include "common/context/situation.h"

#include <cmath>

#include "common/context/witness.h"
#include "common/mysql/memory_file.h"
#include "common/mysql/probe.h"
#include "common/parallel.h"

namespace ha {

namespace {

constexpr double kGrace_s = 1;

// The second look at a slow node may have taken its session along.
void connect_again(const Env& env, Situation& situation, const MysqlOptions& mysql,
                   double seconds) {
  for (std::size_t i = 0; i < situation.sessions.size(); ++i) {
    const Node& node = situation.topology.nodes[i];
    if (!node.facts || situation.sessions[i]) continue;
    if (auto session =
            env.connector.connect(options_for({node.name, node.host, node.port}, mysql, seconds)))
      situation.sessions[i] = std::move(*session);
  }
}

}  // namespace

Situation look(const Env& env, const FailoverOptions& options) {
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
  Probe probe =
      probe_nodes(env, options.cluster.nodes, mysql, deadline, {known.memory, Unreadable::kAgain});
  Situation situation{std::move(probe.topology), std::move(probe.sessions)};
  connect_again(env, situation, mysql, options.probe_timeout_s);
  // One that keeps the deadline has a moment to come back.
  const bool answered =
      asking && asking->wait(deadline.from_now(deadline.remaining_s() + kGrace_s));
  const std::vector<bool> reached = answered ? asking->result().value_or(none) : none;
  situation.circumstances.witnesses = judge_witnesses(reached);
  situation.circumstances.now_s = env.clock.now_s();
  file.update(known, situation.topology, situation.circumstances.now_s);
  situation.circumstances.memory = std::move(known.memory);
  situation.circumstances.memory_trouble = std::move(known.trouble);
  follow_word(options.policy.primary, situation.topology);
  return situation;
}

namespace {

// Returns which nodes were replaced and fenced, each with the time when that run began, and have
// not returned since as far as the journals tell.
Result<std::map<std::string, double>> find_fenced(const RunStore& store) {
  const auto ids = store.ids();
  if (!ids) return ids.error();
  std::map<std::string, double> fenced;
  std::set<std::string> judged;
  for (auto id = ids->rbegin(); id != ids->rend(); ++id) {
    const auto run = store.read(*id);
    if (!run) return run.error();
    const bool replaced = run->plan.command == PlanCommand::kFailover && run->opened();
    if (replaced && run->facts.fenced && !judged.contains(run->plan.primary))
      fenced[run->plan.primary] = run->begun.now_s;
    if (replaced) judged.insert(run->plan.primary);
    // Whatever else was begun with a node, it was there for it.
    judged.insert(run->plan.candidate);
  }
  return fenced;
}

}  // namespace

Result<Done> add_history(const RunStore& store, const Moment& now, Circumstances& circumstances) {
  const auto last = store.last_failover();
  if (!last) return last.error();
  if (*last) {
    circumstances.last_failover_age_s = age_of((*last)->begun, now);
    if (!circumstances.last_failover_age_s) circumstances.undated_run = (*last)->id;
  }
  const auto roles = store.roles();
  if (!roles) return roles.error();
  circumstances.roles = *roles;
  const auto change = store.last_change();
  if (!change) return change.error();
  if (*change) {
    circumstances.last_primary = (*change)->plan.candidate;
    circumstances.last_run = (*change)->id;
  }
  auto fenced = find_fenced(store);
  if (!fenced) return fenced.error();
  circumstances.fenced = std::move(*fenced);
  return Done{};
}

}  // namespace ha
