// SPDX-License-Identifier: MIT
#include "common/repair/repair_view.h"

#include <algorithm>

#include "common/context/vote_view.h"
#include "common/execute/copy_mark.h"
#include "common/execute/crash_record.h"
#include "common/mysql/probe.h"
#include "common/mysql/rows.h"
#include "common/mysql/server_identity.h"

namespace ha {

namespace {

// MySQL would tell what it knew a day ago. InnoDB does not remember it over a restart.
constexpr char kLastWrite[] =
    "SELECT /*+ SET_VAR(information_schema_stats_expiry=0) */"
    " TIMESTAMPDIFF(SECOND, MAX(update_time), NOW()) AS age FROM information_schema.tables"
    " WHERE table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

std::vector<std::string> nodes_behind_vip(const Env& env, const FailoverOptions& options,
                                          const Topology& topology, const Deadline& deadline) {
  const std::string& vip = options.vip.address;
  const ClusterOptions& cluster = options.cluster;
  const unsigned port = cluster.mysql.port != 0 ? cluster.mysql.port : cluster.nodes[0].port;
  const Topology reached = probe_topology(env, {{vip, vip, port}}, cluster.mysql, deadline);
  std::vector<std::string> names;
  for (const Node& node : topology.nodes)
    if (node.facts && reached.nodes[0].facts &&
        may_be_same_server(*node.facts, *reached.nodes[0].facts))
      names.push_back(node.name);
  return names;
}

WriterFacts read_writers(const Env& env, const FailoverOptions& options, const Observation& view) {
  WriterFacts facts;
  if (view.topology.writers().size() < 2) return facts;
  const Deadline deadline = Deadline::after(env.clock, options.probe_timeout_s);
  facts.lease_holder = summarize_lease(look_at_votes(env, options, deadline), options).holder();
  facts.vip = options.vip.address;
  if (!facts.vip.empty()) facts.vip_nodes = nodes_behind_vip(env, options, view.topology, deadline);
  for (const std::size_t i : view.topology.writers()) {
    if (!view.sessions[i]) continue;
    const auto rows = view.sessions[i]->query(kLastWrite);
    if (!rows || rows->cells.empty()) continue;
    if (const auto age_s = Row(*rows, 0).number("age"))
      facts.last_write_s[view.topology.nodes[i].name] = *age_s;
  }
  return facts;
}

ReturnFacts read_return(const Env& env, const FailoverOptions& options, const RunStore& store,
                        const Observation& view, std::size_t place) {
  const Node& node = view.topology.nodes[place];
  ReturnFacts facts;
  if (!view.sessions[place]) {
    facts.obstacle = "it answers too slowly; run this again with a longer --probe-timeout";
    return facts;
  }
  SqlSession& session = *view.sessions[place];
  if (const auto alone = expect_no_copier(node, session, view.sessions); !alone)
    facts.obstacle = alone.error().text;
  const auto half = is_half_copied(session);
  if (!half) facts.obstacle = half.error().text;
  facts.half_copied = (half && *half) || CopyRecord(env.files, options, node.name).exists();
  auto record = find_crash_record(env.connector, store, node.name, view.topology, options);
  if (!record)
    facts.obstacle = record.error().text;
  else
    facts.record = std::move(*record);
  return facts;
}

// True when a run has closed a node that accepted writes, or prepared it for a copy, and no other
// run has made it anything since.
bool was_closed(const Runs& runs, const std::string& node) {
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (!*run) continue;
    const Plan& plan = (*run)->plan;
    if (plan.command == PlanCommand::kClose &&
        std::ranges::any_of(plan.steps, [&](const Step& step) {
          return step.action == Action::kFence && step.node == node;
        }))
      return true;
    if (plan.candidate == node) return plan.command == PlanCommand::kResync;
  }
  return false;
}

}  // namespace

Result<RepairFacts> read_repair_facts(const Env& env, const FailoverOptions& options,
                                      const RunStore& store, const Observation& view,
                                      const std::string& winner) {
  const auto runs = store.runs();
  if (!runs) return runs.error();
  RepairFacts facts{read_writers(env, options, view)};
  facts.writers.named = winner;
  for (std::size_t i = 0; i < view.topology.nodes.size(); ++i) {
    const Node& node = view.topology.nodes[i];
    if (!node.facts) continue;
    ReturnFacts& known = facts.nodes[node.name] = read_return(env, options, store, view, i);
    known.replaced = view.context.runs.replaced.contains(node.name) || was_closed(*runs, node.name);
  }
  return facts;
}

}  // namespace ha
