// SPDX-License-Identifier: MIT
// The steps of LiveActions that prove that the plan still holds: locks, the dead primary.
#include <fmt/format.h>

#include <algorithm>

#include "common/context/node_locks.h"
#include "common/execute/binlog_events.h"
#include "common/execute/closing.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/mysql/probe.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/variables.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

// A fence, a hook or a copy takes its time while the session of a lock does nothing, whatever the
// server's own limit is. And the lock of a run whose machine is gone without a word ends when that
// run cannot be at work any more.
std::string keep_session(PlanCommand command, double deadline_s) {
  constexpr int kRollBack_s = 300, kCopy_s = 86400;
  return fmt::format(
      "SET SESSION wait_timeout = {}",
      command == PlanCommand::kResync ? kCopy_s : static_cast<int>(deadline_s) + kRollBack_s);
}

std::string describe_lock(const Result<std::string>& holder) {
  if (!holder || holder->empty()) return "another run holds its lock";
  return fmt::format(
      "another run holds its lock (connection {0}); when the machine of that run is gone, log in "
      "to this server and run: KILL {0}",
      *holder);
}

}  // namespace

// The process that had the lock before may have changed what the plan was made on.
Result<StepResult> LiveActions::lock(const Step& step, SqlSession& session, const RunFacts&,
                                     const Deadline&) {
  const auto locked = take_lock(session);
  return locked ? compare_view(step, session) : locked.error();
}

Result<Done> LiveActions::take_lock(SqlSession& session) const {
  const std::string name = options_.node_lock();
  if (const auto set = session.query(keep_session(plan_.command, options_.deadline_s)); !set)
    return set.error();
  // A server takes a moment to notice that the run which had it has ended.
  const auto got = take_node_lock(session, name, 1);
  if (!got) return got.error();
  if (*got) return Done{};
  const auto holder = node_lock_holder(session, name);
  // Our votes prove that the run which has it lost its own: its host hangs or is cut off. It finds
  // out by the lock that is lost.
  if (votes_ && confirm_votes() && holder && !holder->empty() &&
      session.query("KILL CONNECTION " + *holder))
    if (const auto again = take_node_lock(session, name, 1); again && *again) return Done{};
  return Error{Errc::kRefused, describe_lock(holder)};
}

Result<StepResult> LiveActions::compare_view(const Step& step, SqlSession& session) const {
  const Node* const node = find(step.node);
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  const auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  if (node->writable() == *closed || sources_of(node->channels()) != sources_of(*channels))
    return Error{Errc::kRefused, "another run has changed it meanwhile; run this again"};
  return StepResult{};
}

namespace {

// Returns with which error a probed primary does not answer; fails when it is alive.
Result<StepResult> expect_dead(const Node& primary) {
  if (primary.alive())
    return failure(primary.error.empty() ? "it answers" : "it is alive: " + primary.error);
  if (!primary.silent()) return failure("it could not be asked: " + primary.error);
  return StepResult{primary.error};
}

bool follows_old_primary(const Node& node, const Topology& topology, const Plan& plan) {
  const auto primary = find_place(topology, plan.primary);
  return primary && channel_to(node, *primary) != nullptr;
}

}  // namespace

Result<StepResult> LiveActions::confirm_dead(const Step& step, const RunFacts& known,
                                             const Deadline&) {
  const Node* const primary = find(step.node);
  if (primary == nullptr) return failure("it is not a node of the cluster");
  return expect_dead(*find_node(probe_again({*primary}, asking_s(known)), step.node));
}

Topology LiveActions::probe_again(const std::vector<Node>& nodes, double seconds) const {
  Topology now = topology_;
  if (nodes.empty()) return now;
  std::vector<NodeAddress> addresses;
  for (const Node& node : nodes)
    addresses.push_back({node.name, node.host, node.port, {}, node.aliases});
  Topology probed = probe_topology(env_, addresses, options_.cluster.mysql,
                                   Deadline::after(env_.clock, seconds), {context_.memory});
  for (Node& node : probed.nodes)
    *std::ranges::find(now.nodes, node.name, &Node::name) = std::move(node);
  now.addresses.merge(probed.addresses);
  link(now);
  return now;
}

void LiveActions::link(Topology& topology) const {
  link_sources(topology, context_.memory);
  follow_word(options_.policy.primary, topology);
}

std::vector<Node> LiveActions::silent_nodes() const {
  std::vector<Node> silent;
  for (const Node& node : topology_.nodes)
    if (!node.facts && node.name != plan_.primary) silent.push_back(node);
  return silent;
}

double LiveActions::glance_s() const { return std::min(1.0, options_.probe_timeout_s); }

