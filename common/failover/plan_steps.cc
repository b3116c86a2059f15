// SPDX-License-Identifier: MIT
#include "common/failover/plan_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

// How the primary waits for replicas, or did when it was last seen.
std::optional<SemiSync> semi_sync_of(const Node& primary, const Memory& memory) {
  if (primary.facts) return primary.facts->semi_sync;
  const SeenNode* const seen = memory.find(primary.name);
  return seen == nullptr || seen->seen_s == 0 ? std::nullopt : std::optional(seen->semi_sync);
}

// Nobody can write after these, whoever it is; on MariaDB only as long as the session lives.
Statements close_for_all(const Version& version) {
  Statements statements;
  for (std::string& sql : block_writers(version))
    statements.push_back({statements.empty() ? Part::kClose : Part::kLock, std::move(sql)});
  return statements;
}

}  // namespace

StepWriter::StepWriter(const Topology& topology, const Policy& policy, const Circumstances& moment,
                       const Roles& roles, Plan& plan)
    : nodes_(topology.nodes),
      policy_(policy),
      moment_(moment),
      primary_(nodes_[roles.primary]),
      candidate_(nodes_[roles.candidate]),
      semi_sync_(semi_sync_of(primary_, moment.memory)),
      roles_(roles),
      like_(candidates_channel()),
      plan_(plan) {}

void StepWriter::write_failover() {
  judge_semi_sync();
  lock();
  add(Action::kConfirmDead, primary_, {}, "probe it once more");
  run(Action::kHook, policy_.pre_failover, {});
  fence();
  lift_delays();
  settle_receivers();
  drain();
  record();
  rescue();
  promote();
  repoint_those_that_acknowledge();
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
  Step block = at(Action::kBlockWriters, primary_, close_for_all(primary_.facts->version),
                  "and end its clients' connections");
  block.undo.push_back(
      at(Action::kRestore, primary_,
         {{Part::kUnlock, "UNLOCK TABLES"}, {Part::kOpen, make_writable(primary_.facts->version)}},
         "it stays the primary"));
  add(std::move(block));
  // Who begins at the candidate's end must be as far.
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (i == roles_.candidate ||
        (is_sibling(i) && !repoints_by_gtid(i) && why_not_repointed(i).empty()))
      wait_equal(i);
  record();
  promote();
  repoint_those_that_acknowledge();
  move_vip();
  open();
  // A sibling must not get from the old primary what it will fetch from the new one by position.
  repoint_others();
  demote();
  finish(policy_.post_switchover);
}

void StepWriter::wait_equal(std::size_t i) {
  Step equal = at(Action::kWaitEqual, nodes_[i], {},
                  fmt::format("until it has all that {} has", primary_.name));
  equal.other = primary_.name;
  equal.channel = channel_of(i)->name;
  let_apply(equal, i);
  add(std::move(equal));
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
  for (std::size_t c = 0; c < nodes_[i].sources.size(); ++c)
    if (nodes_[i].sources[c] == roles_.primary) return &nodes_[i].channels()[c];
  return nullptr;
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

bool StepWriter::under_semi_sync() const {
  const SemiSync& own = candidate_.facts->semi_sync;
  return own.source_enabled == true || (plan_.semi_sync && !own.source_variable.empty());
}

std::vector<std::size_t> StepWriter::acknowledging() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (is_sibling(i) && nodes_[i].facts->semi_sync.replica_enabled == true &&
        !moment_.stuck.contains(nodes_[i].name) && why_not_repointed(i).empty())
      found.push_back(i);
  return found;
}

bool StepWriter::primary_will_acknowledge() const {
  return plan_.command == "switchover" &&
         (primary_.facts->semi_sync.replica_enabled == true ||
          (plan_.semi_sync && why_not_acknowledging(primary_).empty()));
}

