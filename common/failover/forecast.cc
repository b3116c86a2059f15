// SPDX-License-Identifier: MIT
#include "common/failover/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/address.h"
#include "common/failover/decision.h"

namespace ha {

namespace {

// Returns the topology as it will be when the node at place `dead` has gone: nothing that only it
// tells can be relied upon, such as that it lets itself be closed. Nor which server it is: channels
// are linked anew, with what is remembered.
Topology without(Topology topology, std::size_t dead, const Memory& memory) {
  Node& gone = topology.nodes[dead];
  gone = {gone.name,        gone.host, gone.port, Reach::kUnreachable,
          "taken for dead", {},        {},        gone.aliases};
  for (Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (ChannelStatus& channel = (*node.facts->channels)[c];
          node.sources[c] == dead && channel.io.running())
        channel.io.state = ThreadState::kConnecting;
  link_sources(topology, memory);
  return topology;
}

// Returns the place of the node that is to be taken for dead: the one that was named, else the only
// writer, else the one that the replicas tell; nullopt when nothing tells.
std::optional<std::size_t> find_mortal(const Topology& topology, const Policy& policy,
                                       const Context& context, std::string_view name) {
  if (const auto writers = topology.writers(); name.empty() && writers.size() == 1)
    return writers[0];
  const std::string found =
      name.empty() ? decide_failover({topology, policy, context}, "").primary : std::string(name);
  return find_place(topology, found);
}

// Returns why a failover would not find out that the node at `place` is the primary when it is
// dead: `told` is what it would find out then. kNone: it would.
Objection object_to_name(const Topology& topology, std::size_t place, const Plan& told) {
  const Node& mortal = topology.nodes[place];
  const std::string& name = mortal.name;
  if (told.primary == name) return {};
  std::string address;
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (node.sources[c] == place)
        address =
            format_host_port({node.channels()[c].source_host, node.channels()[c].source_port});
  const bool unread = std::ranges::any_of(topology.nodes, [](const Node& node) {
    return node.alive() && (!node.facts || !node.facts->channels);
  });
  if (address.empty() && mortal.writable() && !unread)
    return {Refusal::kNoCandidate, name + " is the primary and has no replica"};
  if (address.empty())
    return {Refusal::kUnknownPrimary,
            told.reason.empty() ? "no replica follows " + name : told.reason};
  if (!told.primary.empty())
    return {Refusal::kUnknownPrimary,
            fmt::format("replicas follow {} rather than {}", told.primary, name)};
  return {Refusal::kUnknownPrimary,
          fmt::format("when {0} is dead, no replica shows that {0} was the primary: they know it "
                      "as {1}; configure node={2}={3},alias={4}",
                      name, address, name, format_host_port({mortal.host, mortal.port}), address)};
}

}  // namespace

Plan forecast(const Topology& topology, const Policy& policy, Context context,
              std::string_view name) {
  const auto place = find_mortal(topology, policy, context, name);
  if (!place) return decide_failover({topology, policy, context}, name);
  // When it is dead, this is what was last seen, unless it cannot be kept.
  if (context.memory_trouble.empty())
    context.memory = remember(context.memory, topology, context.now_s);
  Topology left = without(topology, *place, context.memory);
  follow_word(policy.primary, left);
  const Plan told = decide_failover({left, policy, context}, "");
  Plan plan = decide_failover({left, policy, context, &topology.nodes[*place]},
                              topology.nodes[*place].name);
  Objection unknown = object_to_name(topology, *place, told);
  if (unknown.refusal == Refusal::kNone) return plan;
  plan.steps.clear();
  plan.hash.clear();
  // When it is not known by its name, or by none, no node can be promoted: that is told first.
  const bool cause = unknown.refusal == Refusal::kNoCandidate || told.reason != unknown.reason;
  if (plan.possible() || cause) {
    if (!plan.possible())
      plan.further.insert(plan.further.begin(), {plan.refusal, std::move(plan.reason)});
    plan.refusal = unknown.refusal;
    plan.reason = std::move(unknown.reason);
  } else {
    plan.further.push_back(std::move(unknown));
  }
  return plan;
}

}  // namespace ha