Result<StepResult> LiveActions::judge_returned(Topology now, const RunFacts& known) {
  const auto returned = [&](const Node& node) {
    return node.name != plan_.primary && node.facts && !find(node.name)->facts;
  };
  if (std::ranges::any_of(now.nodes, returned))
    if (const auto read = read_into(now, {plan_.candidate}); !read) return read.error();
  std::vector<std::string> words;
  for (std::size_t i = 0; i < now.nodes.size(); ++i) {
    const Node& node = now.nodes[i];
    if (topology_.nodes[i].facts || node.name == plan_.primary) continue;
    if (const std::string why = object_to_return(at_work(known), topology_, now, i); !why.empty())
      return contradiction(why);
    if (!returned(node)) continue;
    if (const auto locked = lock_returned(node.name); !locked) return locked.error();
    words.push_back(node.name + " answers again, and the plan still holds");
  }
  return StepResult{join(words, ", ")};
}

// Managers that were cut off from each other have locked different nodes. The session stays the
// node's own until the end of the run.
Result<Done> LiveActions::lock_returned(const std::string& node) {
  auto session = sessions_.borrow(node);
  if (!session) return session.error();
  const auto locked = take_lock(**session);
  session->judge(locked);
  return locked ? locked : failure(node + " answers again: " + locked.error().text);
}

// A session that still owes its answer is of no use to later steps, as one that was lost.
template <class T>
std::vector<Result<T>> LiveActions::ask_each(
    const std::vector<std::string>& nodes, const Deadline& deadline,
    std::function<Result<T>(std::size_t, SqlSession&)> ask) {
  std::vector<Result<NodeSessions::Loan>> loans;
  std::vector<NodeSessions::Session> sessions;
  for (const std::string& node : nodes) {
    loans.push_back(sessions_.borrow(node));
    sessions.push_back(loans.back() ? loans.back()->shared() : nullptr);
  }
  const auto answers = run_each<std::optional<Result<T>>>(
      env_.workers, nodes.size(), deadline, [sessions, ask = std::move(ask)](std::size_t i) {
        return sessions[i] ? std::optional(ask(i, *sessions[i])) : std::nullopt;
      });
  constexpr unsigned kLost = 2013;
  const Result<T> late = Error{Errc::kUnreachable, "no answer in time", kLost};
  std::vector<Result<T>> results;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!loans[i]) {
      results.push_back(loans[i].error());
      continue;
    }
    results.push_back(answers[i].value_or(std::nullopt).value_or(late));
    loans[i]->judge(results.back());
  }
  return results;
}

// The step's own session is not to blame when that fails.
Result<Done> LiveActions::read_into(Topology& now, const std::vector<std::string>& nodes) {
  std::vector<std::optional<ServerFacts>> before;
  for (const std::string& name : nodes) {
    const Node* const node = find(name);
    before.push_back(node == nullptr ? std::nullopt : node->facts);
  }
  const auto read = ask_each<ServerFacts>(nodes, Deadline::after(env_.clock, options_.deadline_s),
                                          [before](std::size_t i, SqlSession& session) {
                                            return reread_server_facts(session, before[i]);
                                          });
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!read[i]) return failure(read[i].error().text);
    std::ranges::find(now.nodes, nodes[i], &Node::name)->facts = *read[i];
  }
  link(now);
  return Done{};
}

std::vector<std::string> LiveActions::siblings(Siblings which) const {
  std::vector<std::string> names;
  for (const Node& node : topology_.nodes) {
    const bool stopped = std::ranges::any_of(plan_.steps, [&](const Step& step) {
      return (step.action == Action::kStopReceiver || step.action == Action::kRevoke) &&
             step.node == node.name;
    });
    if (node.facts && node.name != plan_.candidate && node.name != plan_.primary &&
        (!stopped || which == Siblings::kAll) && follows_old_primary(node, topology_, plan_))
      names.push_back(node.name);
  }
  return names;
}

Result<Done> LiveActions::compare_siblings(const Topology& now, const RunFacts& known) const {
  const std::string why = object_to_lead(at_work(known), topology_, now);
  return why.empty() ? Result<Done>(Done{}) : contradiction(why);
}

// MariaDB's receivers by GTID are not stopped.
Result<Done> LiveActions::compare_receiving(Topology now, const RunFacts& known) {
  std::vector<std::string> names = siblings(Siblings::kReceiving);
  if (names.empty()) return Done{};
  names.push_back(plan_.candidate);
  if (const auto read = read_into(now, names); !read) return read.error();
  return compare_siblings(now, known);
}

std::vector<std::string> LiveActions::locked_nodes() const {
  std::vector<std::string> names;
  // The old primary is dead, or its session is busy with keeping it closed.
  for (const Node& node : topology_.nodes)
    if (node.facts && (node.name != plan_.primary || plan_.primary == plan_.candidate))
      names.push_back(node.name);
  return names;
}

Result<Done> LiveActions::expect_locks(const std::vector<std::string>& nodes,
                                       const Deadline& deadline) {
  const auto ours =
      ask_each<bool>(nodes, deadline, [lock = options_.node_lock()](std::size_t, SqlSession& one) {
        return has_node_lock(one, lock);
      });
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!ours[i])
      return failure(
          fmt::format("the lock on {} cannot be confirmed: {}", nodes[i], ours[i].error().text));
    if (!*ours[i]) return failure("the lock on " + nodes[i] + " is lost");
  }
  return Done{};
}