// The operator's own choice at the candidate stays; else nobody is let wait in vain.
bool StepWriter::waits_when_opened() const {
  const SemiSync& own = candidate_.facts->semi_sync;
  if (!under_semi_sync()) return false;
  const auto there =
      static_cast<std::int64_t>(acknowledging().size() + (primary_will_acknowledge() ? 1 : 0));
  return own.source_enabled == true || own.wait_no_replica == false ||
         there >= own.wait_count.value_or(1);
}

// Whoever replaces a primary that waits for acknowledgements waits as well. Of one of which nothing
// is known the replicas tell: they acknowledge for its sake.
void StepWriter::judge_semi_sync() {
  const SemiSync& own = candidate_.facts->semi_sync;
  plan_.semi_sync = semi_sync_ ? semi_sync_->source_enabled == true : own.replica_enabled == true;
  if (plan_.semi_sync && own.source_variable.empty())
    plan_.reservations.push_back(fmt::format(
        "{0} cannot wait for acknowledgements as {1} did, its writes exist once for a moment; run "
        "there: INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
        candidate_.name, primary_.name));
  SemiSync then = own;
  then.source_enabled = true;
  if (semi_sync_ && semi_sync_->lossless() && under_semi_sync() && !then.lossless())
    plan_.reservations.push_back(fmt::format(
        "{0} waits less strictly than {1} did, a write may be acknowledged that exists once: give "
        "it the same timeout, wait point and waiting with no replica",
        candidate_.name, primary_.name));
  if (plan_.command == "switchover" && plan_.semi_sync)
    if (const std::string why = why_not_acknowledging(primary_); !why.empty())
      plan_.reservations.push_back(why);
}

void StepWriter::lock() {
  for (Step& step : lock_steps(nodes_)) add(std::move(step));
}

void StepWriter::fence() {
  if (policy_.fence == Fence::kNone) return;
  const bool required = policy_.fence == Fence::kRequired;
  if (primary_.facts) {
    Step close =
        at(Action::kFence, primary_, {{Part::kClose, make_read_only(primary_.facts->version)}},
           "and end its clients' connections");
    close.may_fail = !required || !policy_.fence_command.empty();
    add(std::move(close));
  }
  if (policy_.fence_command.empty()) return;
  Step command = at(Action::kFence, primary_, {},
                    plan_.hung ? "exit 0: fenced; it hangs, so nothing else will do"
                               : "exit 0: fenced, 10: the operator accepts");
  command.argv = policy_.fence_command;
  command.may_fail = !required;
  add(std::move(command));
}

bool StepWriter::is_drained(std::size_t i) const {
  if (i == roles_.candidate || i == roles_.ahead) return true;
  return is_sibling(i) && !repoints_by_gtid(i) && why_not_repointed(i).empty();
}

// Before the receivers are stopped: MySQL keeps what a channel has received as long as one of its
// threads runs.
void StepWriter::lift_delays() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const ChannelStatus* const channel = channel_of(i);
    if (channel == nullptr || channel->sql_delay_s <= 0 || !is_drained(i)) continue;
    const Version& version = nodes_[i].facts->version;
    const std::string& name = channel->name;
    const LogPosition relay = position_for(Placeholder::kRelay);
    const bool receives = channel->io.state != ThreadState::kStopped;
    const bool mariadb = version.flavour == Flavour::kMariadb;
    const auto set = [&](double delay_s) -> Statement {
      Statement change{Part::kDelay, ha::set_delay(version, name, delay_s, relay)};
      if (mariadb) change.placeholders = {Placeholder::kRelay};
      return change;
    };
    const auto around = [&](const Statement& change, bool resume) -> Statements {
      const Statement stop{Part::kStop, stop_applier(version, name)};
      const Statement start{Part::kStart, start_applier(version, name)};
      if (mariadb)
        return {{Part::kStop, stop_replication(version, name)},
                change,
                resume ? Statement{Part::kStart, start_replication(version, name)} : start};
      if (receives) return {stop, change, start};
      return {{Part::kStart, start_receiver(version, name)},
              stop,
              change,
              start,
              {Part::kStop, stop_receiver(version, name)}};
    };
    Step lift = at(Action::kSetDelay, nodes_[i], around(set(0), false),
                   "apply at once what it has received");
    lift.channel = name;
    lift.may_fail = i != roles_.candidate && i != roles_.ahead;
    Step restore = at(
        Action::kSetDelay, nodes_[i],
        around(mariadb && channel->uses_gtid
                   ? Statement{Part::kDelay, set_delay_by_gtid(version, name, channel->sql_delay_s)}
                   : set(channel->sql_delay_s),
               receives),
        "as it was");
    restore.channel = name;
    lift.undo.push_back(std::move(restore));
    add(std::move(lift));
    undelayed_.insert(i);
  }
}

