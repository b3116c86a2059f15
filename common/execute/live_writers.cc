// SPDX-License-Identifier: MIT
// The steps of LiveActions that let clients and events write to a server, or do not.
#include <fmt/format.h>

#include <algorithm>

#include "common/execute/clients.h"
#include "common/execute/closing.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/failover/role_statements.h"
#include "common/mysql/events.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/variables.h"

namespace ha {

Result<Done> LiveActions::close_behind_commits(const Step& step, SqlSession& session,
                                               const RunFacts& known, const Deadline& deadline) {
  constexpr double kRelease_s = 3;  // well before the closing gives up
  const Node* const node = find(step.node);
  const SeenNode* const seen = context_.memory.find(step.node);
  const std::string variable = node != nullptr && node->facts
                                   ? node->facts->semi_sync.source_variable
                               : seen != nullptr ? seen->semi_sync.source_variable
                                                 : "";
  const auto second = connect_to(step.node);
  if (!second) return second.error();
  return ha::close_behind_commits(
      env_.workers, env_.clock, session, {*second, options_.session_locks(), variable, kRelease_s},
      [&] { return run_sql(only(step.statements, {Part::kClose}), session, known, deadline); });
}

Result<StepResult> LiveActions::close_writers(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  constexpr unsigned kPatience_s = 5;
  const auto close = [&]() -> Result<Done> {
    const auto waits = step.action == Action::kFence ? waits_for_replicas(session) : false;
    if (!waits) return waits.error();
    return *waits ? close_behind_commits(step, session, known, deadline)
                  : run_sql(only(step.statements, {Part::kClose}), session, known, deadline);
  };
  const auto ended = close_to_clients(session, options_.session_locks(), kPatience_s, close);
  if (!ended) return ended.error();
  if (const auto rest = run_sql(without(step.statements, {Part::kClose}), session, known, deadline);
      !rest)
    return rest.error();
  const auto closed = read_switch(session, "read_only");
  if (!closed || !*closed) return failure("it still accepts writes");
  return StepResult{fmt::format("read-only, {} connections ended", *ended), {.closed = true}};
}

// Clients do not wait yet when silent nodes are asked again.
Result<StepResult> LiveActions::block_writers(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  const auto returned = judge_returned(probe_again(silent_nodes(), glance_s()), known);
  return returned ? close_writers(step, session, known, deadline) : returned.error();
}

Result<StepResult> LiveActions::unblock(const Step& step, SqlSession& session,
                                        const RunFacts& known, const Deadline& deadline) {
  // A client that waits for the lock would write when it ends, and no replica would receive it.
  if (const auto gone = turn_away_clients(session, options_.session_locks(), env_.clock); !gone)
    return gone.error();
  return run_all(step, session, known, deadline);
}

Result<StepResult> LiveActions::open(const Step& step, SqlSession& session, const RunFacts& known,
                                     const Deadline& deadline) {
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  if (*closed) return failure("it is still read-only");
  return StepResult{"it accepts writes", {.opened = true}};
}

namespace {

bool receives(const Node& node, std::size_t c, std::size_t source) {
  return node.sources[c] == source && node.channels()[c].io.state != ThreadState::kStopped;
}

}  // namespace

// A run before this one may have made the channel follow the new primary already.
Result<StepResult> LiveActions::revoke(const Step& step, SqlSession& session, const RunFacts& known,
                                       const Deadline& deadline) {
  Topology now = topology_;
  const auto primary = find_place(now, plan_.primary), place = find_place(now, step.node);
  if (!primary || !place) return failure("it is not a node of the cluster");
  const auto channel_now = [&]() -> Result<std::optional<bool>> {
    auto facts = read_received(step.node, session);
    if (!facts) return facts.error();
    if (const auto read = reread_semi_sync(session, *facts); !read) return read.error();
    Node& node = now.nodes[*place];
    node.facts = std::move(*facts);
    link(now);
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (node.channels()[c].name == step.channel && node.sources[c] == *primary)
        return std::optional(receives(node, c, *primary));
    return std::optional<bool>();
  };
  const auto before = channel_now();
  if (!before) return before.error();
  if (!*before) return StepResult{"it no longer follows " + plan_.primary};
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  const auto after = channel_now();
  if (!after) return after.error();
  if (after->value_or(false)) return failure("its receiver still runs");
  if (now.nodes[*place].facts->semi_sync.replica_active == true)
    return failure("its receiver has stopped, and it still acknowledges as a semi-sync replica");
  return StepResult{"it receives and acknowledges nothing"};
}

Result<Done> LiveActions::confirm_revoked(Topology now) {
  std::vector<std::string> nodes;
  for (const Step& step : plan_.steps)
    if (step.action == Action::kRevoke && std::ranges::find(nodes, step.node) == nodes.end())
      nodes.push_back(step.node);
  const auto primary = find_place(now, plan_.primary);
  if (nodes.empty() || !primary) return Done{};
  if (const auto read = read_into(now, nodes); !read) return read.error();
  for (const std::string& name : nodes) {
    const Node& node = *find_node(now, name);
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (receives(node, c, *primary))
        return failure(
            fmt::format("{} receives from {} again: another client has started its receiver", name,
                        plan_.primary));
  }
  return Done{};
}

namespace {

// Returns the statement that makes an event what it is not.
Statement change_of(const ServerEvent& event, const Version& version) {
  if (event.enabled) return {Part::kDisableEvent, disable_on_replica(version, event)};
  return {Part::kEnableEvent, enable(event)};
}

}  // namespace

// No binlog tells of it: each server's own role decides.
Result<StepResult> LiveActions::move_events(const Step& step, SqlSession& session,
                                            const RunFacts& known, const Deadline& deadline) {
  if (const auto off = session.query("SET SESSION sql_log_bin=0"); !off) return off.error();
  const auto done = run_sql(step.statements, session, known, deadline);
  if (const auto on = session.query("SET SESSION sql_log_bin=1"); !on) return on.error();
  if (!done) return done.error();
  const auto events = read_events(session);
  if (!events) return events.error();
  for (const ServerEvent& event : *events)
    // Would it have to be run once more?
    if (std::ranges::find(step.statements, change_of(event, session.version())) !=
        step.statements.end())
      return failure(
          fmt::format("event {} is still {}", event.name, event.enabled ? "enabled" : "disabled"));
  return StepResult{fmt::format("{} events", step.statements.size())};
}

}  // namespace ha