// While our session holds its lock, the primary was not restarted since it was closed. One that was
// may be open, and have what the new primary lacks.
Result<Done> LiveActions::expect_closed(const Deadline& deadline) {
  if (expect_locks({plan_.primary}, deadline)) return Done{};
  const Topology now = probe_again({*find(plan_.primary)}, glance_s());
  if (!find_node(now, plan_.primary)->writable()) return Done{};
  return failure(plan_.primary + " was restarted and accepts writes");
}

// What others have told is old when one of them has stood still meanwhile, so all are asked again.
// Where that does not help, the servers are slow, and tell nothing newer.
Result<StepResult> LiveActions::recheck(const Step& step, const RunFacts& known,
                                        const Deadline& deadline) {
  constexpr int kTimes = 3;
  constexpr double kMoment_s = 1;
  Result<StepResult> same = StepResult{};
  for (int time = 0; time < kTimes; ++time) {
    const Deadline moment = Deadline::after(env_.clock, asking_s(known) + kMoment_s);
    same = ask_again(step, known, deadline);
    if (!same) return same;
    if (!moment.passed() || deadline.passed()) break;
  }
  // Votes may have been lost meanwhile. A failure here is rolled back, one of the opening is not.
  const auto ours = confirm_votes();
  if (!ours) return ours.error();
  const auto leased = confirm_lease();
  return leased ? std::move(same) : leased.error();
}

// The locks first: a server that stands still holds them up, and nothing that was asked gets old.
Result<StepResult> LiveActions::ask_again(const Step& step, const RunFacts& known,
                                          const Deadline& deadline) {
  if (const auto locked = expect_locks(locked_nodes(), deadline); !locked) return locked.error();
  // A switchover has asked the others before clients had to wait.
  const bool switches = plan_.command == PlanCommand::kSwitchover;
  auto same = switches ? Result<StepResult>(StepResult{}) : compare_with_now(step, known);
  if (!same) return same;
  if (const auto closed = switches ? expect_closed(deadline) : Done{}; !closed)
    return closed.error();
  // One that stands still now would carry out its opening whenever it goes on.
  const auto goes = expect_locks({plan_.candidate}, deadline);
  return goes ? std::move(same) : goes.error();
}

bool LiveActions::doubts_death(const RunFacts& known) const {
  return plan_.command == PlanCommand::kFailover && !known.fenced;
}

double LiveActions::asking_s(const RunFacts& known) const {
  // With its lease it has lost its clients: a shorter silence does.
  return doubts_death(known) && !context_.primary_lease_expired ? options_.probe_timeout_s
                                                                : glance_s();
}

// All that were silent are asked at the same time. One that stays silent costs little: the silence
// of the old primary alone is worth the time of a whole probe, unless it is fenced.
Result<StepResult> LiveActions::compare_with_now(const Step& step, const RunFacts& known) {
  std::vector<Node> silent = silent_nodes();
  const bool unfenced = doubts_death(known);
  if (unfenced) silent.push_back(*find(plan_.primary));
  const Topology now = probe_again(silent, asking_s(known));
  StepResult result;
  if (unfenced) {
    const auto dead = expect_dead(*find_node(now, plan_.primary));
    if (!dead) return dead.error();
    result = *dead;
  }
  const auto returned = judge_returned(now, known);
  if (!returned) return returned.error();
  if (const auto revoked = confirm_revoked(now); !revoked) return revoked.error();
  if (!returned->text.empty()) result.text += (result.text.empty() ? "" : "; ") + returned->text;
  const auto compared = plan_.command == PlanCommand::kReopen ? compare_binlogs(step.node, now)
                                                              : compare_receiving(now, known);
  return compared ? Result<StepResult>(std::move(result)) : compared.error();
}

// Without GTIDs only the sizes of a restarted primary's binlogs tell whether it has lost what its
// replicas have received.
Result<Done> LiveActions::compare_binlogs(const std::string& primary, const Topology& now) {
  auto session = sessions_.borrow(primary);
  if (!session) return session.error();
  const auto same = compare_closing(**session);
  session->judge(same);
  if (!same) return same.error();
  for (const Node& node : now.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      const ChannelStatus& channel = node.channels()[c];
      if (!node.sources[c] || now.nodes[*node.sources[c]].name != primary || channel.uses_gtid)
        continue;
      const auto lost = ends_before(**session, channel.read);
      session->judge(lost);
      if (!lost) return lost.error();
      if (*lost)
        return failure(fmt::format(
            "{0} has received events up to {2}:{3}, which {1} has lost; to promote a replica, "
            "stop {1} and run: mysql_ha failover",
            node.name, primary, channel.read.file, channel.read.offset));
    }
  return Done{};
}

Result<Done> LiveActions::compare_closing(SqlSession& session) const {
  if (!plan_.closed_by_guard || !context_.own_closing) return Done{};
  const auto now = read_closed_server(session);
  if (!now) return now.error();
  const std::string change = find_change_since(*context_.own_closing, *now);
  return change.empty() ? Result<Done>(Done{}) : failure("its guard has closed it, and " + change);
}

}  // namespace ha
