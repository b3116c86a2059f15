// SPDX-License-Identifier: MIT
// The steps by which replicas, and the old primary of a switchover, follow the new one.
#include <fmt/format.h>

#include <algorithm>

#include "common/failover/plan_steps.h"
#include "common/failover/role_statements.h"
#include "common/mysql/drain.h"
#include "common/mysql/statements.h"

namespace ha {

bool StepWriter::repoints_by_gtid(std::size_t i) const {
  return channel_of(i)->uses_gtid && like_.uses_gtid;
}

std::string StepWriter::why_not_repointed(std::size_t i) const {
  const ChannelStatus& own = *channel_of(i);
  if (own.sql.error_number != 0) return "its SQL thread has failed";
  if (roles_.left_behind.contains(i))
    return "it has extra transactions that " + candidate_.name + " lacks";
  if (nodes_[i].facts->version.flavour != candidate_.facts->version.flavour)
    return "it is of another flavour";
  if (const Extra lost = lost_own(nodes_[i], candidate_.facts->history); lost.any())
    return fmt::format("it has lost transactions that it wrote itself and {} has: {}",
                       candidate_.name, lost.text);
  if (!repoints_by_gtid(i) && own.sql_delay_s > 0 && plan_.command != PlanCommand::kFailover)
    return "it applies with a delay";
  if (!repoints_by_gtid(i))
    // Without GTIDs only a sibling at the very same point can begin at the candidate's end.
    return own.read == like_.read || plan_.command == PlanCommand::kSwitchover
               ? ""
               : "it is at another position";
  if (candidate_.facts->log_replica_updates == false &&
      extra(candidate_.facts->history, nodes_[i].facts->latest_history()).value_or(Extra{1}).any())
    return fmt::format("{} does not log the transactions that it lacks", candidate_.name);
  return "";
}

Statements StepWriter::follow_statements(std::size_t i, const Node& source,
                                         std::optional<Placeholder> begin) const {
  const ChannelStatus& channel = *channel_of(i);
  const Version& version = nodes_[i].facts->version;
  Statement point{Part::kPoint, follow(version, channel.name, source.host, source.port,
                                       begin ? std::optional(position_for(*begin)) : std::nullopt,
                                       {}, undelayed_.contains(i) ? channel.sql_delay_s : 0)};
  if (begin) point.placeholders = {*begin};
  return {{Part::kStop, stop_replication(version, channel.name)},
          std::move(point),
          {Part::kStart, start_replication(version, channel.name)}};
}

// An applier that waits for semi-sync replicas of its own could not be stopped; one that does not
// is left alone, for once more on it would wait. Where it waits even without any replica, the role
// is the primary's alone.
Statements StepWriter::repoint_statements(std::size_t i, const Node& source,
                                          std::optional<Placeholder> begin) const {
  Statements statements = follow_statements(i, source, begin);
  const bool to_candidate = &source == &candidate_;
  const ServerFacts& facts = *nodes_[i].facts;
  const bool idle = is_drained(facts.history, *channel_of(i));
  const bool for_good = to_candidate && facts.semi_sync.wait_no_replica == true;
  if (facts.semi_sync.source_enabled != true || (idle && !asynchronous_.contains(i) && !for_good))
    return statements;
  statements.insert(statements.begin(), wait_for_acknowledgements(facts, false));
  if (!for_good) statements.insert(statements.end() - 1, wait_for_acknowledgements(facts, true));
  return statements;
}

// Makes a replica of a node that has no channel: of the candidate again, or of the old primary.
Statements StepWriter::new_replica_statements(const Node& node, const ChannelStatus& like,
                                              const Node& source) const {
  const Version& version = node.facts->version;
  const ReplicationLogin login{policy_.repl_user, kReplPassword, like.tls, like.retry};
  const bool candidate = &node == &candidate_;
  std::optional<LogPosition> position;
  Statement point{Part::kPoint};
  if (!like.uses_gtid) {
    point.placeholders = {candidate ? Placeholder::kApplied : Placeholder::kBinlogEnd};
    position = position_for(point.placeholders[0]);
  }
  point.placeholders.push_back(Placeholder::kReplPassword);
  point.sql = follow(version, like.name, source.host, source.port, position, login);
  Statements statements;
  if (like.uses_gtid && version.flavour == Flavour::kMariadb && !candidate)
    statements.push_back({Part::kBegin, begin_after_own_transactions()});
  statements.push_back(std::move(point));
  statements.push_back({Part::kStart, start_replication(version, like.name)});
  return statements;
}

// As many as it waits for, before a client may write.
void StepWriter::repoint_acknowledging() {
  if (!under_semi_sync()) return;
  std::vector<std::size_t> found = acknowledging();
  const auto needed = static_cast<std::size_t>(candidate_.facts->semi_sync.wait_count.value_or(1));
  if (found.size() > needed) found.resize(needed);
  for (const std::size_t i : found) finish_relay_log(i);
  for (const std::size_t i : found) repoint(i);
  if (found.size() + (primary_will_acknowledge() ? 1 : 0) >= needed) return;
  plan_.warnings.push_back(
      waits_when_opened() ? fmt::format("no semi-sync replica can follow {0}: until one does, "
                                        "writes to {0} wait, or only {0} has them",
                                        candidate_.name)
                          : fmt::format("no semi-sync replica can follow {0}: until one does, only "
                                        "{0} has its writes; run later: mysql_ha rejoin {1}",
                                        candidate_.name, primary_.name));
}

void StepWriter::repoint_others() {
  std::vector<std::size_t> followers;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!is_sibling(i) || repointed_.contains(i)) continue;
    const std::string why = why_not_repointed(i);
    if (why.empty()) {
      followers.push_back(i);
      continue;
    }
    plan_.warnings.push_back(fmt::format("{} needs a resync: {}", nodes_[i].name, why));
    plan_.need_resync.push_back(nodes_[i].name);
  }
  for (const std::size_t i : followers) finish_relay_log(i);
  for (const std::size_t i : followers) repoint(i);
}

