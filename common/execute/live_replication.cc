// SPDX-License-Identifier: MIT
// The steps of LiveActions that make a node a replica, of another source, or of none.
#include <fmt/format.h>

#include <algorithm>

#include "common/execute/applier_wait.h"
#include "common/execute/binlog_dumps.h"
#include "common/execute/binlog_events.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/mysql/drain.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"

namespace ha {

namespace {

// True when a channel's source is this node.
bool follows(const ChannelStatus& channel, const Node& source) {
  return channel.source_host == source.host && channel.source_port == source.port;
}

// Makes a channel ready to be stopped. MySQL's parallel applier that has come to a torn end waits a
// minute for the rest of it, unless it has ended before it is asked to stop; nothing of the
// transaction is committed.
Result<Done> let_stop(const ChannelStatus& channel, SqlSession& session, Clock& clock) {
  if (session.version().flavour != Flavour::kMysql || channel.io.running() ||
      !channel.sql.running())
    return Done{};
  // One that is far from the end stops between two transactions.
  constexpr double kNear_s = 1, kEnd_s = 5;
  bool killed = false;
  for (Deadline patience = Deadline::after(clock, kNear_s); !patience.passed();
       clock.pause(kPoll_s)) {
    const auto rows = session.query(
        "SELECT PROCESSLIST_ID, PROCESSING_TRANSACTION <> '' AS open,"
        " PROCESSLIST_STATE LIKE '%has read all relay log%' AS idle"
        " FROM performance_schema.replication_applier_status_by_coordinator"
        " JOIN performance_schema.threads USING (THREAD_ID) WHERE CHANNEL_NAME = " +
        quote_string(channel.name));
    // A single applier stops at once.
    if (!rows || rows->cells.empty()) return Done{};
    const Row row(*rows, 0);
    if (killed || row.integer("idle") != 1) continue;
    if (row.integer("open") != 1) return Done{};
    const auto ended = session.query("KILL " + row.text("PROCESSLIST_ID").value_or(""));
    if (!ended)
      return Error{
          ended.error().code,
          fmt::format(
              "its applier holds an incomplete transaction and cannot be stopped: {}; run: {}",
              ended.error().text, grant_statement(session, "SYSTEM_USER", "*.*"))};
    killed = true;
    patience = Deadline::after(clock, kEnd_s);
  }
  return Done{};
}

// Fails when the applier stands behind another client's lock: to stop it would take as long as that
// is held, and the session that asks for it with it. One that has nothing to apply stands nowhere.
Result<Done> expect_stoppable(const ChannelStatus& channel, SqlSession& session, Clock& clock) {
  constexpr double kPatience_s = 2;
  if (channel.applier_idle && channel.executed == channel.read) return Done{};
  for (const Deadline patience = Deadline::after(clock, kPatience_s);; clock.pause(kPoll_s)) {
    const auto wait = read_applier_wait(session);
    if (!wait) return wait.error();
    // Of replicas of its own it is let go before it is stopped.
    if (wait->empty() || wait->find("semi-sync") != wait->npos) return Done{};
    if (patience.passed()) return failure("its applier cannot be stopped: " + *wait);
  }
}

}  // namespace

Result<StepResult> LiveActions::promote(const Step& step, SqlSession& session,
                                        const RunFacts& known, const Deadline& deadline) {
  const auto before = read_replica_status(session);
  if (!before) return before.error();
  // A run before this one may have made it forget its source; the rest is to be done in any case.
  const ChannelStatus* const channel = find_channel(*before, step.channel);
  if (channel != nullptr)
    if (const auto ready = let_stop(*channel, session, env_.clock); !ready) return ready.error();
  const Statements left =
      channel == nullptr ? without(step.statements, {Part::kStop, Part::kForget}) : step.statements;
  if (const auto done = run_sql(left, session, known, deadline); !done) return done.error();
  const auto after = read_replica_status(session);
  if (!after) return after.error();
  if (find_channel(*after, step.channel) != nullptr) return failure("it is still a replica");
  return StepResult{};
}

namespace {

// Returns why a receiver has stopped, for people, with what to type when its source's binlog has
// not what it asks for.
std::string describe_receiver(const Step& step, const ReplicationThread& io) {
  constexpr unsigned kNotInBinlog[] = {1236, 13114};
  std::string text = describe_stop("IO", io);
  if (std::ranges::find(kNotInBinlog, io.error_number) != std::end(kNotInBinlog))
    text += "; " + next_command(Refusal::kNeedsResync, step.node);
  return text;
}

}  // namespace

// MariaDB throws away the relay log of a channel by GTID whose receiver starts while its applier
// does not run; what it has not applied may be on the old primary alone then.
Result<Done> LiveActions::expect_relay_log_kept(const Step& step, SqlSession& session) const {
  if (session.version().flavour != Flavour::kMariadb || !step.other.empty() ||
      only(step.statements, {Part::kStart}).empty())
    return Done{};
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  const ChannelStatus* const channel =
      facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
  if (channel == nullptr || !channel->uses_gtid || channel->sql.running() ||
      is_drained(facts->history, *channel))
    return Done{};
  return failure(fmt::format(
      "its applier does not run, and what it has received and not applied would be lost: {}",
      describe_stop("SQL", channel->sql)));
}

// By position it goes on where the run saw it, and what it has lost on its disk since, in a power
// cut, nobody would miss: no number tells of it.
Result<Done> LiveActions::expect_binlog_kept(const Step& step, SqlSession& session,
                                             const RunFacts& known) const {
  const BinlogPosition end = known.binlog.value_or(BinlogPosition());
  if (plan_.by_gtid || step.node != plan_.candidate || step.other != plan_.primary ||
      end.file.empty())
    return Done{};
  const auto lost = ends_before(session, end);
  if (!lost) return lost.error();
  if (!*lost) return Done{};
  return failure(fmt::format("it has lost the end of its binlog, from before {}:{}; {}", end.file,
                             end.offset, next_command(Refusal::kNeedsResync, step.node)));
}

// A channel that follows its source after all keeps all its settings and only has to go on.
Result<StepResult> LiveActions::restore(const Step& step, SqlSession& session,
                                        const RunFacts& known, const Deadline& deadline) {
  bool kept = false;
  if (const Node* const source = find(step.other); source != nullptr) {
    const auto channels = read_replica_status(session);
    if (!channels) return channels.error();
    const ChannelStatus* const channel = find_channel(*channels, step.channel);
    kept = channel != nullptr && follows(*channel, *source);
  }
  if (const auto keeps = expect_relay_log_kept(step, session); !keeps) return keeps.error();
  if (!kept)
    if (const auto whole = expect_binlog_kept(step, session, known); !whole) return whole.error();
  // From the same place again, by position, it would apply what it has got since twice.
  const Statements left =
      kept ? only(step.statements, {Part::kSemiSyncOn, Part::kStart}) : step.statements;
  if (const auto done = run_sql(left, session, known, deadline); !done) return done.error();
  return StepResult{};
}

// To MariaDB's administrators read_only means nothing.
Result<Done> LiveActions::compare_with_closing(const Step& step, SqlSession& session,
                                               const RunFacts& known) const {
  const BinlogPosition closed = known.closed_at.value_or(BinlogPosition());
  if (step.node != plan_.primary || closed.file.empty()) return Done{};
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  if (!facts->binlog || *facts->binlog == closed) return Done{};
  return failure(
      fmt::format("an administrator has written to it since it was closed; run: "
                  "mysql_ha rejoin {}",
                  step.node));
}

// A client may have written to a node that is to return before it was closed.
Result<Done> LiveActions::compare_with_plan(const Step& step, SqlSession& session,
                                            bool by_position) {
  const Node* const node = find(step.node);
  const auto now = read_again(step.node, session);
  if (!now) return now.error();
  const auto source = read_other(step.other);
  if (!source) return source.error();
  const auto more = by_position ? std::optional<Extra>() : extra(now->history, source->history);
  const bool moved = node->facts && node->channels().empty() && node->facts->binlog &&
                     now->binlog && !(*now->binlog == *node->facts->binlog);
  if (moved || (more && more->any()))
    return failure("it has written since it was probed; run this again");
  return Done{};
}

// Makes a node ready to leave the source that it has. An applier that waits for semi-sync
// replicas of its own does not finish before semi-sync is switched off there.
Result<Done> LiveActions::free_applier(const Step& step, const ChannelStatus* channel,
                                       SqlSession& session, const RunFacts& known,
                                       const Deadline& deadline) const {
  if (channel != nullptr)
    if (const auto free = expect_stoppable(*channel, session, env_.clock); !free) return free;
  const auto let_go =
      run_sql(only(step.statements, {Part::kSemiSyncOff}), session, known, deadline);
  return let_go && channel != nullptr ? let_stop(*channel, session, env_.clock) : let_go;
}

// The source does so, too, and may hang then (binlog_dumps.h): a failure here is no harm.
void LiveActions::end_former_connection(const Step& step) {
  auto source = sessions_.borrow(step.other);
  if (!source) return;
  ReplicaAddresses replicas;
  for (const Node& node : topology_.nodes)
    (node.name == step.node ? replicas.gone : replicas.there)
        .push_back({node.name, node.host, node.port});
  source->judge(end_binlog_dumps(**source, env_.network, replicas));
}

Result<StepResult> LiveActions::follow_source(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  const auto before = read_replica_status(session);
  if (!before) return before.error();
  const ChannelStatus* const own = find_channel(*before, step.channel);
  const Node* const source = find(step.other);
  // A run before this one got as far. From the same place again it would apply everything twice.
  const bool attached = own != nullptr && source != nullptr && follows(*own, *source) &&
                        own->io.state != ThreadState::kStopped;
  // What is still in its relay log would be gone, and the new primary does not send it by position.
  const bool by_position = need(step.statements, Placeholder::kBinlogEnd);
  if (by_position && plan_.command == PlanCommand::kFailover && !attached &&
      !known.drained.contains(step.node))
    return failure("it has not applied all received transactions, and needs a resync if it cannot");
  if (!attached)
    if (const auto same = compare_with_closing(step, session, known); !same) return same.error();
  if (plan_.command == PlanCommand::kRejoin && !attached)
    if (const auto same = compare_with_plan(step, session, by_position); !same) return same.error();
  if (!attached)
    if (const auto free = free_applier(step, own, session, known, deadline); !free)
      return free.error();
  if (plan_.command == PlanCommand::kRejoin && !attached) end_former_connection(step);
  const Statements left = attached ? only(step.statements, {Part::kStart})
                                   : without(step.statements, {Part::kSemiSyncOff});
  if (const auto done = run_sql(left, session, known, deadline); !done) return done.error();
  // By GTID the source can be asked while the receiver connects: a replica may have more by then.
  auto wanted = by_position ? std::nullopt : std::optional(read_other(step.other));
  if (const auto follows = wait_for_threads(step, session, deadline); !follows)
    return follows.error();
  if (!wanted) wanted = read_other(step.other);
  if (!*wanted) return wanted->error();
  return confirm_following(step, session, **wanted, deadline);
}

// Waits until the receiver has reached its source, and the applier runs. Clients wait for it, and
// on a good network it takes a few milliseconds.
Result<Done> LiveActions::wait_for_threads(const Step& step, SqlSession& session,
                                           const Deadline& deadline) const {
  constexpr int kSoon = 20;
  for (int looks = 0;; env_.clock.pause(++looks < kSoon ? kPoll_s / 4 : kPoll_s)) {
    const auto channels = read_replica_status(session);
    if (!channels) return channels.error();
    const ChannelStatus* const channel = find_channel(*channels, step.channel);
    if (channel == nullptr) return failure("it has no such channel");
    if (channel->io.running() && channel->sql.running()) return Done{};
    if (channel->sql.error_number != 0) return failure(describe_stop("SQL", channel->sql));
    if (channel->io.error_number != 0 && channel->io.state == ThreadState::kStopped)
      return failure(describe_receiver(step, channel->io));
    if (deadline.passed())
      return failure(
          fmt::format("it cannot connect to {}: {}", step.other, describe_stop("IO", channel->io)));
  }
}

Result<StepResult> LiveActions::confirm_following(const Step& step, SqlSession& session,
                                                  const ServerFacts& wanted,
                                                  const Deadline& deadline) {
  if (const auto moves = expect_progress(step, session, wanted, deadline); !moves)
    return moves.error();
  const Node* const replica = find(step.node);
  const std::string variable =
      replica != nullptr && replica->facts ? replica->facts->semi_sync.replica_variable : "";
  if (variable.empty()) return StepResult{};
  const auto acknowledges = query_value(session, "SELECT @@GLOBAL." + variable);
  if (!acknowledges) return acknowledges.error();
  if (*acknowledges == "0") return StepResult{};
  auto source = sessions_.borrow(step.other);
  if (!source) return failure(source.error().text);
  auto result = wait_for_acknowledger(step.other, **source, deadline);
  source->judge(result);
  return result ? std::move(result) : failure(result.error().text);
}

Result<Done> LiveActions::expect_progress(const Step& step, SqlSession& session,
                                          const ServerFacts& wanted,
                                          const Deadline& deadline) const {
  constexpr double kStill_s = 2;  // without a move
  std::optional<BinlogPosition> first;
  for (const Deadline still =
           Deadline::after(env_.clock, std::min(kStill_s, deadline.remaining_s()));
       ; env_.clock.pause(kPoll_s)) {
    const auto facts = read_received(step.node, session);
    if (!facts) return facts.error();
    const ChannelStatus* const channel =
        facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
    if (channel == nullptr) return failure("it has no such channel");
    if (has_all(*facts, *channel, wanted) || channel->sql_delay_s > 0) return Done{};
    if (first && !(*first == channel->executed)) return Done{};
    first = channel->executed;
    if (!still.passed()) continue;
    const auto wait = read_applier_wait(session);
    if (!wait) return wait.error();
    // A long transaction moves nothing either.
    if (wait->empty()) return Done{};
    return failure("it follows, but applies nothing: " + *wait);
  }
}

Result<StepResult> LiveActions::switch_semi_sync(const Step& step, SqlSession& session,
                                                 const RunFacts& known, const Deadline& deadline) {
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  return wait_for_acknowledger(step.node, session, deadline);
}

// Under semi-sync the source has to know its replica before a client may write.
Result<StepResult> LiveActions::wait_for_acknowledger(const std::string& name, SqlSession& session,
                                                      const Deadline& deadline) {
  const Node* const source = find(name);
  if (source == nullptr || !source->facts || source->facts->semi_sync.source_variable.empty())
    return StepResult{};
  ServerFacts facts = *source->facts;
  for (bool waits = false;; env_.clock.pause(kPoll_s)) {
    if (const auto done = reread_semi_sync(session, facts); !done) return done.error();
    const auto clients = facts.semi_sync.clients.value_or(0);
    const bool active = facts.semi_sync.source_active == true;
    if (!active && !waits) {
      // The run may have switched it.
      const auto on = query_value(session, "SELECT @@GLOBAL." + facts.semi_sync.source_variable);
      if (!on) return on.error();
      if (*on == "0") return StepResult{};
      waits = true;
    }
    // One that needs several is active with the last of them.
    if (clients > 0 && (active || clients < facts.semi_sync.wait_count))
      return StepResult{"it acknowledges"};
    if (deadline.passed()) return failure(name + " does not count it as a semi-sync replica");
  }
}

}  // namespace ha
