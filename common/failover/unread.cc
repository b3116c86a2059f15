// SPDX-License-Identifier: MIT
#include "common/failover/unread.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/text.h"

namespace ha {

namespace {

// The nodes that a node was last seen to follow.
std::vector<std::size_t> seen_sources(const Topology& topology, const Memory& memory,
                                      const std::string& node) {
  std::vector<std::size_t> places;
  if (const SeenNode* const seen = memory.find(node); seen != nullptr && seen->is_replica())
    for (const SeenChannel& channel : seen->channels)
      if (const auto place = find_place(topology, channel.source)) places.push_back(*place);
  return places;
}

bool was_downstream(const Takeover& takeover, std::size_t i) {
  const std::vector<Node>& nodes = takeover.topology.nodes;
  std::vector<bool> done(nodes.size());
  std::vector<std::size_t> todo = {i};
  while (!todo.empty()) {
    const std::size_t place = todo.back();
    todo.pop_back();
    if (done[place]) continue;
    done[place] = true;
    for (const std::size_t source :
         seen_sources(takeover.topology, takeover.context.memory, nodes[place].name)) {
      if (source == takeover.primary) return true;
      todo.push_back(source);
    }
  }
  return false;
}

// A fence counts for as long as the node was not seen since.
bool is_fenced(const Context& context, const Node& node) {
  const auto fenced = context.runs.fenced.find(node.name);
  const SeenNode* const seen = context.memory.find(node.name);
  return fenced != context.runs.fenced.end() && (seen == nullptr || seen->seen_s <= fenced->second);
}

std::string describe_last_seen(const Context& context, const Node& node) {
  const std::string as_what = describe_seen(context.memory, node.name);
  if (as_what.empty())
    return context.memory_trouble.empty()
               ? "was never seen"
               : fmt::format("was never seen ({})", sanitize(context.memory_trouble));
  const double age_s = context.now_s - context.memory.find(node.name)->seen_s;
  return fmt::format("was last seen {}{}", age_s > 0 ? format_duration(age_s) + " ago " : "",
                     as_what);
}

}  // namespace

bool may_have_more(const Takeover& takeover, std::size_t i) {
  const Node& node = takeover.topology.nodes[i];
  if (i == takeover.primary || node.facts || node.silent()) return false;
  return takeover.policy.assume_replica.contains(node.name) || was_downstream(takeover, i);
}

std::string object_to_unread(const Takeover& takeover, std::size_t i) {
  const Node& node = takeover.topology.nodes[i];
  if (i == takeover.primary || takeover.policy.assume_replica.contains(node.name)) return "";
  const std::string word = fmt::format(
      "Correct that. If {0} takes no writes, run: mysql_ha failover --assume-replica {0}",
      node.name);
  if (node.facts)
    return node.facts->read_only
               ? ""
               : fmt::format("{} does not show whether it takes writes. {}", node.name, word);
  if (may_have_more(takeover, i)) return "";
  const SeenNode* const seen = takeover.context.memory.find(node.name);
  const bool was_replica = seen == nullptr || seen->seen_s == 0 || seen->is_replica();
  if (takeover.policy.ignore_fail.contains(node.name) && was_replica) return "";
  if (node.silent() &&
      ((seen != nullptr && seen->is_replica()) || is_fenced(takeover.context, node)))
    return "";
  return fmt::format("{} {} ({}) and {}: it may take writes. {}", node.name,
                     node.silent()  ? "does not answer"
                     : node.alive() ? "is alive and cannot be read"
                                    : "could not be asked",
                     sanitize(node.error), describe_last_seen(takeover.context, node), word);
}

std::size_t find_root(const Topology& topology, const Policy& policy, const Context& context,
                      std::size_t source) {
  // A node that was seen as a replica may have been promoted since, by others than us.
  const auto follows = [&](const Node& node, std::size_t place) {
    return std::ranges::find(node.sources, std::optional(place)) != node.sources.end();
  };
  for (std::size_t steps = 0; steps < topology.nodes.size(); ++steps) {
    const Node& node = topology.nodes[source];
    const std::vector<std::size_t> up = seen_sources(topology, context.memory, node.name);
    if (node.facts || up.size() != 1 || node.name == context.runs.binding_primary()) return source;
    const Node& next = topology.nodes[up[0]];
    if (policy.assume_replica.contains(next.name) || follows(next, source) ||
        is_fenced(context, next))
      return source;
    source = up[0];
  }
  return source;
}

}  // namespace ha
