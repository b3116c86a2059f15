// SPDX-License-Identifier: MIT
#include "common/failover/known_primary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/address.h"
#include "common/failover/unread.h"
#include "common/text.h"

namespace ha {

namespace {

// A node that answers can tell itself what it is.
std::size_t find_silent_last_primary(const Decision& d) {
  const Node* const last = last_primary(d.topology, d.context);
  if (last == nullptr || last->facts) return d.nodes().size();
  return static_cast<std::size_t>(last - d.nodes().data());
}

// True when all that follow a node now did so when they were last seen: no run has moved them to
// it.
bool was_always_followed(const Decision& d, std::size_t source) {
  return std::ranges::all_of(d.nodes(), [&](const Node& node) {
    if (std::ranges::find(node.sources, source) == node.sources.end()) return true;
    const SeenNode* const seen = d.context.memory.find(node.name);
    return seen != nullptr && std::ranges::find(seen->channels, d.nodes()[source].name,
                                                &SeenChannel::source) != seen->channels.end();
  });
}

// Returns the primary in place of a silent node that replicas still follow: the one that has
// replaced it, and that a restart has closed. Otherwise that node.
std::size_t find_successor(const Decision& d, std::size_t followed) {
  const Node* const last = last_primary(d.topology, d.context);
  const bool replaced = last != nullptr && last->facts && last->facts->channels &&
                        last->channels().empty() && !last->writable() &&
                        d.nodes()[followed].silent() && was_always_followed(d, followed);
  return replaced ? static_cast<std::size_t>(last - d.nodes().data()) : followed;
}

std::string why_unknown(const Decision& d) {
  std::string text = "no replica shows which node is the primary";
  if (const auto writers = d.topology.writers(); writers.size() == 1)
    return fmt::format("{}: {} accepts writes and no node that answers follows it", text,
                       d.nodes()[writers[0]].name);
  for (const Node& node : d.nodes())
    if (const ChannelStatus* const channel = channel_to_stranger(node))
      return fmt::format(
          "{0}: {1} follows {2}, which is none of the nodes. When that is NODE: node=NODE=HOST"
          "[:PORT],alias={2}, or, for once, run: mysql_ha failover --primary NODE",
          text, node.name,
          sanitize(format_host_port({channel->source_host, channel->source_port})));
  return text;
}

}  // namespace

const Node* last_primary(const Topology& topology, const Context& context) {
  const Memory& memory = context.memory;
  const RunHistory& runs = context.runs;
  const bool seen_later = memory.seen_s > runs.since_s;
  const std::string& name = runs.primary.empty() || (!memory.primary.empty() && seen_later)
                                ? memory.primary
                                : runs.primary;
  return find_node(topology, name);
}

const ChannelStatus* channel_to_stranger(const Node& node) {
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    if (!node.sources[c]) return &node.channels()[c];
  return nullptr;
}

void find_primary(Decision& d, std::string_view name) {
  if (name.empty()) name = d.policy.primary;
  std::set<std::size_t> followed;
  for (std::size_t i = 0; i < d.nodes().size(); ++i) {
    if (d.nodes()[i].name == name) d.primary = i;
    if (name.empty() && !d.nodes()[i].writable())
      for (const auto& source : d.nodes()[i].sources)
        if (source && d.nodes()[*source].channels().empty())
          followed.insert(find_root(d.topology, d.policy, d.context, *source));
  }
  if (name.empty() && followed.empty()) d.primary = find_silent_last_primary(d);
  if (name.empty() && followed.size() == 1) d.primary = find_successor(d, *followed.begin());
  if (d.primary < d.nodes().size()) {
    d.plan.primary = d.primary_node().name;
    return;
  }
  std::vector<std::string> names;
  for (const std::size_t i : followed) names.push_back(d.nodes()[i].name);
  d.refuse(Refusal::kUnknownPrimary,
           !name.empty()      ? fmt::format("no node is called '{}'", sanitize(name))
           : followed.empty() ? why_unknown(d)
                              : fmt::format("replicas follow different primaries: {}. Name the "
                                            "right one; run: mysql_ha failover --primary NODE",
                                            join(names, ", ")));
}

void find_writer(Decision& d) {
  const auto writers = d.topology.writers();
  if (writers.size() == 1) {
    d.primary = writers[0];
    d.plan.primary = d.primary_node().name;
    return;
  }
  std::vector<std::string> names;
  for (const std::size_t i : writers) names.push_back(d.nodes()[i].name);
  d.refuse(writers.empty() ? Refusal::kUnknownPrimary : Refusal::kSecondWriter,
           writers.empty() ? "no node accepts writes"
                           : "several nodes accept writes: " + join(names, ", "));
}

}  // namespace ha
