// SPDX-License-Identifier: MIT
// The steps of LiveActions that wait until a node has applied what it received or another has.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/execute/applier_wait.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/mysql/drain.h"
#include "common/mysql/history.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/statements.h"

namespace ha {

namespace {

Result<bool> has_busy_worker(const ChannelStatus& channel, SqlSession& session) {
  const auto busy = query_value(session, count_busy_workers(session.version(), channel.name));
  if (!busy) return busy.error();
  return *busy != "0";
}

// True when no worker applies the rest of a relay log that receives nothing more: it is the first
// part of a transaction that will never be whole.
Result<bool> is_torn_end(const ChannelStatus& channel, SqlSession& session) {
  if (channel.io.running() || !channel.applier_idle || channel.executed == channel.read)
    return false;
  const auto busy = has_busy_worker(channel, session);
  if (!busy) return busy.error();
  return !*busy;
}

// Returns a server's history as if it had received by this channel alone.
History received_by(const ChannelStatus& channel, History history) {
  if (auto* mysql = std::get_if<MysqlHistory>(&history)) {
    if (const auto received = GtidSet::parse(channel.received_gtids)) mysql->retrieved = *received;
  } else if (auto* mariadb = std::get_if<MariadbHistory>(&history)) {
    if (const auto received = MariadbGtids::parse(channel.received_gtids))
      mariadb->received_position = *received;
  }
  return history;
}

// MariaDB, of a channel whose delay was lifted: its position stands at what it has received from
// then on, and only the applier tells whether it has come to the end of the relay log.
Result<bool> has_applied_relay_log(const ServerFacts& facts, const ChannelStatus& channel,
                                   SqlSession& session) {
  if (!channel.applier_idle || unapplied(facts.history).value_or(0) > 0) return false;
  const auto busy = has_busy_worker(channel, session);
  if (!busy) return busy.error();
  return !*busy;
}

StepResult drained(const Step& step, std::string text) {
  return {std::move(text), {.drained = {step.node}}};
}

// True when the plan has lifted the delay of a node.
bool is_undelayed(const Plan& plan, const std::string& node) {
  return std::ranges::any_of(plan.steps, [&](const Step& one) {
    return one.action == Action::kSetDelay && one.node == node;
  });
}

// Names what a node lacks of another's transactions, or has not applied of them.
std::string describe_lack(const ServerFacts& facts, const ServerFacts& wanted,
                          const std::string& other) {
  const auto lacks = extra(wanted.history, facts.history);
  return lacks && lacks->any()
             ? fmt::format("it lacks transactions that {} has: {}", other, lacks->text)
             : fmt::format("it has not applied all transactions that {} has", other);
}

Error describe_backlog(const ChannelStatus& channel, SqlSession& session) {
  const auto wait = read_applier_wait(session);
  return failure(fmt::format("not all received transactions are applied: at {}:{} of {}:{}{}",
                             channel.executed.file, channel.executed.offset, channel.read.file,
                             channel.read.offset, wait && !wait->empty() ? ", " + *wait : ""));
}

}  // namespace

// What a channel has received is not to be lost with the change of its delay.
Result<StepResult> LiveActions::set_delay(const Step& step, SqlSession& session,
                                          const RunFacts& known, const Deadline& deadline) {
  const bool mariadb = session.version().flavour == Flavour::kMariadb;
  PlaceholderValues values = values_of(known);
  for (const Statement& statement : step.statements) {
    if (statement.part == Part::kDelay) {
      const auto facts = read_again(step.node, session);
      if (!facts) return facts.error();
      const ChannelStatus* const channel =
          facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
      if (channel == nullptr) return StepResult{"it is no longer a replica"};
      if (!mariadb && channel->io.state == ThreadState::kStopped)
        return failure("its receiver has stopped, so its relay log would be lost");
      // By GTID it gets anew what it has not applied.
      if (mariadb && !statement.needs(Placeholder::kRelay) && unapplied(facts->history) != 0u)
        return failure("received transactions are not applied, and would be lost: " +
                       statement.sql);
      values.relay = channel->relay;
    }
    if (const auto done = run_statements({statement}, session, values, deadline); !done)
      return done.error();
  }
  return StepResult{};
}

// Whether a failover can do without a node that does not get on with its drain.
bool LiveActions::has_substitute(const Step& step) const {
  if (step.node == plan_.candidate) return !plan_.spare.empty();
  return std::ranges::none_of(plan_.steps, [&](const Step& one) {
    return one.action == Action::kCatchUp && one.other == step.node;
  });
}

Result<StepResult> LiveActions::drain(const Step& step, SqlSession& session, const RunFacts& known,
                                      const Deadline& deadline) {
  constexpr double kShare = 4;      // of the whole time, for one that does not move
  constexpr double kStill_s = 0.5;  // without a move; MySQL notes its progress every 0.3 s
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  const bool undelayed =
      session.version().flavour == Flavour::kMariadb && is_undelayed(plan_, step.node);
  BinlogPosition relay = {};
  Deadline still = Deadline::after(env_.clock, kStill_s);
  Deadline unmoved = Deadline::after(env_.clock, options_.deadline_s / kShare);
  for (;; env_.clock.pause(kPoll_s)) {
    const auto facts = read_received(step.node, session);
    if (!facts) return facts.error();
    const ChannelStatus* const channel =
        facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
    // A run before this one has promoted it already.
    if (channel == nullptr) return StepResult{"it is no longer a replica"};
    const History history = received_by(*channel, facts->history);
    const auto all = undelayed ? has_applied_relay_log(*facts, *channel, session)
                               : Result<bool>(is_drained(history, *channel));
    if (!all) return all.error();
    if (*all) return drained(step, "");
    if (channel->sql.error_number != 0 || !channel->sql.running())
      return failure(describe_stop("SQL", channel->sql));
    if (!(channel->relay == relay)) {
      still = Deadline::after(env_.clock, kStill_s);
      unmoved = Deadline::after(env_.clock, options_.deadline_s / kShare);
    }
    relay = channel->relay;
    // Only file and position count what is torn.
    if (still.passed() && !unapplied(history, *channel)) {
      const auto torn = is_torn_end(*channel, session);
      if (!torn) return torn.error();
      if (*torn)
        return drained(step, fmt::format("an incomplete transaction follows {}:{}",
                                         channel->executed.file, channel->executed.offset));
    }
    if (deadline.passed() || (unmoved.passed() && has_substitute(step)))
      return describe_backlog(*channel, session);
  }
}

Result<StepResult> LiveActions::wait_for_node(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  const auto wanted = read_other(step.other);
  if (!wanted) return wanted.error();
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  for (;; env_.clock.pause(kPoll_s)) {
    const auto facts = read_received(step.node, session);
    if (!facts) return facts.error();
    const ChannelStatus* const channel =
        facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
    if (channel == nullptr) return failure("it is no longer a replica");
    if (has_all(*facts, *channel, *wanted)) {
      StepResult result;
      if (step.action == Action::kWaitEqual && wanted->binlog) {
        result.facts.closed_at = *wanted->binlog;
      }
      return result;
    }
    if (channel->sql.error_number != 0) return failure(describe_stop("SQL", channel->sql));
    if (channel->io.error_number != 0 && channel->io.state == ThreadState::kStopped)
      return failure(describe_stop("IO", channel->io));
    if (deadline.passed()) return failure(describe_lack(*facts, *wanted, step.other));
  }
}

// A node that has caught up from a sibling has what that one has, and follows it: only the
// sibling's channel still tells a position in the old primary's binlog.
Result<StepResult> LiveActions::record(const Step& step, const RunFacts& known, const Deadline&) {
  const bool fails_over = plan_.command == PlanCommand::kFailover;
  const std::string& follower = step.other.empty() ? step.node : step.other;
  std::set<std::string> nodes = {step.node, follower};
  if (fails_over)
    for (const std::string& name : siblings(Siblings::kAll)) nodes.insert(name);
  Topology now = topology_;
  if (const auto read = read_into(now, {nodes.begin(), nodes.end()}); !read) return read.error();
  if (const auto same = fails_over ? compare_siblings(now, known) : Done{}; !same)
    return same.error();
  StepResult result;
  if (const auto& end = find_node(now, step.node)->facts->binlog; end) {
    result.facts.binlog = *end;
    result.text = fmt::format("its binlog ends at {}:{}", end->file, end->offset);
  }
  const std::vector<ChannelStatus>& channels = find_node(now, follower)->channels();
  const Node* const node = find(follower);
  for (std::size_t c = 0; node != nullptr && c < std::min(channels.size(), node->sources.size());
       ++c) {
    if (!node->sources[c] || topology_.nodes[*node->sources[c]].name != plan_.primary) continue;
    const BinlogPosition& applied = channels[c].executed;
    result.facts.applied = applied;
    result.text +=
        fmt::format("{}it has the transactions of {} up to {}:{}", result.text.empty() ? "" : ", ",
                    plan_.primary, applied.file, applied.offset);
  }
  return result;
}

}  // namespace ha
