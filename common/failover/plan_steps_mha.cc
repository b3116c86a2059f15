// SPDX-License-Identifier: MIT
// The scripts of an MHA configuration in a plan, where MHA calls them.
#include "common/failover/plan_steps.h"
#include "common/failover/role_statements.h"

namespace ha {

namespace {

constexpr char kMhaExits[] = "exit 0: done, 10: done with a warning";

Step call(Action action, const Node& node, std::vector<std::string> argv, std::string text) {
  Step step = {0, action, node.name, {}, std::move(argv), std::move(text)};
  step.by_mha = true;
  return step;
}

}  // namespace

void StepWriter::ask_others() {
  if (policy_.mha.secondary_check.empty()) return;
  add(call(Action::kHook, primary_, mha_secondary_check(policy_.mha, primary_),
           "exit 0: no other machine reaches it either"));
}

void StepWriter::stop_address() {
  if (!policy_.mha.address.empty())
    add(call(Action::kMhaScript, primary_, mha_stop_address(policy_.mha, primary_), kMhaExits));
}

// MHA counts on both: the script's word that the machine is off, and that its server is killed.
void StepWriter::shut_down() {
  if (policy_.mha.shutdown.empty()) return;
  Step step = call(Action::kFence, primary_, mha_shut_down(policy_.mha, primary_),
                   plan_.hung ? "exit 0: its power is off; the primary hangs, so any other exit "
                                "code refuses"
                              : "exit 0: its power is off, 10: its server is stopped");
  step.may_fail = policy_.fence != Fence::kRequired;
  add(std::move(step));
}

// The script may open the new primary itself, so what is true of opening is true of it.
void StepWriter::start_address() {
  const bool planned = plan_.command == PlanCommand::kSwitchover;
  if ((planned ? policy_.mha.planned_address : policy_.mha.address).empty()) return;
  recheck();
  Step start = call(Action::kMhaScript, candidate_,
                    planned ? mha_change_address(policy_.mha, "start", primary_, candidate_)
                            : mha_start_address(policy_.mha, primary_, candidate_),
                    kMhaExits);
  start.undo.push_back(at(Action::kRestore, candidate_, {close_server(candidate_.facts->version)},
                          "the script may have opened it"));
  start.undo.push_back(call(Action::kMhaScript, candidate_,
                            planned ? mha_change_address(policy_.mha, "stop", candidate_, primary_)
                                    : mha_stop_address(policy_.mha, candidate_),
                            "it stays a replica"));
  add(std::move(start));
}

void StepWriter::stop_planned_address() {
  if (policy_.mha.planned_address.empty()) return;
  Step stop = call(Action::kMhaScript, primary_,
                   mha_change_address(policy_.mha, "stop", primary_, candidate_), kMhaExits);
  stop.undo.push_back(call(Action::kMhaScript, primary_,
                           mha_change_address(policy_.mha, "start", candidate_, primary_),
                           "it stays the primary"));
  add(std::move(stop));
}

void StepWriter::report() {
  if (policy_.mha.report.empty() || plan_.command != PlanCommand::kFailover) return;
  std::vector<std::string> replicas;
  for (const std::size_t i : repointed_) replicas.push_back(nodes_[i].host);
  add(call(Action::kHook, candidate_, mha_report(policy_.mha, primary_, candidate_, replicas),
           "as MHA reports it"));
}

}  // namespace ha