// By position a sibling begins at the candidate's end, so it has to be as far first. Nobody else
// has to wait for that.
void StepWriter::finish_relay_log(std::size_t i) {
  if (plan_.command == PlanCommand::kFailover && !repoints_by_gtid(i)) add_drain(i);
}

void StepWriter::repoint(std::size_t i) {
  std::optional<Placeholder> begin, before;
  if (!repoints_by_gtid(i)) {
    begin = Placeholder::kBinlogEnd;
    before = Placeholder::kApplied;
  }
  Step repoint = at(Action::kRepoint, nodes_[i], repoint_statements(i, candidate_, begin),
                    begin ? "from the end of the new primary's binlog at its promotion" : "");
  repoint.channel = channel_of(i)->name;
  repoint.other = candidate_.name;
  Step restore =
      at(Action::kRestore, nodes_[i], repoint_statements(i, primary_, before), "as it was");
  restore.channel = repoint.channel;
  restore.other = primary_.name;
  repoint.undo.push_back(std::move(restore));
  add(std::move(repoint));
  repointed_.insert(i);
}

// The old primary of a switchover follows the new one.
void StepWriter::demote() {
  add(Action::kUnblock, primary_, {{Part::kUnlock, "UNLOCK TABLES"}}, "it stays read-only");
  Statements statements = semi_sync_as_replica(
      *primary_.facts, plan_.semi_sync ? Acknowledge::kYes : Acknowledge::kAsBefore);
  std::ranges::move(new_replica_statements(primary_, like_, candidate_),
                    std::back_inserter(statements));
  Step follow =
      at(Action::kRepoint, primary_, std::move(statements), "the old primary follows the new one");
  follow.channel = like_.name;
  follow.other = candidate_.name;
  add(std::move(follow));
}

}  // namespace ha
