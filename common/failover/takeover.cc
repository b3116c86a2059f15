// SPDX-License-Identifier: MIT
#include "common/failover/takeover.h"

#include <algorithm>
#include <set>

#include "common/failover/completeness.h"

namespace ha {

const ChannelStatus* Takeover::channel(std::size_t i) const {
  return channel_to(nodes()[i], primary);
}

Promotion Takeover::wish(std::size_t i) const {
  const auto found = policy.promotion.find(nodes()[i].name);
  return found == policy.promotion.end() ? Promotion::kAllowed : found->second;
}

double Takeover::channel_delay(std::size_t i) const {
  const ChannelStatus* const own = channel(i);
  return own == nullptr ? 0 : own->sql_delay_s;
}

bool Takeover::is_stuck(std::size_t i) const { return context.stuck.contains(nodes()[i].name); }

const SeenChannel* Takeover::seen_channel(std::size_t i) const {
  const SeenNode* const seen = context.memory.find(nodes()[i].name);
  if (seen == nullptr) return nullptr;
  const auto found = std::ranges::find(seen->channels, primary_node().name, &SeenChannel::source);
  return found == seen->channels.end() ? nullptr : &*found;
}

Receipt Takeover::receipt(std::size_t i) const {
  const ChannelStatus* const own = channel(i);
  if (own == nullptr) return {false, "it follows no server", 0};
  return judge_receipt(*own, seen_channel(i));
}

std::optional<BinlogScope> Takeover::scope_of_primary() const {
  if (primary_node().facts) return primary_node().facts->binlog_scope;
  const SeenNode* const seen = context.memory.find(primary_node().name);
  return seen == nullptr ? std::nullopt : seen->binlog_scope;
}

std::vector<std::string> Takeover::filters_of(std::size_t i) const {
  const ChannelStatus* const own = channel(i);
  return own == nullptr ? std::vector<std::string>() : lossy_filters(*own, scope_of_primary());
}

bool Takeover::is_downstream(std::size_t i) const {
  std::set<std::size_t> above = {i};
  for (bool found = true; found;) {
    found = false;
    for (const std::size_t node : std::set(above))
      for (std::size_t c = 0; c < nodes()[node].sources.size(); ++c)
        if (const auto source = nodes()[node].sources[c];
            source && nodes()[*source].facts &&
            holds_received(*source, nodes()[node].channels()[c]))
          found |= above.insert(*source).second;
  }
  return channel(i) == nullptr &&
         std::ranges::any_of(above, [this](std::size_t node) { return channel(node) != nullptr; });
}

// A server begins another file when it starts, and may have lost the end of the one before. Within
// a file, one of the two was only asked earlier.
bool Takeover::holds_received(std::size_t source, const ChannelStatus& channel) const {
  const auto& end = nodes()[source].facts->binlog;
  return channel.uses_gtid || (end && end->file == channel.read.file);
}

bool Takeover::is_detached(std::size_t i) const {
  return nodes()[i].facts && nodes()[i].facts->channels && channel(i) == nullptr &&
         !is_downstream(i);
}

bool Takeover::is_bystander(std::size_t i) const {
  const SeenNode* const seen = context.memory.find(nodes()[i].name);
  return seen != nullptr && context.memory.primary == primary_node().name && is_detached(i) &&
         std::ranges::all_of(seen->channels, &std::string::empty, &SeenChannel::source);
}

bool Takeover::forbids_incomparable(std::size_t i) const {
  return !policy.allow_loss && !is_bystander(i) && (is_detached(i) || has_limit());
}

bool Takeover::forbids_loss() const {
  const SeenNode* const seen = context.memory.find(primary_node().name);
  return !policy.allow_loss && (has_limit() || (seen != nullptr && seen->semi_sync.lossless()));
}

bool Takeover::numbers_transactions(std::size_t i) const {
  return !std::holds_alternative<std::monostate>(nodes()[i].facts->history);
}

bool Takeover::shows_by_gtid(std::size_t i) const {
  const SeenChannel* const seen = seen_channel(i);
  return numbers_transactions(i) && (seen == nullptr || seen->uses_gtid);
}

bool Takeover::follows_by_gtid(std::size_t i) const {
  const ChannelStatus* const own = channel(i);
  return own == nullptr ? numbers_transactions(i) : own->uses_gtid;
}

}  // namespace ha
