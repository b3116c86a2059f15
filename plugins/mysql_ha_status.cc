// SPDX-License-Identifier: MIT
#include "plugins/mysql_ha_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "common/context/guard_files.h"
#include "common/failover/readiness.h"
#include "common/mysql/probe.h"
#include "common/mysql/server_identity.h"
#include "common/time_text.h"

namespace ha {

namespace {

VipView view_vip(const std::string& address, const Node& reached, const Topology& topology) {
  VipView view{address};
  if (const auto ours = read_interfaces(); ours) view.held = find_address(ours->addresses, address);
  if (!reached.facts) {
    view.trouble = "leads to no server that can be read: " + reached.error;
    return view;
  }
  bool writable = false;
  for (const Node& node : topology.nodes) {
    if (!node.facts || !may_be_same_server(*node.facts, *reached.facts)) continue;
    view.nodes.push_back(node.name);
    writable = writable || node.takes_writes();
  }
  if (view.nodes.empty())
    view.trouble = "leads to a server that is none of the nodes";
  else if (!writable)
    view.trouble = "leads to a node that accepts no writes";
  return view;
}

// A node that does not answer shows what it was.
void add_last_seen(Status& status) {
  const Memory& memory = status.known.memory;
  for (NodeView& row : status.view.rows)
    if (row.node && !status.topology.nodes[*row.node].facts)
      if (const std::string as_what = describe_seen(memory, row.name); !as_what.empty())
        row.notes.push_back(
            fmt::format("last seen {} {}",
                        format_local_time(memory.find(row.name)->seen_s, status.now_s), as_what));
}

// Which node is the primary is known by now.
void judge_lease(Status& status) {
  if (status.lease.voters == 0) return;
  std::vector<std::string> primaries;
  for (const std::size_t i : status.topology.active_writers())
    primaries.push_back(status.topology.nodes[i].name);
  for (Concern& one : judge_lease_keeping(primaries, status.lease)) {
    status.state = worst(status.state, one.state);
    status.lease_troubles.push_back(std::move(one.text));
  }
}

}  // namespace

Status read_status(const Env& env, const FailoverOptions& options) {
  const std::string& vip = options.vip.address;
  const Deadline deadline = Deadline::after(env.clock, options.probe_timeout_s);
  FailoverOptions asked = options;
  ClusterOptions& cluster = asked.cluster;
  // A node that hangs in the middle of an answer would hold a thread for each time that it is
  // asked.
  cluster.mysql.answer_timeout_s = static_cast<unsigned>(std::ceil(options.probe_timeout_s));
  Status status;
  Topology by_vip;
  {
    std::jthread asking([&] {
      const unsigned port = cluster.mysql.port != 0 ? cluster.mysql.port : cluster.nodes[0].port;
      if (!vip.empty()) by_vip = probe_topology(env, {{vip, vip, port}}, cluster.mysql, deadline);
    });
    std::jthread voting([&] {
      status.votes = look_at_votes(env, asked, deadline);
      status.lease = summarize_lease(status.votes, asked);
    });
    const MemoryFile file(env.files, options.state_dir, options.cluster_name);
    status.known = file.read(cluster.nodes);
    status.topology =
        probe_topology(env, cluster.nodes, cluster.mysql, deadline, {status.known.memory});
    status.now_s = env.clock.now_s();
    file.update(status.known, status.topology, status.now_s);
  }
  status.view = view_topology(status.topology);
  add_last_seen(status);
  status.state = status.view.state;
  if (status.votes.answering() < (status.votes.voters.empty() ? 0 : status.votes.needed()))
    status.state = worst(status.state, State::kWarning);
  judge_lease(status);
  status.guard_troubles = look_for_guard_troubles(env.files, options.cluster_directory(),
                                                  env.clock.moment(), options.lease.lease_s > 0);
  if (!status.guard_troubles.value_or(std::vector<std::string>()).empty())
    status.state = worst(status.state, State::kWarning);
  if (vip.empty()) return status;
  status.vip = view_vip(vip, by_vip.nodes[0], status.topology);
  if (!status.vip->trouble.empty()) status.state = State::kCritical;
  return status;
}

}  // namespace ha
