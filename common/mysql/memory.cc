// SPDX-License-Identifier: MIT
#include "common/mysql/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/address.h"
#include "common/mysql/topology.h"
#include "common/text.h"

namespace ha {

namespace {

// Enough for every way in which a primary is named; names that were given up go first.
constexpr std::size_t kMostAddresses = 16;

const SeenChannel* find_channel(const SeenNode& node, const ChannelStatus& channel) {
  for (const SeenChannel& one : node.channels)
    if (one.name == channel.name && one.address == channel.source()) return &one;
  return nullptr;
}

SeenChannel see_channel(const SeenNode& before, const ChannelStatus& channel, std::string source,
                        double now_s) {
  SeenChannel seen{channel.name, std::move(source), channel.source(), channel.io,
                   now_s,        channel.read,      channel.uses_gtid};
  const SeenChannel* const earlier = find_channel(before, channel);
  if (earlier != nullptr && earlier->io.state == channel.io.state &&
      earlier->io.error_number == channel.io.error_number)
    seen.io_since_s = earlier->io_since_s;
  return seen;
}

void see_server(SeenNode& seen, const Node& node, double now_s) {
  const ServerFacts& facts = *node.facts;
  seen.seen_s = now_s;
  seen.address = format_host_port({node.host, node.port});
  seen.version = facts.version;
  seen.server_id = facts.server_id;
  seen.server_uuid = facts.server_uuid;
  seen.read_only = facts.read_only;
  seen.semi_sync = facts.semi_sync;
  seen.semi_sync_s = now_s;
  seen.binlog_scope = facts.binlog_scope;
}

void see(SeenNode& seen, const Topology& topology, const Node& node, double now_s) {
  see_server(seen, node, now_s);
  if (!node.facts->channels) return;
  std::vector<SeenChannel> channels;
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    channels.push_back(see_channel(seen, node.channels()[c],
                                   node.sources[c] ? topology.nodes[*node.sources[c]].name : "",
                                   now_s));
  seen.channels = std::move(channels);
}

// An address leads to one server: the node that had it before has it no more.
void record_address(Memory& memory, const std::string& node, const std::string& address) {
  for (auto& [name, seen] : memory.nodes)
    if (name != node) std::erase(seen.addresses, address);
  std::vector<std::string>& known = memory.nodes[node].addresses;
  if (std::ranges::find(known, address) != known.end()) return;
  known.push_back(address);
  if (known.size() > kMostAddresses) known.erase(known.begin());
}

bool receives_from(const Node& node, std::size_t source) {
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    if (node.sources[c] == source && node.channels()[c].io.running()) return true;
  return false;
}

// An old primary that comes back writable while its successor is silent is not the primary again.
bool has_taken_over(const Memory& earlier, const Memory& memory, const Topology& topology,
                    std::size_t writer) {
  const Node* const before = find_node(topology, memory.primary);
  return before == nullptr || before->facts || was_promoted(earlier, topology.nodes[writer]) ||
         std::ranges::any_of(topology.nodes,
                             [&](const Node& node) { return receives_from(node, writer); });
}

void forget_strangers(Memory& memory, const Topology& topology) {
  const auto is_stranger = [&](const std::string& name) {
    return find_node(topology, name) == nullptr;
  };
  std::erase_if(memory.nodes, [&](const auto& one) { return is_stranger(one.first); });
  if (!memory.primary.empty() && is_stranger(memory.primary)) {
    memory.primary.clear();
    memory.seen_s = 0;
  }
}

}  // namespace

bool was_promoted(const Memory& earlier, const Node& node) {
  const SeenNode* const seen = earlier.find(node.name);
  return seen != nullptr && !seen->channels.empty() && node.writable() && node.facts->channels &&
         node.channels().empty();
}

Memory remember(const Memory& earlier, const Topology& topology, double now_s) {
  Memory memory = earlier;
  const std::vector<std::size_t> writers = topology.writers();
  if (writers.empty()) return memory;
  forget_strangers(memory, topology);
  for (const Node& node : topology.nodes) {
    if (!node.facts || (writers.size() > 1 && !node.writable())) continue;
    SeenNode& seen = memory.nodes[node.name];
    if (writers.size() == 1) {
      see(seen, topology, node, now_s);
      continue;
    }
    seen.address = format_host_port({node.host, node.port});
    seen.seen_s = now_s;
    seen.read_only = false;
  }
  if (writers.size() > 1) return memory;
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (node.sources[c] && node.channels()[c].io.running())
        record_address(memory, topology.nodes[*node.sources[c]].name, node.channels()[c].source());
  if (has_taken_over(earlier, memory, topology, writers[0])) {
    memory.primary = topology.nodes[writers[0]].name;
    memory.seen_s = now_s;
  }
  return memory;
}

Memory with_primary(const Memory& earlier, const Node& primary, double now_s) {
  Memory memory = earlier;
  memory.primary = primary.name;
  memory.seen_s = now_s;
  SeenNode& seen = memory.nodes[primary.name];
  see_server(seen, primary, now_s);
  seen.read_only = false;
  seen.channels.clear();
  // The run has changed what was read before it.
  seen.semi_sync_s = 0;
  return memory;
}

std::string describe_seen(const Memory& memory, const std::string& node) {
  const SeenNode* const seen = memory.find(node);
  if (seen == nullptr || seen->seen_s <= 0) return "";
  if (memory.primary == node) return "as the primary";
  if (!seen->read_only) return "with an unknown read_only";
  if (!*seen->read_only) return "accepting writes";
  if (seen->channels.empty()) return "read-only, following no server";
  std::vector<std::string> sources;
  for (const SeenChannel& channel : seen->channels)
    sources.push_back(channel.source.empty() ? sanitize(channel.address) : channel.source);
  return "as a replica of " + join(sources, ", ");
}

}  // namespace ha
