// SPDX-License-Identifier: MIT
// The steps of LiveActions that prove that the plan still holds: locks, the dead primary.
#include <fmt/format.h>

#include "common/context/node_locks.h"
#include "common/context/step_tools.h"
#include "common/execute/binlog_events.h"
#include "common/execute/live_actions.h"
#include "common/mysql/probe.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/variables.h"

namespace ha {

// The process that had the lock before may have changed what the plan was made on.
Result<StepResult> LiveActions::lock(const Step& step, SqlSession& session, const RunFacts&,
                                     const Deadline&) {
  // A server takes a moment to notice that the run which had it has ended.
  const auto got = take_node_lock(session, options_.node_lock(), 1);
  if (!got) return got.error();
  if (*got) return compare_view(step, session);
  const auto holder = node_lock_holder(session, options_.node_lock());
  return Error{Errc::kRefused, fmt::format("another run holds its lock (connection {})",
                                           holder && !holder->empty() ? *holder : "?")};
}

Result<StepResult> LiveActions::compare_view(const Step& step, SqlSession& session) const {
  const Node* const node = find(step.node);
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  const auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  if (node->writable() == *closed || sources_of(node->channels()) != sources_of(*channels))
    return failure("another run has changed it");
  return StepResult{};
}

Result<StepResult> LiveActions::confirm_dead(const Step& step, const RunFacts&, const Deadline&) {
  const Node* const primary = find(step.node);
  if (primary == nullptr) return failure("it is no node of the cluster");
  const Topology now =
      probe_topology(env_, {{primary->name, primary->host, primary->port}}, options_.cluster.mysql,
                     Deadline::after(env_.clock, options_.probe_timeout_s));
  const Node& probed = now.nodes[0];
  if (probed.alive())
    return failure(probed.error.empty() ? "it answers" : "it is alive: " + probed.error);
  if (!probed.silent()) return failure("it could not be asked: " + probed.error);
  return StepResult{probed.error};
}

Result<StepResult> LiveActions::recheck(const Step& step, const RunFacts& known,
                                        const Deadline& deadline) {
  for (const Node& node : topology_.nodes) {
    // The old primary is dead, or its session is busy with keeping it closed.
    if (!node.facts || (node.name == plan_.primary && plan_.primary != plan_.candidate)) continue;
    auto session = sessions_.borrow(node.name);
    if (!session) return session.error();
    const auto ours =
        query_value(**session, fmt::format("SELECT IS_USED_LOCK({}) = CONNECTION_ID()",
                                           quote_string(options_.node_lock())));
    session->judge(ours);
    if (!ours || *ours != "1") return failure("the lock on " + node.name + " is lost");
  }
  if (plan_.command == PlanCommand::kReopen) return compare_binlogs(step.node);
  if (plan_.command != PlanCommand::kFailover || known.fenced) return StepResult{};
  return confirm_dead(step, known, deadline);
}

// Without GTIDs only the sizes of a restarted primary's binlogs tell whether it has lost what its
// replicas have received.
Result<StepResult> LiveActions::compare_binlogs(const std::string& primary) {
  auto session = sessions_.borrow(primary);
  if (!session) return session.error();
  for (const Node& node : topology_.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      const ChannelStatus& channel = node.channels()[c];
      if (!node.sources[c] || topology_.nodes[*node.sources[c]].name != primary ||
          channel.uses_gtid)
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
  return StepResult{};
}

}  // namespace ha
