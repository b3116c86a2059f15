// SPDX-License-Identifier: MIT
#include "common/execute/stragglers.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/context/hung_primary.h"
#include "common/execute/crash_record.h"

namespace ha {

namespace {

// True for a node that follows the old primary and that no step moves: when the run is resumed, it
// may be back and was silent when the run was planned.
bool is_forgotten(const Node& node, const Plan& plan, const Topology& before) {
  const bool moved = std::ranges::any_of(plan.steps, [&](const Step& step) {
    return step.action == Action::kRepoint && step.node == node.name;
  });
  return !moved && std::ranges::any_of(node.sources, [&](const auto& source) {
    return source && before.nodes[*source].name == plan.primary;
  });
}

}  // namespace

std::vector<std::string> find_stragglers(const std::set<std::string>& not_repointed,
                                         const Plan& plan, const Topology& before) {
  std::vector<std::string> names;
  for (const Node& node : before.nodes) {
    const bool old = node.name == plan.primary;
    if (node.name == plan.candidate || (old && plan.command == PlanCommand::kFailover)) continue;
    const bool silent = !node.facts || !node.facts->channels;
    if ((silent || not_repointed.contains(node.name) || is_forgotten(node, plan, before)) &&
        std::ranges::find(plan.need_resync, node.name) == plan.need_resync.end())
      names.push_back(node.name);
  }
  return names;
}

namespace {

// Returns why a node does not follow the new primary of a plan even now; empty: it does.
std::string let_follow(Workflow& workflow, const Plan& plan, const std::string& name) {
  const Topology& topology = workflow.view.topology;
  const std::size_t place = *find_place(topology, name);
  const Node& node = topology.nodes[place];
  if (!node.facts)
    return fmt::format("{}. When it answers, run: mysql_ha rejoin {}", node.error, name);
  const auto source = find_place(topology, plan.candidate);
  if (source && upstream(topology, place).contains(*source)) return "";
  const auto record =
      find_crash_record(workflow.env.connector, workflow.store, name, topology, workflow.options);
  if (!record) return record.error().text;
  Plan rejoin =
      plan_rejoin(topology, workflow.options.policy, workflow.view.context, name, *record);
  if (!rejoin.possible())
    return fmt::format("{} ({})", rejoin.reason, refusal_name(rejoin.refusal));
  const FailoverOutcome outcome = carry_out(workflow, std::move(rejoin)).outcome;
  return outcome.end == FailoverEnd::kRefused ? outcome.text : "";
}

}  // namespace

RunReport pick_up_stragglers(Workflow& workflow, const Plan& plan, RunReport report) {
  if (!report.complete || !plan.changes_primary()) return report;
  if (const auto forgotten = forget_hung(workflow.env.files, workflow.store.path()); !forgotten)
    workflow.log(forgotten.error().text);
  FailoverOutcome& outcome = report.outcome;
  // They hold the locks of the run that is done.
  workflow.view.sessions.clear();
  for (const std::string& name :
       find_stragglers(report.not_repointed, plan, workflow.view.topology)) {
    workflow.view.sessions.clear();
    workflow.probe();
    const std::string why = let_follow(workflow, plan, name);
    outcome.details.push_back(
        why.empty() ? fmt::format("{} follows {} in the end", name, plan.candidate)
                    : fmt::format("warning: {} does not follow {}: {}", name, plan.candidate, why));
    if (!why.empty()) outcome.end = FailoverEnd::kWarnings;
  }
  return report;
}

}  // namespace ha
