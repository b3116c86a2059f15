// SPDX-License-Identifier: MIT
#include "common/failover/received.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/cluster_history.h"

namespace ha {

namespace {

// True when others have received transactions that the node wrote itself. What they lack of those
// may be on the dead primary too: the others are behind, and to leave it out could lose it.
bool was_primary(const History& own, const History& others) {
  if (const auto* mine = std::get_if<MysqlHistory>(&own),
      *theirs = std::get_if<MysqlHistory>(&others);
      mine && theirs) {
    const GtidSet rest = subtract(mine->executed, unite(theirs->executed, theirs->retrieved));
    return rest.count() < mine->executed.count();
  }
  const auto *mine = std::get_if<MariadbHistory>(&own),
             *theirs = std::get_if<MariadbHistory>(&others);
  return mine && theirs &&
         std::ranges::any_of(mine->binlog_state.list(), [&](const MariadbGtid& gtid) {
           return theirs->binlog_state.last(gtid.domain, gtid.server).has_value();
         });
}

// The cluster's transactions that others wrote.
History others_part(const Takeover& t, std::size_t i) {
  const ServerFacts& facts = *t.nodes()[i].facts;
  History history = cluster_history(t.topology, t.context.memory, i);
  if (auto* mysql = std::get_if<MysqlHistory>(&history)) {
    for (GtidSet* part : {&mysql->executed, &mysql->retrieved})
      *part = subtract(*part, part->of_server(facts.server_uuid));
  } else if (auto* mariadb = std::get_if<MariadbHistory>(&history)) {
    MariadbHistory others{facts.server_id, {}};
    for (const MariadbGtids* part :
         {&mariadb->binlog_state, &mariadb->binlog_position, &mariadb->applied_position,
          &mariadb->current_position, &mariadb->received_position})
      for (const MariadbGtid& gtid : part->list())
        if (gtid.server != facts.server_id) others.binlog_state.add(gtid);
    return others;
  }
  return history;
}

// What all others have.
History all_but(const Takeover& t, std::size_t i) {
  History others;
  for (std::size_t j = 0; j < t.nodes().size(); ++j)
    if (j != i && t.nodes()[j].facts &&
        (others.index() == 0 || others.index() == t.nodes()[j].facts->history.index()))
      others = unite(others, t.nodes()[j].facts->history);
  return others;
}

bool has_applied_all(const Node& node) {
  return std::ranges::all_of(node.channels(), [](const ChannelStatus& channel) {
    return channel.executed == channel.read;
  });
}

}  // namespace

std::optional<Extra> ahead(const Takeover& t, std::size_t a, std::size_t b) {
  const auto by_gtid =
      extra(cluster_history(t.topology, t.context.memory, a), t.nodes()[b].facts->latest_history());
  const ChannelStatus *of_a = t.channel(a), *of_b = t.channel(b);
  const bool positions = of_a && of_b && !of_a->uses_gtid && !of_b->uses_gtid;
  if (!positions) return by_gtid;
  // By file and position the relay log holds what no GTID position tells.
  if (binlog_order(of_a->read) <= binlog_order(of_b->read)) return Extra{};
  return Extra{1, true, fmt::format("events up to {}:{}", of_a->read.file, of_a->read.offset)};
}

Extra errant(const Takeover& t, std::size_t i) {
  const History own = own_transactions(*t.nodes()[i].facts);
  if (const auto* mysql = std::get_if<MysqlHistory>(&own); mysql && mysql->executed.empty())
    return {};
  if (const auto* mariadb = std::get_if<MariadbHistory>(&own);
      mariadb && mariadb->binlog_state.empty())
    return {};
  History others = t.primary_node().facts ? t.primary_node().facts->latest_history() : History{};
  bool known = t.primary_node().facts.has_value();
  for (std::size_t j = 0; j < t.nodes().size(); ++j) {
    if (j == i || j == t.primary || (t.channel(j) == nullptr && !t.is_detached(j))) continue;
    if (others.index() != 0 && others.index() != t.nodes()[j].facts->history.index()) continue;
    others = unite(others, t.nodes()[j].facts->latest_history());
    known = true;
  }
  // One that has left replication got nothing of its own back from the dead primary.
  const bool excused = !t.primary_node().facts && !t.is_detached(i) && was_primary(own, others);
  if (!known || excused) return {};
  const auto more = extra(own, others);
  return more.value_or(Extra{});
}

Extra lost(const Takeover& t, std::size_t i) { return lost_own(t.nodes()[i], all_but(t, i)); }

std::optional<Extra> lead_of(const Takeover& t, const std::vector<std::size_t>& candidates,
                             std::size_t i, std::size_t other) {
  if (i == t.primary || i == other || !t.nodes()[i].facts ||
      std::ranges::find(candidates, i) != candidates.end())
    return Extra{};
  const bool by_gtid = t.follows_by_gtid(other);
  if (const ChannelStatus* const channel = t.channel(i)) {
    auto lead = ahead(t, i, other);
    const std::uint64_t own = channel->uses_gtid ? errant(t, i).count : 0;
    if (lead) lead->count -= std::min(own, lead->count);
    return lead;
  }
  if (t.is_downstream(i) && !by_gtid) return Extra{};
  const auto lead = extra(others_part(t, i), t.nodes()[other].facts->latest_history());
  // Without GTIDs the other one's relay log may hold it, or this one's more.
  if (lead && !by_gtid && (lead->any() || !has_applied_all(t.nodes()[i]))) return std::nullopt;
  return lead;
}

bool is_up_to_date(const Takeover& t, std::size_t i) {
  for (std::size_t j = 0; j < t.nodes().size(); ++j) {
    const ChannelStatus* const channel = t.channel(j);
    if (j == t.primary || channel == nullptr || !t.receipt(j).to_the_end) continue;
    if (j == i) return true;
    const auto more = channel->uses_gtid
                          ? extra(others_part(t, j), t.nodes()[i].facts->latest_history())
                          : ahead(t, j, i);
    if (more && !more->any()) return true;
  }
  return false;
}

SourceLoss loss_of_own(const Takeover& t, const Node& primary) {
  if (lost_own(primary, all_but(t, t.primary)).any()) return SourceLoss::kProven;
  SourceLoss worst = SourceLoss::kNone;
  for (const Node& node : t.nodes())
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (node.sources[c] == t.primary)
        worst = std::max(worst, loss_of_source(node.channels()[c], primary));
  return worst;
}

bool has_in_binlog(const ServerFacts& source, const History& receiver) {
  if (const auto* const mysql = std::get_if<MysqlHistory>(&source.history))
    return !extra(MysqlHistory{mysql->purged}, receiver).value_or(Extra{}).any();
  const auto* const sent = std::get_if<MariadbHistory>(&source.history);
  const auto* const begin = std::get_if<MariadbHistory>(&receiver);
  if (sent == nullptr || begin == nullptr || source.log_replica_updates != false) return true;
  // It finds the place where a replica begins only among what it wrote itself, unless it has none
  // of the domain.
  const auto& own = sent->binlog_state;
  return std::ranges::all_of(begin->current_position.list(), [&](const MariadbGtid& gtid) {
    return std::ranges::none_of(
               own.list(), [&](const MariadbGtid& one) { return one.domain == gtid.domain; }) ||
           own.last(gtid.domain, gtid.server).value_or(0) >= gtid.sequence;
  });
}

std::tuple<std::uint64_t, long long, std::int64_t> backlog(const Takeover& t, std::size_t i) {
  const ChannelStatus* const channel = t.channel(i);
  if (channel == nullptr) return {};
  if (channel->uses_gtid)
    return {unapplied(cluster_history(t.topology, t.context.memory, i)).value_or(0), 0, 0};
  const auto [file, offset] = binlog_order(channel->executed);
  return {0, -file, -static_cast<std::int64_t>(offset)};
}

}  // namespace ha
