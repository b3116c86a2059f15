// SPDX-License-Identifier: MIT
#include "common/failover/candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/known_primary.h"
#include "common/failover/received.h"
#include "common/text.h"

namespace ha {

namespace {

std::string describe_error(const ChannelStatus& channel) {
  return fmt::format("its SQL thread has failed with error {}: {}", channel.sql.error_number,
                     shorten(sanitize(channel.sql.error), 200));
}

// Why a node can never be promoted, empty when it can.
std::string obstacle(const Decision& d, std::size_t i) {
  const Node& node = d.nodes()[i];
  if (!node.facts) return "cannot be read: " + node.error;
  if (!node.facts->channels) return "its replication could not be read";
  const ChannelStatus* const channel = d.channel(i);
  if (channel == nullptr) {
    const ChannelStatus* const other = channel_to_stranger(node);
    return fmt::format("does not follow {}{}", d.plan.primary,
                       other == nullptr ? ""
                                        : fmt::format(" but {}, which is none of the nodes",
                                                      sanitize(other->source())));
  }
  if (channel->sql.error_number != 0) return describe_error(*channel);
  if (node.facts->log_bin == false) return "writes no binlog, so no server could follow it";
  if (node.facts->obstacles.any()) return "would take no writes: " + node.facts->obstacles.text();
  if (!knows_binlog(node, *channel)) return why_unknown_binlog(node);
  if (d.wish(i) == Promotion::kNever) return "must not be promoted (policy)";
  if (d.is_stuck(i))
    return "could not be promoted in the last try: " + d.context.stuck.at(node.name);
  return "";
}

// Where no replica can be promoted, one that was a replica when it was last seen can.
void collect_detached(Decision& d) {
  for (std::size_t i = 0; i < d.nodes().size(); ++i) {
    if (i == d.primary || !may_stand_in(d, i)) continue;
    const auto rejected = std::ranges::find(d.plan.rejected, d.nodes()[i].name, &Rejection::node);
    if (d.seen_channel(i) == nullptr && !d.policy.allow_loss) {
      rejected->reason +=
          ", and its transactions are not known; to promote it all the same, run: mysql_ha "
          "failover "
          "--allow-loss";
      continue;
    }
    d.plan.rejected.erase(rejected);
    d.candidates.push_back(i);
  }
}

// A node between the primary and the replicas is dead as well: these can take its place, and what
// they lack of the primary's transactions is lost.
std::string find_broken_chain(const Decision& d) {
  for (const Node& node : d.nodes())
    for (const auto& source : node.sources) {
      if (!source || *source == d.primary || !d.nodes()[*source].silent() ||
          !d.primary_node().silent())
        continue;
      return fmt::format(
          ". {0} follows {1}, which does not answer either. If {2} is fenced, or certainly takes "
          "no writes, run: mysql_ha failover --assume-replica {2}",
          node.name, d.nodes()[*source].name, d.plan.primary);
    }
  return "";
}

}  // namespace

bool knows_binlog(const Node& node, const ChannelStatus& channel) {
  return channel.uses_gtid || node.facts->binlog;
}

std::string why_unknown_binlog(const Node& node) {
  return "the end of its binlog cannot be read: " + join(node.facts->notes, "; ");
}

bool may_stand_in(const Takeover& t, std::size_t i) {
  return t.is_detached(i) && t.nodes()[i].channels().empty() && t.wish(i) != Promotion::kNever &&
         t.nodes()[i].facts->log_bin != false && (t.shows_by_gtid(i) || t.policy.allow_loss) &&
         !errant(t, i).any();
}

void collect_candidates(Decision& d) {
  std::vector<std::pair<std::size_t, std::string>> errants;
  for (std::size_t i = 0; i < d.nodes().size(); ++i) {
    if (i == d.primary) continue;
    if (const std::string why = obstacle(d, i); !why.empty()) {
      d.reject(i, why);
      continue;
    }
    const Extra own = errant(d, i);
    if (own.any())
      errants.emplace_back(i, "has errant transactions: " + own.text);
    else if (const Extra gone = lost(d, i); gone.any())
      errants.emplace_back(i, describe_lost(d.nodes()[i].name, gone, "another node"));
    else
      d.candidates.push_back(i);
  }
  if (d.candidates.empty() && d.plan.command == PlanCommand::kFailover) collect_detached(d);
  const bool only_errants = d.candidates.empty();
  for (const auto& [i, why] : errants) {
    if (!only_errants) {
      d.reject(i, why);
      continue;
    }
    d.candidates.push_back(i);
    d.warn(d.nodes()[i].name + " " + why);
  }
  d.plan.candidates = d.candidates.size();
  if (d.candidates.empty())
    d.refuse(Refusal::kNoCandidate,
             "no node can be promoted in place of " + d.plan.primary + find_broken_chain(d));
}

}  // namespace ha
