// SPDX-License-Identifier: MIT
#include "common/failover/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/failover/candidates.h"
#include "common/failover/cluster_history.h"
#include "common/failover/completeness.h"
#include "common/failover/received.h"
#include "common/text.h"

namespace ha {

namespace {

// Smaller is better, among nodes that have received the same: first the node that lacks least, then
// one that can be followed, then the one that is ready soonest.
auto rank(const Decision& d, std::size_t i) {
  const ServerFacts& facts = *d.nodes()[i].facts;
  const auto version = std::tuple(facts.version.major, facts.version.minor, facts.version.patch);
  return std::tuple(!d.filters_of(i).empty(), !d.receipt(i).to_the_end,
                    facts.log_replica_updates != true, d.channel_delay(i) > 0, version,
                    follows_outside(d.nodes()[i]), backlog(d, i),
                    d.wish(i) != Promotion::kPreferred, i);
}

void refuse_incomparable(Decision& d, std::size_t a, std::size_t b, const Extra& of_a,
                         const Extra& of_b) {
  d.refuse(
      Refusal::kIncomparable,
      fmt::format(
          "{} and {} each have transactions that the other lacks: only {} has {}, only {} has {}",
          d.nodes()[a].name, d.nodes()[b].name, d.nodes()[a].name, of_a.text, d.nodes()[b].name,
          of_b.text));
}

// A node that has left replication, halfway to its promotion, and has all that the candidate has
// and more.
void prefer_detached(Decision& d) {
  for (std::size_t i = 0; i < d.nodes().size(); ++i) {
    if (i == d.primary || !may_stand_in(d, i) || !d.follows_by_gtid(d.candidate)) continue;
    const auto lead = lead_of(d, d.candidates, i, d.candidate), lack = ahead(d, d.candidate, i);
    if (!lead || !lead->any() || !lack || lack->any()) continue;
    d.reject(d.candidate,
             fmt::format("{} has received more transactions: {}", d.nodes()[i].name, lead->text));
    std::erase_if(d.plan.rejected,
                  [&](const Rejection& one) { return one.node == d.nodes()[i].name; });
    d.candidate = i;
    d.plan.spare.clear();
  }
}

// True when the candidate would fetch what a server outside the cluster sent, too.
bool brings_foreign(const Decision& d, std::size_t i) {
  if (!follows_outside(d.nodes()[i])) return false;
  const auto all =
      extra(d.nodes()[i].facts->latest_history(), d.candidate_node().facts->latest_history());
  return !all || all->count > ahead(d, i, d.candidate).value_or(Extra{}).count;
}

bool can_hand_on(const Decision& d, std::size_t i) {
  if (d.is_stuck(i)) return false;
  const ChannelStatus *own = d.channel(i), *of_candidate = d.channel(d.candidate);
  const ServerFacts& facts = *d.nodes()[i].facts;
  if (of_candidate == nullptr || !of_candidate->uses_gtid || errant(d, i).any() ||
      facts.log_replica_updates != true || !d.filters_of(i).empty())
    return false;
  if (own == nullptr ? unapplied(facts.history) != 0u : own->sql.error_number != 0) return false;
  return !brings_foreign(d, i) && has_in_binlog(facts, d.candidate_node().facts->latest_history());
}

void leave_behind(Decision& d, std::size_t i, const Extra& lead) {
  d.known_loss = std::max(d.known_loss, lead.count);
  d.left_behind.insert(i);
  if (d.is_stuck(i) && !d.policy.allow_loss)
    return d.refuse(
        Refusal::kTooMuchLoss,
        fmt::format("{} has received {} transactions that {} lacks, and cannot apply them: {}. "
                    "End what it waits for and run this again. To give these transactions up, run: "
                    "mysql_ha failover --allow-loss",
                    d.nodes()[i].name, lead.count, d.candidate_node().name,
                    d.context.stuck.at(d.nodes()[i].name)));
  if (d.channel(i) == nullptr && !d.policy.allow_loss)
    return d.refuse(Refusal::kTooMuchLoss,
                    fmt::format("{} has transactions that {} lacks and cannot fetch: {}. To give "
                                "these transactions up, run: mysql_ha failover --allow-loss",
                                d.nodes()[i].name, d.candidate_node().name, lead.text));
  d.warn(fmt::format("{} has received more transactions and cannot hand them on: {}",
                     d.nodes()[i].name, lead.text));
}

// Nothing tells whether a node that can be read has received more.
void judge_incomparable(Decision& d, std::size_t i) {
  const std::string text =
      fmt::format("{0} cannot be compared with {1}: {0} may have received more transactions",
                  d.nodes()[i].name, d.candidate_node().name);
  if (d.is_bystander(i)) {
    d.warn(fmt::format("{} was no replica when {} was last seen and is not compared",
                       d.nodes()[i].name, d.plan.primary));
    return;
  }
  if (d.forbids_incomparable(i))
    return d.refuse(Refusal::kIncomparable,
                    text + ". To promote without that node, run: mysql_ha failover --allow-loss");
  d.warn(text);
  d.unknown.push_back(d.nodes()[i].name + " may have received more transactions");
}

// A node that is no candidate may have received more; the candidate can fetch it by GTID.
void judge_nodes_with_more(Decision& d) {
  for (std::size_t i = 0; i < d.nodes().size(); ++i)
    if (lead_of(d, d.candidates, i, d.candidate).value_or(Extra{}).any() && can_hand_on(d, i) &&
        (!d.ahead || ahead(d, i, *d.ahead).value_or(Extra{}).any()))
      d.ahead = i;
  if (d.ahead && d.is_detached(*d.ahead))
    d.warn(fmt::format("{0} follows no server; run later: mysql_ha rejoin {0}",
                       d.nodes()[*d.ahead].name));
  for (std::size_t i = 0; i < d.nodes().size() && !d.refused(); ++i)
    if (const auto lead = lead_of(d, d.candidates, i, d.ahead.value_or(d.candidate)); !lead)
      judge_incomparable(d, i);
    else if (lead->any())
      leave_behind(d, i, *lead);
}

}  // namespace

bool ranks_before(const Decision& d, std::size_t a, std::size_t b) {
  return rank(d, a) < rank(d, b);
}

void describe_candidate(Decision& d) {
  const Node& node = d.candidate_node();
  if (d.channel_delay(d.candidate) > 0)
    d.warn(fmt::format("{} applies with a delay of {}, which the failover removes", node.name,
                       format_duration(d.channel_delay(d.candidate))));
  for (const std::string& filter : d.filters_of(d.candidate))
    d.warn(fmt::format("{} has a filter, so it may lack tables: {}", node.name, sanitize(filter)));
  if (const auto scope = d.scope_of_primary())
    if (std::string text = describe_unlogged(d.plan.primary, *scope); !text.empty())
      d.warn(std::move(text));
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    if (!node.sources[c])
      d.warn(
          fmt::format("{} also replicates from {}, outside the cluster: it keeps that channel as "
                      "the primary, and the other nodes receive its transactions too",
                      node.name, sanitize(node.channels()[c].source())));
  if (node.facts->log_replica_updates == false && d.nodes().size() > 2)
    d.warn(
        fmt::format("{} does not log its source's transactions, so no other replica can fetch from "
                    "it the transactions that it lacks",
                    node.name));
}

// Goes up from candidate to candidate, each containing all before it; where that fails, refuses.
void choose(Decision& d) {
  d.candidate = d.candidates[0];
  for (const std::size_t i : d.candidates) {
    if (i == d.candidate) continue;
    const auto more = ahead(d, i, d.candidate), less = ahead(d, d.candidate, i);
    if (!more || !less)
      return d.refuse(Refusal::kIncomparable,
                      fmt::format("the histories of {} and {} cannot be compared",
                                  d.candidate_node().name, d.nodes()[i].name));
    if (more->any() && less->any()) return refuse_incomparable(d, d.candidate, i, *less, *more);
    if (more->any() || (!less->any() && ranks_before(d, i, d.candidate))) d.candidate = i;
  }
  for (const std::size_t i : d.candidates) {
    if (i == d.candidate) continue;
    const Extra lead = *ahead(d, d.candidate, i);
    d.reject(i, lead.any() ? fmt::format("{} has received more transactions: {}",
                                         d.candidate_node().name, lead.text)
                           : fmt::format("{} has received as much and is preferred",
                                         d.candidate_node().name));
    if (!lead.any() && d.plan.spare.empty()) d.plan.spare = d.nodes()[i].name;
  }
  prefer_detached(d);
  judge_nodes_with_more(d);
  describe_candidate(d);
}

void compare_versions(Decision& d) {
  const auto release = [&](std::size_t i) {
    const Version& version = d.nodes()[i].facts->version;
    return std::tuple(version.major, version.minor);
  };
  for (std::size_t i = 0; i < d.nodes().size(); ++i) {
    if (i == d.candidate || d.channel(i) == nullptr ||
        d.nodes()[i].facts->version.flavour != d.candidate_node().facts->version.flavour ||
        release(i) >= release(d.candidate))
      continue;
    const auto text = [&](std::size_t n) {
      const Version& version = d.nodes()[n].facts->version;
      return fmt::format("{} ({}.{})", d.nodes()[n].name, version.major, version.minor);
    };
    d.warn(
        fmt::format("{0} is newer than {1}: replication to {1} may stop at the first event that "
                    "{1} does not know. Upgrade it too, or set never = {2}",
                    text(d.candidate), text(i), d.candidate_node().name));
  }
}

}  // namespace ha
