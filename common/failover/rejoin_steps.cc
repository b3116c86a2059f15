// SPDX-License-Identifier: MIT
#include "common/failover/rejoin_steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/console_event.h"
#include "common/failover/lock_steps.h"
#include "common/failover/role_statements.h"
#include "common/mysql/statements.h"

namespace ha {

void RejoinSteps::close() {
  for (Step& step : lock_steps(topology_.nodes)) add(std::move(step));
  add({0,
       Action::kFence,
       node_.name,
       {close_server(node_.facts->version)},
       {},
       "and end its clients' connections"});
}

void RejoinSteps::save() {
  Step save = {0, Action::kSaveExtra, node_.name, {}, {}, "its extra transactions"};
  save.other = primary_.name;
  if (record_ && record_->candidate == primary_.name) save.position = record_->applied;
  add(std::move(save));
}

Statements RejoinSteps::follow_statements(const std::optional<LogPosition>& position,
                                          const std::string& channel) const {
  const Version& version = node_.facts->version;
  // First: an applier that waits for replicas of its own could not be stopped.
  Statements statements = semi_sync_as_replica(
      *node_.facts, under_semi_sync() ? Acknowledge::kYes : Acknowledge::kAsBefore);
  Statement point{Part::kPoint};
  std::optional<ReplicationLogin> login;
  if (node_.channels().empty()) {
    const ChannelStatus like = model_channel();
    login = ReplicationLogin{policy_.repl_user, kReplPassword, like.tls, like.retry};
    point.placeholders = {Placeholder::kReplPassword};
    if (!position && version.flavour == Flavour::kMariadb)
      statements.push_back({Part::kBegin, begin_after_own_transactions()});
  } else {
    statements.push_back({Part::kStop, stop_replication(version, channel)});
  }
  point.sql = ha::follow(version, channel, primary_.host, primary_.port, position, login);
  statements.push_back(std::move(point));
  statements.push_back({Part::kStart, start_replication(version, channel)});
  return statements;
}

void RejoinSteps::follow(const std::optional<LogPosition>& position) {
  const std::string channel =
      node_.channels().empty() ? model_channel().name : node_.channels()[0].name;
  Step step = {0, Action::kRepoint, node_.name, follow_statements(position, channel), {}, ""};
  step.channel = channel;
  step.other = primary_.name;
  disable_events();
  add(std::move(step));
  move_semi_sync();
  for (Step& one : tell_pandora(policy_, plan_, primary_)) add(std::move(one));
}

// MySQL's super_read_only has stopped them, and would let no client change them.
void RejoinSteps::disable_events() {
  if (node_.facts->version.flavour == Flavour::kMysql) return;
  if (const std::string why = why_events_unknown(node_); !why.empty())
    plan_.warnings.push_back(why);
  Statements statements = disable_events_of(*node_.facts);
  if (statements.empty()) return;
  Step disable = {
      0, Action::kEvents, node_.name, std::move(statements), {}, "it runs no events as a replica"};
  disable.may_fail = true;
  add(std::move(disable));
}

// Whether the primary waits for acknowledgements, or is to, as the node did before it.
bool RejoinSteps::under_semi_sync() const {
  return primary_.facts->semi_sync.source_enabled == true || (record_ && record_->semi_sync);
}

// A primary that no replica could acknowledge to was opened without.
void RejoinSteps::move_semi_sync() {
  if (!under_semi_sync()) return;
  plan_.semi_sync = true;
  if (const std::string why = why_not_acknowledging(node_); !why.empty()) {
    plan_.warnings.push_back(why);
    return;
  }
  const SemiSync& own = primary_.facts->semi_sync;
  if (own.source_enabled == true || own.source_variable.empty()) return;
  Step step = {0,
               Action::kSemiSync,
               primary_.name,
               {semi_sync_switch(own.source_variable, true)},
               {},
               fmt::format("as {} did, now that it acknowledges", node_.name)};
  step.other = node_.name;
  step.may_fail = true;
  add(std::move(step));
}

const ChannelStatus* RejoinSteps::channel_of_a_replica() const {
  const auto primary = static_cast<std::size_t>(&primary_ - topology_.nodes.data());
  for (const Node& node : topology_.nodes)
    if (const ChannelStatus* const channel = channel_to(node, primary)) return channel;
  return nullptr;
}

ChannelStatus RejoinSteps::model_channel() const {
  if (const ChannelStatus* const like = channel_of_a_replica()) return *like;
  ChannelStatus channel;
  if (record_) {
    channel.name = record_->channel;
    channel.tls = record_->tls;
    channel.retry = record_->retry;
  }
  return channel;
}

void RejoinSteps::add(Step step) {
  step.number = static_cast<int>(plan_.steps.size()) + 1;
  plan_.steps.push_back(std::move(step));
}

}  // namespace ha
