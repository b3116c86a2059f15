// SPDX-License-Identifier: MIT
#include "common/failover/plan_steps.h"

#include <fmt/format.h>

#include "common/failover/console_event.h"
#include "common/failover/lease_steps.h"
#include "common/failover/lock_steps.h"
#include "common/failover/role_statements.h"
#include "common/mysql/statements.h"

namespace ha {

namespace {

// How the primary waits for replicas, or did when it was last seen.
std::optional<SemiSync> semi_sync_of(const Node& primary, const Memory& memory) {
  if (primary.facts) return primary.facts->semi_sync;
  const SeenNode* const seen = memory.find(primary.name);
  return seen == nullptr || seen->seen_s == 0 ? std::nullopt : std::optional(seen->semi_sync);
}

}  // namespace

StepWriter::StepWriter(const Topology& topology, const Policy& policy, const Context& context,
                       const Roles& roles, Plan& plan)
    : nodes_(topology.nodes),
      policy_(policy),
      context_(context),
      primary_(nodes_[roles.primary]),
      candidate_(nodes_[roles.candidate]),
      semi_sync_(semi_sync_of(primary_, context.memory)),
      roles_(roles),
      like_(candidates_channel()),
      plan_(plan) {}

void StepWriter::write_failover() {
  judge_semi_sync();
  lock();
  add(Action::kConfirmDead, primary_, {}, "probe it once more");
  ask_others();
  run(Action::kHook, policy_.pre_failover, {});
  revoke();
  fence();
  lift_delays();
  stop_receivers();
  drain();
  record();
  rescue();
  lease();
  promote();
  repoint_acknowledging();
  move_vip();
  open();
  repoint_others();
  finish(policy_.post_failover);
}

void StepWriter::write_switchover() {
  judge_semi_sync();
  lock();
  run(Action::kHook, policy_.pre_switchover, {});
  disable_events();
  stop_planned_address();
  Step block = at(Action::kBlockWriters, primary_, close_for_everybody(primary_.facts->version),
                  "and end its clients' connections");
  block.undo.push_back(at(Action::kRestore, primary_,
                          {{Part::kUnlock, "UNLOCK TABLES"}, open_server(primary_.facts->version)},
                          "it stays the primary"));
  add(std::move(block));
  // A node that begins at the candidate's end must be as far.
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (i == roles_.candidate ||
        (is_sibling(i) && !repoints_by_gtid(i) && why_not_repointed(i).empty()))
      wait_equal(i);
  record();
  lease();
  promote();
  repoint_acknowledging();
  move_vip();
  open();
  // A sibling must not get from the old primary what it will fetch from the new one by position.
  repoint_others();
  demote();
  finish(policy_.post_switchover);
}

Step StepWriter::at(Action action, const Node& node, Statements statements, std::string text) {
  return {0, action, node.name, std::move(statements), {}, std::move(text)};
}

void StepWriter::add(Step step) {
  step.number = static_cast<int>(plan_.steps.size()) + 1;
  // When the new primary is open there is no way back, so nothing may stop what remains.
  step.may_fail = step.may_fail || opened_;
  plan_.steps.push_back(std::move(step));
}

void StepWriter::add(Action action, const Node& node, Statements statements, std::string text) {
  add(at(action, node, std::move(statements), std::move(text)));
}

void StepWriter::run(Action action, const std::vector<std::vector<std::string>>& commands,
                     const std::string& text) {
  for (const auto& argv : commands) add({0, action, "", {}, argv, text});
}

const ChannelStatus* StepWriter::channel_of(std::size_t i) const {
  return channel_to(nodes_[i], roles_.primary);
}

// A candidate that has left replication followed as its siblings do.
ChannelStatus StepWriter::candidates_channel() const {
  if (const ChannelStatus* const own = channel_of(roles_.candidate)) return *own;
  ChannelStatus like;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (is_sibling(i)) like = *channel_of(i);
  like.read = like.executed = {};
  like.uses_gtid = !std::holds_alternative<std::monostate>(candidate_.facts->history);
  return like;
}

bool StepWriter::is_sibling(std::size_t i) const {
  return i != roles_.candidate && i != roles_.primary && channel_of(i) != nullptr;
}

void StepWriter::lock() {
  for (Step& step : lock_steps(nodes_)) add(std::move(step));
}

// The one proof that every node has a part in: it has to hold before anything else is begun.
void StepWriter::revoke() {
  for (const Receiver& one : roles_.revoked) {
    const Node& node = nodes_[one.node];
    const ChannelStatus& channel = node.channels()[one.channel];
    const Version& version = node.facts->version;
    Step stop = at(Action::kRevoke, node, {{Part::kStop, stop_receiver(version, channel.name)}},
                   "it acknowledges nothing to " + primary_.name + " any more");
    stop.channel = channel.name;
    if (channel.io.state != ThreadState::kStopped) {
      stop.undo.push_back(at(Action::kRestore, node,
                             {{Part::kStart, start_receiver(version, channel.name)}},
                             "it receives again"));
      stop.undo.back().channel = channel.name;
    }
    add(std::move(stop));
  }
}

void StepWriter::fence() {
  const bool required = policy_.fence == Fence::kRequired;
  if (primary_.facts && policy_.fence != Fence::kNone) {
    Step close = at(Action::kFence, primary_, {close_server(primary_.facts->version)},
                    "and end its clients' connections");
    close.may_fail = !required || policy_.has_fence_program();
    add(std::move(close));
  }
  stop_address();
  if (policy_.fence == Fence::kNone) return;
  shut_down();
  if (policy_.fence_command.empty()) return;
  Step command = at(Action::kFence, primary_, {},
                    plan_.hung ? "exit 0: fenced; the primary hangs, so any other exit code refuses"
                               : "exit 0: fenced, 10: the operator accepts the risk");
  command.argv = policy_.fence_command;
  command.may_fail = !required;
  add(std::move(command));
}

void StepWriter::record() {
  plan_.by_gtid = like_.uses_gtid;
  plan_.channel = like_.name;
  plan_.tls = like_.tls;
  plan_.retry = like_.retry;
  Step record = at(Action::kRecord, candidate_, {},
                   "which transactions each node had, for the return of " + primary_.name);
  if (roles_.ahead) record.other = nodes_[*roles_.ahead].name;
  add(std::move(record));
}

void StepWriter::rescue() {
  if (policy_.rescue_command.empty()) return;
  if (channel_of(roles_.candidate) == nullptr)
    return plan_.warnings.push_back(
        fmt::format("nothing is rescued from {}: {} does not show how far it had received",
                    primary_.name, candidate_.name));
  Step rescue = at(Action::kRescue, candidate_, {},
                   fmt::format("apply what {} wrote after {}:{}", primary_.name, like_.read.file,
                               like_.read.offset));
  rescue.argv = policy_.rescue_command;
  rescue.channel = like_.name;
  rescue.may_fail = true;
  add(std::move(rescue));
}

void StepWriter::promote() {
  const bool detached = channel_of(roles_.candidate) == nullptr;
  const ServerFacts& facts = *candidate_.facts;
  const Version& version = facts.version;
  Statements statements = {{Part::kStop, stop_replication(version, like_.name)},
                           {Part::kForget, forget_source(version, like_.name)}};
  // Off and on: one that has waited in vain has fallen back, and an idle one never recovers.
  if (waits_when_opened())
    for (const bool wait : {false, true})
      statements.push_back(wait_for_acknowledgements(facts, wait));
  Step promote = at(Action::kPromote, candidate_, std::move(statements),
                    detached ? "it already follows no server" : "");
  promote.channel = like_.name;
  if (waits_when_opened() && facts.semi_sync.source_enabled != true)
    promote.undo.push_back(
        at(Action::kRestore, candidate_, {wait_for_acknowledgements(facts, false)}, "as it was"));
  Step restore = at(Action::kRestore, candidate_,
                    new_replica_statements(candidate_, like_, primary_), "as it was");
  restore.channel = like_.name;
  restore.other = primary_.name;
  if (!detached) promote.undo.push_back(std::move(restore));
  add(std::move(promote));
}

void StepWriter::move_vip() {
  start_address();
  if (policy_.vip.empty()) return;
  Step down = at(Action::kVipDown, primary_, {}, policy_.vip);
  // A dead host cannot be asked; whether it still has the address shows when it is taken.
  down.may_fail = plan_.command == PlanCommand::kFailover;
  if (!down.may_fail) down.undo.push_back(at(Action::kVipUp, primary_, {}, policy_.vip));
  add(std::move(down));
  Step up = at(Action::kVipUp, candidate_, {}, policy_.vip);
  up.undo.push_back(at(Action::kVipDown, candidate_, {}, policy_.vip));
  add(std::move(up));
}

void StepWriter::lease() {
  if (policy_.lease_s > 0) add(take_lease(candidate_.name));
}

void StepWriter::recheck() {
  const bool planned = plan_.command == PlanCommand::kSwitchover;
  add(Action::kRecheck, planned ? candidate_ : primary_, {},
      planned ? "this run still holds the lock"
              : "this run still holds the lock, and the old primary is still dead");
}

void StepWriter::open() {
  recheck();
  add(Action::kMakeWritable, candidate_, {open_server(candidate_.facts->version)},
      "the point of no return");
  opened_ = true;
  if (policy_.lease_s > 0) add(hand_lease(candidate_.name));
  enable_events();
}

void StepWriter::finish(const std::vector<std::vector<std::string>>& hooks) {
  const auto write_file = [&](const std::string& path, const std::string& content) {
    if (!path.empty()) add(write_file_step(path, content));
  };
  run(Action::kStartService, policy_.start_services, {});
  write_file(policy_.hosts_file, candidate_.host);
  if (plan_.command == PlanCommand::kFailover) write_file(policy_.flag_file, candidate_.host);
  run(Action::kHook, hooks, {});
  report();
  // One that comes back while we are at work was promised to be closed.
  if (plan_.command == PlanCommand::kFailover && policy_.fence != Fence::kNone)
    add(Action::kFence, primary_, {close_server(candidate_.facts->version)}, "if it answers again");
  if (!policy_.console_database.empty())
    add(console_event_step(policy_.console_database, plan_, candidate_.name));
}

}  // namespace ha
