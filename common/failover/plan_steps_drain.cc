// SPDX-License-Identifier: MIT
// The steps until a node has applied all that it received: delays, receivers, drains.
#include <fmt/format.h>

#include <algorithm>

#include "common/failover/plan_steps.h"
#include "common/mysql/drain.h"
#include "common/mysql/statements.h"

namespace ha {

bool StepWriter::must_drain(std::size_t i) const {
  if (i == roles_.candidate || i == roles_.ahead) return true;
  return is_sibling(i) && !repoints_by_gtid(i) && why_not_repointed(i).empty();
}

// Returns the statements that change a channel's delay to `delay_s`, with those around it that keep
// what it has received. `resume`: MariaDB's receiver is started too.
Statements StepWriter::delay_statements(std::size_t i, const Statement& change, bool resume) const {
  const ChannelStatus& channel = *channel_of(i);
  const Version& version = nodes_[i].facts->version;
  const Statement stop{Part::kStop, stop_applier(version, channel.name)};
  const Statement start{Part::kStart, start_applier(version, channel.name)};
  if (version.flavour == Flavour::kMariadb)
    return {{Part::kStop, stop_replication(version, channel.name)},
            change,
            resume ? Statement{Part::kStart, start_replication(version, channel.name)} : start};
  if (channel.io.state != ThreadState::kStopped) return {stop, change, start};
  return {{Part::kStart, start_receiver(version, channel.name)},
          stop,
          change,
          start,
          {Part::kStop, stop_receiver(version, channel.name)}};
}

Statement StepWriter::change_delay(std::size_t i, double delay_s) const {
  const Version& version = nodes_[i].facts->version;
  Statement change{Part::kDelay, set_delay(version, channel_of(i)->name, delay_s,
                                           position_for(Placeholder::kRelay))};
  if (version.flavour == Flavour::kMariadb) change.placeholders = {Placeholder::kRelay};
  return change;
}

// Before the receivers are stopped: MySQL keeps what a channel has received as long as one of its
// threads runs.
void StepWriter::lift_delays() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const ChannelStatus* const channel = channel_of(i);
    if (channel == nullptr || channel->sql_delay_s <= 0 || !must_drain(i)) continue;
    const Version& version = nodes_[i].facts->version;
    Step lift = at(Action::kSetDelay, nodes_[i], delay_statements(i, change_delay(i, 0), false),
                   "apply at once what it has received");
    lift.channel = channel->name;
    lift.may_fail = i != roles_.candidate && i != roles_.ahead;
    const Statement back = version.flavour == Flavour::kMariadb && channel->uses_gtid
                               ? Statement{Part::kDelay, set_delay_by_gtid(version, channel->name,
                                                                           channel->sql_delay_s)}
                               : change_delay(i, channel->sql_delay_s);
    Step restore =
        at(Action::kSetDelay, nodes_[i],
           delay_statements(i, back, channel->io.state != ThreadState::kStopped), "as it was");
    restore.channel = channel->name;
    lift.undo.push_back(std::move(restore));
    add(std::move(lift));
    undelayed_.insert(i);
  }
}

void StepWriter::stop_receivers() {
  std::vector<Step> starts;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const ChannelStatus* const channel = channel_of(i);
    if (channel == nullptr) continue;
    const Version& version = nodes_[i].facts->version;
    // MariaDB throws relay logs away when a GTID receiver starts again, so it stays as it is.
    const bool revoked =
        std::ranges::find(roles_.revoked, i, &Receiver::node) != roles_.revoked.end();
    if (!revoked && (version.flavour == Flavour::kMysql || !channel->uses_gtid)) {
      Step stop = at(Action::kStopReceiver, nodes_[i],
                     {{Part::kStop, stop_receiver(version, channel->name)}},
                     "it receives nothing from a primary that comes back");
      stop.channel = channel->name;
      if (channel->io.state != ThreadState::kStopped)
        stop.undo.push_back(at(Action::kRestore, nodes_[i],
                               {{Part::kStart, start_receiver(version, channel->name)}},
                               "it receives again"));
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
// own; no client is promised anything before it is opened, and then it waits again.
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
  const auto open = unapplied(nodes_[i].facts->history, channel);
  Step drain = at(
      Action::kDrain, nodes_[i], {},
      open ? fmt::format("until all received transactions are applied ({} left)", in_words(*open))
           : fmt::format("until it has applied {}:{}", channel.read.file, channel.read.offset));
  drain.channel = channel.name;
  let_apply(drain, i);
  add(std::move(drain));
}

void StepWriter::drain() {
  if (roles_.ahead && channel_of(*roles_.ahead) != nullptr) add_drain(*roles_.ahead);
  if (channel_of(roles_.candidate) != nullptr) add_drain(roles_.candidate);
  if (!roles_.ahead) return;
  const Node& sibling = nodes_[*roles_.ahead];
  Step catch_up =
      at(Action::kCatchUp, candidate_, follow_statements(roles_.candidate, sibling, std::nullopt),
         fmt::format("until it has all transactions of {}", sibling.name));
  catch_up.channel = like_.name;
  catch_up.other = sibling.name;
  catch_up.undo.push_back(at(Action::kRestore, candidate_,
                             follow_statements(roles_.candidate, primary_, std::nullopt),
                             "as it was"));
  add(std::move(catch_up));
}

void StepWriter::wait_equal(std::size_t i) {
  Step equal = at(Action::kWaitEqual, nodes_[i], {},
                  fmt::format("until it has all transactions of {}", primary_.name));
  equal.other = primary_.name;
  equal.channel = channel_of(i)->name;
  let_apply(equal, i);
  add(std::move(equal));
}

}  // namespace ha