void StepWriter::settle_receivers() {
  std::vector<Step> starts;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const ChannelStatus* const channel = channel_of(i);
    if (channel == nullptr) continue;
    const Version& version = nodes_[i].facts->version;
    // MariaDB throws relay logs away when a GTID receiver starts again, so it stays as it is.
    if (version.flavour == Flavour::kMysql || !channel->uses_gtid) {
      Step stop = at(Action::kStopReceiver, nodes_[i],
                     {{Part::kStop, stop_receiver(version, channel->name)}},
                     "a primary that comes back feeds it no more");
      stop.channel = channel->name;
      if (channel->io.state != ThreadState::kStopped)
        stop.undo.push_back(at(Action::kRestore, nodes_[i],
                               {{Part::kStart, start_receiver(version, channel->name)}},
                               "it goes on"));
      add(std::move(stop));
    }
    if (channel->sql.running() || channel->sql.error_number != 0) continue;
    starts.push_back(at(Action::kStartApplier, nodes_[i],
                        {{Part::kStart, start_applier(version, channel->name)}},
                        "it was stopped without an error"));
    starts.back().channel = channel->name;
    starts.back().undo.push_back(at(Action::kRestore, nodes_[i],
                                    {{Part::kStop, stop_applier(version, channel->name)}},
                                    "as it was"));
  }
  for (Step& start : starts) add(std::move(start));
}

// A replica that is a semi-sync source itself would wait with each transaction for replicas of its
// own; nobody is promised anything before it is opened, and then it waits again.
void StepWriter::let_apply(Step& step, std::size_t i) {
  const ServerFacts& facts = *nodes_[i].facts;
  if (facts.semi_sync.source_enabled != true) return;
  asynchronous_.insert(i);
  step.statements.insert(step.statements.begin(), wait_for_acknowledgements(facts, false));
  step.undo.push_back(
      at(Action::kRestore, nodes_[i], {wait_for_acknowledgements(facts, true)}, "as it was"));
}

void StepWriter::add_drain(std::size_t i) {
  const ChannelStatus& channel = *channel_of(i);
  const ServerFacts& facts = *nodes_[i].facts;
  const auto open = unapplied(facts.history);
  Step drain =
      at(Action::kDrain, nodes_[i], {},
         channel.uses_gtid && open
             ? fmt::format("until all received is applied ({} transactions now)", *open)
             : fmt::format("until it has applied {}:{}", channel.read.file, channel.read.offset));
  drain.channel = channel.name;
  let_apply(drain, i);
  add(std::move(drain));
}

Statement StepWriter::wait_for_acknowledgements(const ServerFacts& facts, bool wait) {
  return semi_sync_switch(facts.semi_sync.source_variable, wait);
}

void StepWriter::drain() {
  if (roles_.ahead && channel_of(*roles_.ahead) != nullptr) add_drain(*roles_.ahead);
  if (channel_of(roles_.candidate) != nullptr) add_drain(roles_.candidate);
  if (!roles_.ahead) return;
  const Node& sibling = nodes_[*roles_.ahead];
  Step catch_up =
      at(Action::kCatchUp, candidate_, follow_statements(roles_.candidate, sibling, std::nullopt),
         fmt::format("until it has all that {} has", sibling.name));
  catch_up.channel = like_.name;
  catch_up.other = sibling.name;
  catch_up.undo.push_back(at(Action::kRestore, candidate_,
                             follow_statements(roles_.candidate, primary_, std::nullopt),
                             "as it was"));
  add(std::move(catch_up));
}

void StepWriter::record() {
  plan_.by_gtid = like_.uses_gtid;
  plan_.channel = like_.name;
  plan_.tls = like_.tls;
  plan_.retry = like_.retry;
  Step record =
      at(Action::kRecord, candidate_, {}, "who had what, for the return of " + primary_.name);
  if (roles_.ahead) record.other = nodes_[*roles_.ahead].name;
  add(std::move(record));
}

void StepWriter::rescue() {
  if (policy_.rescue_command.empty()) return;
  if (channel_of(roles_.candidate) == nullptr)
    return plan_.reservations.push_back(
        fmt::format("nothing is rescued from {}: {} does not know how far it had received",
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
                    detached ? "it follows no server already" : "");
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

bool StepWriter::repoints_by_gtid(std::size_t i) const {
  return channel_of(i)->uses_gtid && like_.uses_gtid;
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
  const ChannelStatus& channel = *channel_of(i);
  const bool idle =
      channel.uses_gtid ? unapplied(facts.history) == 0u : channel.executed == channel.read;
  const bool for_good = to_candidate && facts.semi_sync.wait_no_replica == true;
  if (facts.semi_sync.source_enabled != true || (idle && !asynchronous_.contains(i) && !for_good))
    return statements;
  statements.insert(statements.begin(), wait_for_acknowledgements(facts, false));
  if (!for_good) statements.insert(statements.end() - 1, wait_for_acknowledgements(facts, true));
  return statements;
}

std::string StepWriter::why_not_repointed(std::size_t i) const {
  const ChannelStatus& own = *channel_of(i);
  if (own.sql.error_number != 0) return "its SQL thread has failed";
  if (roles_.left_behind.contains(i)) return "it has what " + candidate_.name + " lacks";
  if (nodes_[i].facts->version.flavour != candidate_.facts->version.flavour)
    return "it is of another flavour";
  if (const Extra lost = lost_own(nodes_[i], candidate_.facts->history); lost.any())
    return fmt::format("it has lost transactions that it wrote itself and {} has: {}",
                       candidate_.name, lost.text);
  if (!repoints_by_gtid(i) && own.sql_delay_s > 0 && plan_.command != "failover")
    return "it applies with a delay";
  if (!repoints_by_gtid(i))
    // Without GTIDs only a sibling at the very same point can begin at the candidate's end.
    return own.read == like_.read || plan_.command == "switchover" ? ""
                                                                   : "it is at another position";
  if (candidate_.facts->log_replica_updates == false &&
      extra(candidate_.facts->history, nodes_[i].facts->latest_history()).value_or(Extra{1}).any())
    return fmt::format("{} does not log what it lacks", candidate_.name);
  return "";
}

// As many as it waits for, before anybody may write.
void StepWriter::repoint_those_that_acknowledge() {
  if (!under_semi_sync()) return;
  std::vector<std::size_t> found = acknowledging();
  const auto needed = static_cast<std::size_t>(candidate_.facts->semi_sync.wait_count.value_or(1));
  if (found.size() > needed) found.resize(needed);
  for (const std::size_t i : found) finish_relay_log(i);
  for (const std::size_t i : found) repoint(i);
  if (found.size() + (primary_will_acknowledge() ? 1 : 0) >= needed) return;
  plan_.reservations.push_back(
      waits_when_opened()
          ? fmt::format("no semi-sync replica can follow {}: until one does, its writes wait or "
                        "exist once",
                        candidate_.name)
          : fmt::format("no semi-sync replica can follow {}: its writes exist once until one does; "
                        "run later: mysql_ha rejoin {}",
                        candidate_.name, primary_.name));
}

void StepWriter::repoint_others() {
  std::vector<std::size_t> followers;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!is_sibling(i) || repointed_.contains(i)) continue;
    if (const std::string why = why_not_repointed(i); why.empty())
      followers.push_back(i);
    else
      plan_.reservations.push_back(fmt::format("{} needs a resync: {}", nodes_[i].name, why));
  }
  for (const std::size_t i : followers) finish_relay_log(i);
  for (const std::size_t i : followers) repoint(i);
}

// By position a sibling begins at the candidate's end, so it has to be as far first. Nobody else
// has to wait for that.
void StepWriter::finish_relay_log(std::size_t i) {
  if (plan_.command == "failover" && !repoints_by_gtid(i)) add_drain(i);
}

void StepWriter::repoint(std::size_t i) {
  std::optional<Placeholder> begin, before;
  if (!repoints_by_gtid(i)) {
    begin = Placeholder::kBinlogEnd;
    before = Placeholder::kApplied;
  }
  Step repoint = at(Action::kRepoint, nodes_[i], repoint_statements(i, candidate_, begin),
                    begin ? "from the end of its binlog when it was promoted" : "");
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

void StepWriter::move_vip() {
  if (policy_.vip.empty()) return;
  Step down = at(Action::kVipDown, primary_, {}, policy_.vip);
  // A dead host cannot be asked; whether it still has the address shows when it is taken.
  down.may_fail = plan_.command == "failover";
  if (!down.may_fail) down.undo.push_back(at(Action::kVipUp, primary_, {}, policy_.vip));
  add(std::move(down));
  Step up = at(Action::kVipUp, candidate_, {}, policy_.vip);
  up.undo.push_back(at(Action::kVipDown, candidate_, {}, policy_.vip));
  add(std::move(up));
}

void StepWriter::open() {
  const bool planned = plan_.command == "switchover";
  add(Action::kRecheck, planned ? candidate_ : primary_, {},
      planned ? "the lock is still ours" : "the lock is still ours, it is still dead");
  add(Action::kMakeWritable, candidate_, {{Part::kOpen, make_writable(candidate_.facts->version)}},
      "the point of no return");
  opened_ = true;
  enable_events();
}

// Before it is closed: under MySQL's super_read_only it could not be done any more, and MariaDB's
// events write to a closed server.
void StepWriter::disable_events() {
  if (const std::string why = why_events_unknown(primary_); !why.empty())
    plan_.reservations.push_back(why);
  Statements statements = disable_events_of(*primary_.facts);
  if (statements.empty()) return;
  Step disable =
      at(Action::kEvents, primary_, std::move(statements), "it runs no events as a replica");
  disable.may_fail = true;
  Statements enabled;
  for (const ServerEvent& event : *primary_.facts->events)
    if (event.enabled) enabled.push_back({Part::kEnableEvent, enable(event)});
  disable.undo.push_back(at(Action::kEvents, primary_, std::move(enabled), "as it was"));
  add(std::move(disable));
}

// Those that ran on the old primary, or came from a server of the cluster.
void StepWriter::enable_events() {
  const ServerFacts& facts = *candidate_.facts;
  if (const std::string why = why_events_unknown(candidate_); !why.empty())
    plan_.reservations.push_back(why);
  const auto& of_primary = primary_.facts ? primary_.facts->events : std::nullopt;
  const auto ran = [&](const ServerEvent& event) {
    if (of_primary)
      return std::ranges::any_of(*of_primary, [&](const ServerEvent& one) {
        return one.enabled && one.name == event.name;
      });
    return like_.source_server_id == event.origin ||
           std::ranges::any_of(nodes_, [&](const Node& node) {
             return node.facts && node.facts->server_id == event.origin;
           });
  };
  Statements statements;
  for (const ServerEvent& event : facts.events.value_or(std::vector<ServerEvent>()))
    if (event.on_source && ran(event)) statements.push_back({Part::kEnableEvent, enable(event)});
  if (!statements.empty())
    add(Action::kEvents, candidate_, std::move(statements), "it runs them now");
  if (primary_.facts && primary_.facts->event_scheduler == true && facts.event_scheduler != true &&
      of_primary && !of_primary->empty())
    plan_.reservations.push_back(
        fmt::format("{} does not run the events that {} ran; run there: SET GLOBAL "
                    "event_scheduler=ON",
                    candidate_.name, primary_.name));
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

void StepWriter::finish(const std::vector<std::vector<std::string>>& hooks) {
  const auto write_file = [&](const std::string& path, const std::string& content) {
    if (path.empty()) return;
    Step write = {0, Action::kWriteFile, "", {}, {}, content};
    write.path = path;
    write.content = content;
    add(std::move(write));
  };
  run(Action::kStartService, policy_.start_services, {});
  write_file(policy_.hosts_file, candidate_.host);
  if (plan_.command == "failover") write_file(policy_.flag_file, candidate_.host);
  run(Action::kHook, hooks, {});
  // One that comes back while we are at work was promised to be closed.
  if (plan_.command == "failover" && policy_.fence != Fence::kNone)
    add(Action::kFence, primary_, {{Part::kClose, make_read_only(candidate_.facts->version)}},
        "if it answers again");
}

Statement semi_sync_switch(std::string_view variable, bool on) {
  return {on ? Part::kSemiSyncOn : Part::kSemiSyncOff,
          fmt::format("SET GLOBAL {}={}", variable, on ? "ON" : "OFF")};
}

Statements semi_sync_as_replica(const ServerFacts& facts, Acknowledge acknowledge) {
  const SemiSync& own = facts.semi_sync;
  Statements statements;
  if (own.source_enabled == true)
    statements.push_back(semi_sync_switch(own.source_variable, false));
  if (acknowledge == Acknowledge::kYes && own.replica_enabled != true &&
      !own.replica_variable.empty())
    statements.push_back(semi_sync_switch(own.replica_variable, true));
  return statements;
}

Statements disable_events_of(const ServerFacts& facts) {
  Statements statements;
  for (const ServerEvent& event : facts.events.value_or(std::vector<ServerEvent>()))
    if (event.enabled)
      statements.push_back({Part::kDisableEvent, disable_on_replica(facts.version, event)});
  return statements;
}

// MySQL's scheduler runs by default, and super_read_only stops what it would write.
std::string why_events_unknown(const Node& node) {
  const ServerFacts& facts = *node.facts;
  if (facts.version.flavour != Flavour::kMariadb || facts.event_scheduler != true || facts.events)
    return "";
  return fmt::format(
      "whether {} has events cannot be seen; run: GRANT EVENT, SET USER, BINLOG "
      "ADMIN ON *.* TO the account",
      node.name);
}

std::string why_not_acknowledging(const Node& node) {
  if (node.facts->semi_sync.replica_enabled || !node.facts->semi_sync.replica_variable.empty())
    return "";
  return fmt::format(
      "{} cannot acknowledge, its source does not wait for it; run there: INSTALL PLUGIN "
      "rpl_semi_sync_replica SONAME 'semisync_replica.so'",
      node.name);
}

std::vector<Step> lock_steps(const std::vector<Node>& nodes) {
  std::vector<const Node*> alive;
  for (const Node& node : nodes)
    if (node.facts) alive.push_back(&node);
  std::ranges::sort(alive, {}, [](const Node* node) { return std::tuple(node->host, node->port); });
  std::vector<Step> steps;
  for (const Node* node : alive)
    steps.push_back({0, Action::kLock, node->name, {}, {}, "so that nobody else acts"});
  return steps;
}

}  // namespace ha
