// SPDX-License-Identifier: MIT
#include "common/failover/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/address.h"
#include "common/failover/cluster_history.h"
#include "common/failover/completeness.h"
#include "common/failover/forecast.h"
#include "common/failover/plan_roles.h"
#include "common/failover/plan_steps.h"
#include "common/failover/receipt.h"
#include "common/failover/unread.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kMostPlannedLag_s = 10;

class Planner {
 public:
  // `living`: the primary as it is now, while a failover is forecast on a view without it; null:
  // what is known of it stands in the topology.
  Planner(const Topology& topology, const Policy& policy, const Circumstances& moment,
          const Node* living = nullptr)
      : nodes_(topology.nodes),
        topology_(topology),
        policy_(policy),
        moment_(moment),
        living_(living) {}

  // All that stands in the way is named at once, as far as it can be judged.
  Plan failover(std::string_view primary_name) {
    find_primary(primary_name);
    if (!refused()) judge_primary();
    if (plan_.refusal == Refusal::kUnknownPrimary || plan_.refusal == Refusal::kPrimaryAlive)
      return std::move(plan_);
    judge_moment();
    const std::size_t before = plan_.further.size() + refused();
    const auto goes_on = [&] { return plan_.further.size() + refused() == before; };
    collect_candidates();
    if (goes_on()) choose();
    if (goes_on()) plan_.candidate = nodes_[candidate_].name;
    if (goes_on()) judge_unread();
    if (goes_on()) compare_versions();
    if (goes_on()) forecast_loss();
    judge_fence();
    judge_vouched();
    if (!refused()) {
      StepWriter(topology_, policy_, moment_, {primary_, candidate_, ahead_, left_behind_}, plan_)
          .write_failover();
      plan_.hash = hash_of(plan_, topology_);
    }
    return std::move(plan_);
  }

  Plan switchover(std::string_view to) {
    plan_.command = "switchover";
    find_writer();
    if (!refused() && !moment_.lock_holder.empty())
      refuse(Refusal::kLocked, "another run holds the lock: " + moment_.lock_holder);
    if (!refused()) collect_candidates();
    if (!refused()) choose_successor(to);
    if (!refused()) judge_successor();
    if (!refused()) {
      plan_.candidate = nodes_[candidate_].name;
      StepWriter(topology_, policy_, moment_, {primary_, candidate_}, plan_).write_switchover();
      plan_.hash = hash_of(plan_, topology_);
    }
    return std::move(plan_);
  }

 private:
  bool refused() const { return !plan_.possible(); }

  void refuse(Refusal refusal, std::string reason) {
    if (refused()) {
      plan_.further.push_back({refusal, std::move(reason)});
      return;
    }
    plan_.refusal = refusal;
    plan_.reason = std::move(reason);
  }

  void reject(std::size_t i, std::string reason) {
    plan_.rejected.push_back({nodes_[i].name, std::move(reason)});
  }

  // The node that was named, else the one that all replicas follow, else the one that was last seen
  // as the primary.
  void find_primary(std::string_view name) {
    if (name.empty()) name = policy_.primary;
    std::set<std::size_t> followed;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].name == name) primary_ = i;
      if (name.empty() && !nodes_[i].writable())
        for (const auto& source : nodes_[i].sources)
          if (source && nodes_[*source].channels().empty())
            followed.insert(find_root(topology_, policy_, moment_, *source));
    }
    if (name.empty() && followed.empty()) primary_ = find_remembered_primary();
    if (name.empty() && followed.size() == 1) primary_ = *followed.begin();
    if (primary_ < nodes_.size()) {
      plan_.primary = nodes_[primary_].name;
      return;
    }
    std::vector<std::string> names;
    for (const std::size_t i : followed) names.push_back(nodes_[i].name);
    refuse(Refusal::kUnknownPrimary,
           !name.empty()      ? fmt::format("no node is called '{}'", sanitize(name))
           : followed.empty() ? why_unknown()
                              : fmt::format("replicas follow different primaries: {}. Name the one "
                                            "that was it, run: mysql_ha failover --primary NODE",
                                            join(names, ", ")));
  }

  // A node that answers can tell itself what it is.
  std::size_t find_remembered_primary() const {
    const auto seen = std::ranges::find(nodes_, moment_.memory.primary, &Node::name);
    const bool answers = seen != nodes_.end() && seen->facts;
    return static_cast<std::size_t>((answers ? nodes_.end() : seen) - nodes_.begin());
  }

  // A source that no node is known by.
  static const ChannelStatus* channel_to_stranger(const Node& node) {
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (!node.sources[c]) return &node.channels()[c];
    return nullptr;
  }

  std::string why_unknown() const {
    std::string text = "no replica tells which node the primary is";
    if (const auto writers = topology_.writers(); writers.size() == 1)
      return fmt::format("{}: {} accepts writes and no node that answers follows it", text,
                         nodes_[writers[0]].name);
    for (const Node& node : nodes_)
      if (const ChannelStatus* const channel = channel_to_stranger(node))
        return fmt::format(
            "{0}: {1} follows {2}, which is none of the nodes. When that is NODE: node=NODE=HOST"
            "[:PORT],alias={2}, or, for once, run: mysql_ha failover --primary NODE",
            text, node.name,
            sanitize(format_host_port({channel->source_host, channel->source_port})));
    return text;
  }

  void judge_primary() {
    // A replica that missed the last change still follows the primary before that.
    const auto last = std::ranges::find(nodes_, moment_.last_primary, &Node::name);
    if (last != nodes_.end() && last->name != plan_.primary && !last->facts)
      return refuse(
          Refusal::kUnknownPrimary,
          fmt::format("replicas follow {}, but run {} made {} the primary, which cannot be "
                      "asked: {}. If it is none any more: mysql_ha journal ack {}",
                      plan_.primary, moment_.last_run, last->name, last->error, moment_.last_run));
    for (Objection& one : object_to_takeover(topology_, policy_, moment_, primary_)) {
      const bool receives = one.refusal == Refusal::kStillReceives;
      if (receives && counts_as_hung())
        plan_.hung = true;
      else
        refuse(one.refusal, std::move(one.reason) + (receives ? why_not_hung() : ""));
    }
  }

  bool may_be_replaced_when_hung() const {
    return policy_.fence == Fence::kRequired && !policy_.fence_command.empty();
  }

  // Heartbeats come from a primary that does nothing else, and from its kernel connections stay.
  bool counts_as_hung() const {
    return moment_.primary_hung_s && *moment_.primary_hung_s >= policy_.hung_after_s &&
           may_be_replaced_when_hung();
  }

  std::string why_not_hung() const {
    if (!moment_.primary_hung_s) return "";
    if (!may_be_replaced_when_hung())
      return ". A primary that hangs is replaced only with --fence required and a --fence-command";
    return fmt::format(", and it has answered no query for {} only, less than --hung-after {}",
                       format_duration(*moment_.primary_hung_s),
                       format_duration(policy_.hung_after_s));
  }

  void judge_moment() {
    if (!moment_.lock_holder.empty())
      refuse(Refusal::kLocked, "another run holds the lock: " + moment_.lock_holder);
    if (moment_.last_failover_age_s && *moment_.last_failover_age_s < policy_.min_interval_s)
      refuse(Refusal::kTooSoon,
             fmt::format("the last failover was {} ago, less than {}, and is not acknowledged",
                         format_duration(*moment_.last_failover_age_s),
                         format_duration(policy_.min_interval_s)));
    if (!moment_.undated_run.empty())
      plan_.reservations.push_back(
          fmt::format("how long ago the last failover was is not known, the clock was set back "
                      "since: --min-interval does not hold; run: mysql_ha journal ack {}",
                      moment_.undated_run));
  }

  const ChannelStatus* channel_to_primary(std::size_t i) const {
    for (std::size_t c = 0; c < nodes_[i].sources.size(); ++c)
      if (nodes_[i].sources[c] == primary_) return &nodes_[i].channels()[c];
    return nullptr;
  }

  Promotion wish(std::size_t i) const {
    const auto found = policy_.promotion.find(nodes_[i].name);
    return found == policy_.promotion.end() ? Promotion::kAllowed : found->second;
  }

  // Why a node can never be promoted, empty when it can.
  std::string obstacle(std::size_t i) const {
    const Node& node = nodes_[i];
    if (!node.facts) return "no facts: " + node.error;
    if (!node.facts->channels) return "its replication could not be read";
    const ChannelStatus* const channel = channel_to_primary(i);
    if (channel == nullptr) {
      const ChannelStatus* const other = channel_to_stranger(node);
      return fmt::format("does not follow {}{}", plan_.primary,
                         other == nullptr ? ""
                                          : fmt::format(" but {}, which is none of the nodes",
                                                        sanitize(other->source())));
    }
    if (channel->sql.error_number != 0) return describe_error(*channel);
    if (node.facts->log_bin == false) return "writes no binlog, so nobody could follow it";
    if (node.facts->obstacles.any()) return "would take no writes: " + node.facts->obstacles.text();
    if (!knows_binlog(node, *channel)) return why_unknown_binlog(node);
    if (wish(i) == Promotion::kNever) return "must not be promoted (policy)";
    if (is_stuck(i)) return "has just held a try up: " + moment_.stuck.at(node.name);
    return "";
  }

  // Without GTIDs the others follow by a position in a node's binlog.
  static bool knows_binlog(const Node& node, const ChannelStatus& channel) {
    return channel.uses_gtid || node.facts->binlog;
  }

  static std::string why_unknown_binlog(const Node& node) {
    return "the end of its binlog cannot be read: " + join(node.facts->notes, "; ");
  }

  static std::string describe_error(const ChannelStatus& channel) {
    return fmt::format("its SQL thread has failed with error {}: {}", channel.sql.error_number,
                       shorten(sanitize(channel.sql.error), 200));
  }

  // What was last seen of a node's channel to the primary; null: nothing.
  const SeenChannel* seen_channel(std::size_t i) const {
    const SeenNode* const seen = moment_.memory.find(nodes_[i].name);
    if (seen == nullptr) return nullptr;
    const auto found = std::ranges::find(seen->channels, plan_.primary, &SeenChannel::source);
    return found == seen->channels.end() ? nullptr : &*found;
  }

  Receipt receipt(std::size_t i) const {
    const ChannelStatus* const channel = channel_to_primary(i);
    if (channel == nullptr) return {false, "it follows no server", 0};
    return judge_receipt(*channel, seen_channel(i));
  }

  // What the primary writes into its binlog, or did when it was last seen.
  std::optional<BinlogScope> scope_of_primary() const {
    if (nodes_[primary_].facts) return nodes_[primary_].facts->binlog_scope;
    const SeenNode* const seen = moment_.memory.find(plan_.primary);
    return seen == nullptr ? std::nullopt : seen->binlog_scope;
  }

  std::vector<std::string> filters_of(std::size_t i) const {
    const ChannelStatus* const channel = channel_to_primary(i);
    return channel == nullptr ? std::vector<std::string>()
                              : lossy_filters(*channel, scope_of_primary());
  }

  // True when a node receives from one that can be read what that has from the primary, at any
  // distance, and so has no more.
  bool is_downstream(std::size_t i) const {
    std::set<std::size_t> above = {i};
    for (bool found = true; found;) {
      found = false;
      for (const std::size_t node : std::set(above))
        for (const auto& source : nodes_[node].sources)
          if (source && nodes_[*source].facts) found |= above.insert(*source).second;
    }
    return channel_to_primary(i) == nullptr && std::ranges::any_of(above, [this](std::size_t node) {
             return channel_to_primary(node) != nullptr;
           });
  }

  // True when the node has left replication, so that no position tells what it has.
  bool is_detached(std::size_t i) const {
    return nodes_[i].facts && nodes_[i].facts->channels && channel_to_primary(i) == nullptr &&
           !is_downstream(i);
  }

  // Returns what `a` has received of the cluster's transactions and `b` has not; nullopt when
  // nothing tells.
  std::optional<Extra> ahead(std::size_t a, std::size_t b) const {
    const auto by_gtid =
        extra(cluster_history(topology_, moment_.memory, a), nodes_[b].facts->latest_history());
    const ChannelStatus *of_a = channel_to_primary(a), *of_b = channel_to_primary(b);
    const bool positions = of_a && of_b && !of_a->uses_gtid && !of_b->uses_gtid;
    if (!positions) return by_gtid;
    // By file and position the relay log holds what no GTID position tells.
    if (binlog_order(of_a->read) <= binlog_order(of_b->read)) return Extra{};
    return Extra{1, true, fmt::format("events up to {}:{}", of_a->read.file, of_a->read.offset)};
  }

  // What a node wrote itself and nobody else has, nor the primary as far as it can be read.
  Extra errant(std::size_t i) const {
    const History own = own_part(i);
    if (const auto* mysql = std::get_if<MysqlHistory>(&own); mysql && mysql->executed.empty())
      return {};
    if (const auto* mariadb = std::get_if<MariadbHistory>(&own);
        mariadb && mariadb->binlog_state.empty())
      return {};
    History others = nodes_[primary_].facts ? nodes_[primary_].facts->latest_history() : History{};
    bool known = nodes_[primary_].facts.has_value();
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      if (j == i || j == primary_ || (channel_to_primary(j) == nullptr && !is_detached(j)))
        continue;
      if (others.index() != 0 && others.index() != nodes_[j].facts->history.index()) continue;
      others = unite(others, nodes_[j].facts->latest_history());
      known = true;
    }
    // One that has left replication got nothing of its own back from the dead primary.
    const bool excused = !nodes_[primary_].facts && !is_detached(i) && was_primary(own, others);
    if (!known || excused) return {};
    const auto more = extra(own, others);
    return more.value_or(Extra{});
  }

  // True when others have received transactions that the node wrote itself. What they lack of those
  // may be on the dead primary too: the others are behind, and to leave it out could lose it.
  static bool was_primary(const History& own, const History& others) {
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

  // The transactions that bear the node's own identity.
  History own_part(std::size_t i) const {
    const ServerFacts& facts = *nodes_[i].facts;
    if (const auto* mysql = std::get_if<MysqlHistory>(&facts.history))
      return MysqlHistory{mysql->executed.of_server(facts.server_uuid)};
    if (const auto* mariadb = std::get_if<MariadbHistory>(&facts.history)) {
      MariadbHistory own{facts.server_id, {}};
      for (const MariadbGtid& gtid : mariadb->binlog_state.list())
        if (gtid.server == facts.server_id) own.binlog_state.add(gtid);
      return own;
    }
    return {};
  }

  // The cluster's transactions that others wrote.
  History others_part(std::size_t i) const {
    const ServerFacts& facts = *nodes_[i].facts;
    History history = cluster_history(topology_, moment_.memory, i);
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

  bool numbers_transactions(std::size_t i) const {
    return !std::holds_alternative<std::monostate>(nodes_[i].facts->history);
  }

  // True when GTIDs tell what a node that has left replication had received.
  bool shows_by_gtid(std::size_t i) const {
    const SeenChannel* const seen = seen_channel(i);
    return numbers_transactions(i) && (seen == nullptr || seen->uses_gtid);
  }

  // True when a node that has left replication can be promoted all the same: another manager, or a
  // person, has begun to.
  bool may_stand_in(std::size_t i) const {
    return is_detached(i) && nodes_[i].channels().empty() && wish(i) != Promotion::kNever &&
           nodes_[i].facts->log_bin != false && (shows_by_gtid(i) || policy_.allow_loss) &&
           !errant(i).any();
  }

  // Where no replica can be promoted, one that was a replica when it was last seen can.
  void collect_detached() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i == primary_ || !may_stand_in(i)) continue;
      const auto rejected = std::ranges::find(plan_.rejected, nodes_[i].name, &Rejection::node);
      if (seen_channel(i) == nullptr && !policy_.allow_loss) {
        rejected->reason +=
            ", and it is not known what it has; to promote it all the same, run: mysql_ha failover "
            "--allow-loss";
        continue;
      }
      plan_.rejected.erase(rejected);
      candidates_.push_back(i);
    }
  }

  // What all others have.
  History all_but(std::size_t i) const {
    History others;
    for (std::size_t j = 0; j < nodes_.size(); ++j)
      if (j != i && nodes_[j].facts &&
          (others.index() == 0 || others.index() == nodes_[j].facts->history.index()))
        others = unite(others, nodes_[j].facts->history);
    return others;
  }

  // What others have of a node's own transactions and it has lost: it is incomplete for good.
  Extra lost(std::size_t i) const { return lost_own(nodes_[i], all_but(i)); }

  void collect_candidates() {
    std::vector<std::pair<std::size_t, std::string>> errants;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i == primary_) continue;
      if (const std::string why = obstacle(i); !why.empty()) {
        reject(i, why);
        continue;
      }
      const Extra own = errant(i);
      if (own.any())
        errants.emplace_back(i, "has errant transactions: " + own.text);
      else if (const Extra gone = lost(i); gone.any())
        errants.emplace_back(i, describe_lost(nodes_[i].name, gone, "another node"));
      else
        candidates_.push_back(i);
    }
    if (candidates_.empty() && plan_.command == "failover") collect_detached();
    const bool only_errants = candidates_.empty();
    for (const auto& [i, why] : errants) {
      if (!only_errants) {
        reject(i, why);
        continue;
      }
      candidates_.push_back(i);
      plan_.reservations.push_back(nodes_[i].name + " " + why);
    }
    plan_.candidates = candidates_.size();
    if (candidates_.empty())
      refuse(Refusal::kNoCandidate,
             "no node can be promoted in place of " + plan_.primary + find_broken_chain());
  }

  // A node between the primary and the replicas is dead as well: these can take its place, and what
  // they lack of the primary's transactions is lost.
  std::string find_broken_chain() const {
    for (const Node& node : nodes_)
      for (const auto& source : node.sources) {
        if (!source || *source == primary_ || !nodes_[*source].silent() ||
            !nodes_[primary_].silent())
          continue;
        return fmt::format(
            ". {0} follows {1}, which does not answer either: when {2} is fenced or takes no "
            "writes for sure, run: mysql_ha failover --assume-replica {2}",
            node.name, nodes_[*source].name, plan_.primary);
      }
    return "";
  }

  void refuse_incomparable(std::size_t a, std::size_t b, const Extra& of_a, const Extra& of_b) {
    refuse(Refusal::kIncomparable,
           fmt::format("{} and {} each have what the other lacks: only {} has {}, only {} has {}",
                       nodes_[a].name, nodes_[b].name, nodes_[a].name, of_a.text, nodes_[b].name,
                       of_b.text));
  }

  // Smaller is better, among nodes that have received the same: first who lacks least, then who can
  // be followed, then who is ready soonest.
  auto rank(std::size_t i) const {
    const ServerFacts& facts = *nodes_[i].facts;
    const auto version = std::tuple(facts.version.major, facts.version.minor, facts.version.patch);
    return std::tuple(!filters_of(i).empty(), !receipt(i).to_the_end,
                      facts.log_replica_updates != true, channel_delay(i) > 0, version,
                      follows_outside(nodes_[i]), backlog(i), wish(i) != Promotion::kPreferred, i);
  }

  double channel_delay(std::size_t i) const {
    const ChannelStatus* const channel = channel_to_primary(i);
    return channel == nullptr ? 0 : channel->sql_delay_s;
  }

  // What a node has yet to apply of what it has received. Without GTIDs, of nodes that have
  // received the same, the one that has executed furthest has the least.
  std::tuple<std::uint64_t, long long, std::int64_t> backlog(std::size_t i) const {
    const ChannelStatus* const channel = channel_to_primary(i);
    if (channel == nullptr) return {};
    if (channel->uses_gtid)
      return {unapplied(cluster_history(topology_, moment_.memory, i)).value_or(0), 0, 0};
    const auto [file, offset] = binlog_order(channel->executed);
    return {0, -file, -static_cast<std::int64_t>(offset)};
  }

  // Goes up from candidate to candidate, each containing all before it; where that fails, refuses.
  void choose() {
    candidate_ = candidates_[0];
    for (const std::size_t i : candidates_) {
      if (i == candidate_) continue;
      const auto more = ahead(i, candidate_), less = ahead(candidate_, i);
      if (!more || !less)
        return refuse(Refusal::kIncomparable,
                      fmt::format("the histories of {} and {} cannot be compared",
                                  nodes_[candidate_].name, nodes_[i].name));
      if (more->any() && less->any()) return refuse_incomparable(candidate_, i, *less, *more);
      if (more->any() || (!less->any() && rank(i) < rank(candidate_))) candidate_ = i;
    }
    for (const std::size_t i : candidates_) {
      if (i == candidate_) continue;
      const Extra lead = *ahead(candidate_, i);
      reject(i, lead.any()
                    ? fmt::format("{} has received more: {}", nodes_[candidate_].name, lead.text)
                    : fmt::format("{} is as far and preferred", nodes_[candidate_].name));
      if (!lead.any() && plan_.spare.empty()) plan_.spare = nodes_[i].name;
    }
    prefer_detached();
    look_for_more();
    describe_candidate();
  }

  // A node that has left replication, halfway to its promotion, and has all that the candidate has
  // and more.
  void prefer_detached() {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i == primary_ || !may_stand_in(i) || !follows_by_gtid(candidate_)) continue;
      const auto lead = lead_of(i, candidate_), lack = ahead(candidate_, i);
      if (!lead || !lead->any() || !lack || lack->any()) continue;
      reject(candidate_, fmt::format("{} has received more: {}", nodes_[i].name, lead->text));
      std::erase_if(plan_.rejected,
                    [&](const Rejection& one) { return one.node == nodes_[i].name; });
      candidate_ = i;
      plan_.spare.clear();
    }
  }

  bool follows_by_gtid(std::size_t i) const {
    const ChannelStatus* const channel = channel_to_primary(i);
    return channel == nullptr ? numbers_transactions(i) : channel->uses_gtid;
  }

  // A node that is no candidate may have received more; the candidate can fetch it by GTID.
  void look_for_more() {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (lead_of(i, candidate_).value_or(Extra{}).any() && can_hand_on(i) &&
          (!ahead_ || ahead(i, *ahead_).value_or(Extra{}).any()))
        ahead_ = i;
    if (ahead_ && is_detached(*ahead_))
      plan_.reservations.push_back(fmt::format(
          "{0} follows no server; run later: mysql_ha rejoin {0}", nodes_[*ahead_].name));
    for (std::size_t i = 0; i < nodes_.size() && !refused(); ++i)
      if (const auto lead = lead_of(i, ahead_.value_or(candidate_)); !lead)
        judge_incomparable(i);
      else if (lead->any())
        leave_behind(i, *lead);
  }

  void leave_behind(std::size_t i, const Extra& lead) {
    known_loss_ = std::max(known_loss_, lead.count);
    left_behind_.insert(i);
    if (is_stuck(i) && !policy_.allow_loss)
      return refuse(
          Refusal::kTooMuchLoss,
          fmt::format("{} has received {} transactions that {} lacks, and cannot apply them: {}. "
                      "End what it waits for and run this again, or, to give them up, "
                      "run: mysql_ha failover --allow-loss",
                      nodes_[i].name, lead.count, nodes_[candidate_].name,
                      moment_.stuck.at(nodes_[i].name)));
    if (channel_to_primary(i) == nullptr && !policy_.allow_loss)
      return refuse(
          Refusal::kTooMuchLoss,
          fmt::format("{} has transactions that {} lacks and cannot fetch: {}. To give them up, "
                      "run: mysql_ha failover --allow-loss",
                      nodes_[i].name, nodes_[candidate_].name, lead.text));
    plan_.reservations.push_back(
        fmt::format("{} has received more and cannot hand it on: {}", nodes_[i].name, lead.text));
  }

  // Nothing tells whether a node that can be read has received more.
  void judge_incomparable(std::size_t i) {
    const std::string text = fmt::format("{} cannot be compared with {}, it may have received more",
                                         nodes_[i].name, nodes_[candidate_].name);
    const SeenNode* const seen = moment_.memory.find(nodes_[i].name);
    const bool bystander =
        seen != nullptr && moment_.memory.primary == plan_.primary &&
        std::ranges::all_of(seen->channels, &std::string::empty, &SeenChannel::source);
    if (bystander && is_detached(i)) {
      plan_.reservations.push_back(
          fmt::format("{} was no replica when {} was last seen and is not compared", nodes_[i].name,
                      plan_.primary));
      return;
    }
    if (!policy_.allow_loss && (is_detached(i) || has_limit()))
      return refuse(Refusal::kIncomparable,
                    text + ". To promote without it, run: mysql_ha failover --allow-loss");
    plan_.reservations.push_back(text);
    unknown_.push_back(nodes_[i].name + " may have received more");
  }

  bool has_limit() const { return policy_.max_lost_transactions || policy_.max_lag_s; }

  bool is_stuck(std::size_t i) const { return moment_.stuck.contains(nodes_[i].name); }

  bool can_hand_on(std::size_t i) const {
    if (is_stuck(i)) return false;
    const ChannelStatus *own = channel_to_primary(i),
                        *of_candidate = channel_to_primary(candidate_);
    const ServerFacts& facts = *nodes_[i].facts;
    if (of_candidate == nullptr || !of_candidate->uses_gtid || errant(i).any() ||
        facts.log_replica_updates != true || !filters_of(i).empty())
      return false;
    if (own == nullptr ? unapplied(facts.history) != 0u : own->sql.error_number != 0) return false;
    return !brings_foreign(i) && has_in_binlog(i);
  }

  // True when the candidate would fetch what a server outside the cluster sent, too.
  bool brings_foreign(std::size_t i) const {
    if (!follows_outside(nodes_[i])) return false;
    const auto all =
        extra(nodes_[i].facts->latest_history(), nodes_[candidate_].facts->latest_history());
    return !all || all->count > ahead(i, candidate_).value_or(Extra{}).count;
  }

  bool has_in_binlog(std::size_t i) const {
    const auto* const mysql = std::get_if<MysqlHistory>(&nodes_[i].facts->history);
    return mysql == nullptr ||
           !extra(MysqlHistory{mysql->purged}, nodes_[candidate_].facts->latest_history())
                .value_or(Extra{})
                .any();
  }

  bool has_applied_all(std::size_t i) const {
    return std::ranges::all_of(nodes_[i].channels(), [](const ChannelStatus& channel) {
      return channel.executed == channel.read;
    });
  }

  // Returns what a node that is no candidate has received beyond `other`, apart from what it wrote
  // itself, which nobody else misses; nullopt when nothing tells.
  std::optional<Extra> lead_of(std::size_t i, std::size_t other) const {
    if (i == primary_ || i == other || !nodes_[i].facts ||
        std::ranges::find(candidates_, i) != candidates_.end())
      return Extra{};
    const bool by_gtid = follows_by_gtid(other);
    if (const ChannelStatus* const channel = channel_to_primary(i)) {
      auto lead = ahead(i, other);
      const std::uint64_t own = channel->uses_gtid ? errant(i).count : 0;
      if (lead) lead->count -= std::min(own, lead->count);
      return lead;
    }
    if (is_downstream(i) && !by_gtid) return Extra{};
    const auto lead = extra(others_part(i), nodes_[other].facts->latest_history());
    // Without GTIDs the other one's relay log may hold it, or this one's more.
    if (lead && !by_gtid && (lead->any() || !has_applied_all(i))) return std::nullopt;
    return lead;
  }

  void describe_candidate() {
    const Node& node = nodes_[candidate_];
    if (channel_delay(candidate_) > 0)
      plan_.reservations.push_back(fmt::format("{} applies with a delay of {}, which is lifted",
                                               node.name,
                                               format_duration(channel_delay(candidate_))));
    for (const std::string& filter : filters_of(candidate_))
      plan_.reservations.push_back(
          fmt::format("{} has a filter, so it may lack tables: {}", node.name, sanitize(filter)));
    if (const auto scope = scope_of_primary())
      if (std::string text = describe_unlogged(plan_.primary, *scope); !text.empty())
        plan_.reservations.push_back(std::move(text));
    for (std::size_t c = 0; c < node.sources.size(); ++c)
      if (!node.sources[c])
        plan_.reservations.push_back(fmt::format(
            "{} also replicates from {}, outside the cluster: it goes on with that as the primary, "
            "and the other nodes receive it too",
            node.name, sanitize(node.channels()[c].source())));
    if (node.facts->log_replica_updates == false && nodes_.size() > 2)
      plan_.reservations.push_back(
          fmt::format("{} does not log its source's transactions, so no sibling can fetch from it "
                      "what it still lacks",
                      node.name));
  }

  // A node that is alive and cannot be read may have received what the candidate lacks.
  void judge_unread() {
    const SeenNode* const seen = moment_.memory.find(plan_.primary);
    const bool strict = policy_.max_lost_transactions || policy_.max_lag_s ||
                        (seen != nullptr && seen->semi_sync.lossless());
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!may_have_more({topology_, policy_, moment_, primary_}, i)) continue;
      const Node& node = nodes_[i];
      const std::string text =
          fmt::format("{} {} ({}): it may have transactions that {} lacks", node.name,
                      node.alive() ? "is alive and cannot be read" : "could not be asked",
                      sanitize(node.error), plan_.candidate);
      if (strict && !policy_.allow_loss)
        refuse(Refusal::kTooMuchLoss,
               fmt::format("{}, and {}. Put that right, or, to accept the loss, run: mysql_ha "
                           "failover --allow-loss",
                           text,
                           policy_.max_lost_transactions || policy_.max_lag_s
                               ? "a loss is limited"
                               : plan_.primary + " was under lossless semi-sync"));
      else
        plan_.reservations.push_back(text);
    }
  }

  // Older servers may not understand what a newer one writes.
  void compare_versions() {
    const auto release = [&](std::size_t i) {
      const Version& version = nodes_[i].facts->version;
      return std::tuple(version.major, version.minor);
    };
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i == candidate_ || channel_to_primary(i) == nullptr ||
          nodes_[i].facts->version.flavour != nodes_[candidate_].facts->version.flavour ||
          release(i) >= release(candidate_))
        continue;
      const auto text = [&](std::size_t n) {
        const Version& version = nodes_[n].facts->version;
        return fmt::format("{} ({}.{})", nodes_[n].name, version.major, version.minor);
      };
      plan_.reservations.push_back(fmt::format(
          "{} is newer than {}, which may stop at the first change that it does not know: upgrade "
          "it too, or set never = {}",
          text(candidate_), text(i), nodes_[candidate_].name));
    }
  }

  void find_writer() {
    const auto writers = topology_.writers();
    if (writers.size() == 1) {
      primary_ = writers[0];
      plan_.primary = nodes_[primary_].name;
      return;
    }
    std::vector<std::string> names;
    for (const std::size_t i : writers) names.push_back(nodes_[i].name);
    refuse(writers.empty() ? Refusal::kUnknownPrimary : Refusal::kSecondWriter,
           writers.empty() ? "no node accepts writes"
                           : "several nodes accept writes: " + join(names, ", "));
  }

  void choose_successor(std::string_view to) {
    if (to.empty()) {
      candidate_ = *std::ranges::min_element(
          candidates_, {}, [this](std::size_t i) { return std::tuple(!is_ready(i), rank(i)); });
      return;
    }
    const auto named = std::ranges::find(nodes_, to, &Node::name);
    if (named == nodes_.end())
      return refuse(Refusal::kNoCandidate, fmt::format("no node is called '{}'", sanitize(to)));
    candidate_ = static_cast<std::size_t>(named - nodes_.begin());
    if (candidate_ == primary_)
      return refuse(Refusal::kNotReady, fmt::format("{} is the primary already", named->name));
    if (std::ranges::find(candidates_, candidate_) != candidates_.end()) return;
    const auto rejected = std::ranges::find(plan_.rejected, named->name, &Rejection::node);
    refuse(Refusal::kNoCandidate,
           fmt::format("{} cannot be promoted: {}", named->name,
                       rejected == plan_.rejected.end() ? "it is no candidate" : rejected->reason));
  }

  bool is_ready(std::size_t i) const {
    const ChannelStatus& channel = *channel_to_primary(i);
    return channel.io.running() && channel.sql.running() && channel.sql_delay_s <= 0;
  }

  // Nothing of a planned change may have to wait long or be lost, and there is no hurry.
  void judge_successor() {
    const Node& node = nodes_[candidate_];
    const ChannelStatus& channel = *channel_to_primary(candidate_);
    const double most = policy_.max_lag_s.value_or(kMostPlannedLag_s);
    if (!is_ready(candidate_))
      return refuse(Refusal::kNotReady,
                    fmt::format("{} does not replicate: its IO or SQL thread does not run, or it "
                                "applies with a delay",
                                node.name));
    if (channel.seconds_behind.value_or(0) > most)
      return refuse(Refusal::kNotReady,
                    fmt::format("{} is {} behind, more than {}", node.name,
                                format_duration(*channel.seconds_behind), format_duration(most)));
    if (errant(candidate_).any())
      return refuse(Refusal::kNotReady, fmt::format("{} has errant transactions: {}", node.name,
                                                    errant(candidate_).text));
    if (const Extra gone = lost(candidate_); gone.any())
      return refuse(Refusal::kNotReady,
                    node.name + " " + describe_lost(node.name, gone, plan_.primary));
    // A receiver that was given a wrong position looks like a possible loss.
    if (loss_of_own(nodes_[primary_]) == SourceLoss::kProven)
      return refuse(
          Refusal::kNotReady,
          fmt::format("{} has lost transactions that it wrote and its replicas have, which "
                      "skip what it writes under the same numbers; see: mysql_ha status",
                      plan_.primary));
    if (policy_.repl_user.empty())
      return refuse(Refusal::kNotReady,
                    fmt::format("{} could not become a replica: give the replication account "
                                "(--repl-username, --repl-defaults-file)",
                                plan_.primary));
    if (const Node& primary = nodes_[primary_]; !knows_binlog(primary, channel))
      return refuse(Refusal::kNotReady,
                    fmt::format("{}: {}", primary.name, why_unknown_binlog(primary)));
    plan_.loss = {0, false};
    describe_candidate();
  }

  // Returns what the primary, which lives, has written and nobody has received; nullopt when
  // nothing tells.
  std::optional<Extra> not_received(const Node& primary) const {
    const std::size_t best = ahead_.value_or(candidate_);
    const ChannelStatus* const channel = channel_to_primary(best);
    const auto lead = extra(primary.facts->history, nodes_[best].facts->latest_history());
    // By file and position the relay log holds what no GTID position tells.
    const auto& end = primary.facts->binlog;
    if (channel == nullptr || channel->uses_gtid || !end) return lead;
    if (binlog_order(channel->read) >= binlog_order(*end)) return Extra{};
    if (lead) return lead;
    // What is on its way to one that receives is no loss yet.
    return channel->io.running()
               ? Extra{0, true}
               : Extra{1, true, fmt::format("events up to {}:{}", end->file, end->offset)};
  }

  // True when the node has all that some node has which received until the primary died.
  bool is_up_to_date(std::size_t i) const {
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      const ChannelStatus* const channel = channel_to_primary(j);
      if (j == primary_ || channel == nullptr || !receipt(j).to_the_end) continue;
      if (j == i) return true;
      const auto more = channel->uses_gtid
                            ? extra(others_part(j), nodes_[i].facts->latest_history())
                            : ahead(j, i);
      if (more && !more->any()) return true;
    }
    return false;
  }

  // What the candidate has may be old: its receiver stopped, or was refused, while the primary went
  // on.
  void judge_age() {
    if (is_up_to_date(candidate_) || (ahead_ && is_up_to_date(*ahead_))) return;
    const Receipt old = receipt(candidate_);
    const std::string text = fmt::format(
        "{} did not receive from {} to the end ({}{})", nodes_[candidate_].name, plan_.primary,
        old.reason, old.since_s > 0 ? ", since " + format_time(old.since_s) : "");
    unknown_.push_back(text);
    if (has_limit() && !policy_.allow_loss)
      return refuse(Refusal::kTooMuchLoss,
                    fmt::format("{}: what it lacks is not known, and the loss is limited "
                                "(--max-lost-transactions, --max-lag). To promote it all the same, "
                                "run: mysql_ha failover --allow-loss",
                                text));
    // A rescue brings it, or is a warning itself.
    if (policy_.rescue_command.empty())
      plan_.reservations.push_back(
          fmt::format("{}: what {} wrote after that is lost", text, plan_.primary));
  }

  // Says what is not known of the loss, where the primary itself does not tell.
  void explain_loss(LossForecast& loss) {
    for (const Node& node : nodes_)
      if (node.name != plan_.primary && !node.facts && node.alive())
        unknown_.push_back(node.name + " cannot be read and may have received more");
    if (!unknown_.empty() && known_loss_ == 0) loss.transactions.reset();
    std::vector<std::string> silent;
    for (const Node& node : nodes_)
      if (node.name != plan_.primary && !node.alive()) silent.push_back(node.name);
    if (!silent.empty()) unknown_.push_back("no answer from " + join(silent, ", "));
    loss.text = join(unknown_, ", ");
  }

  // Returns whether the primary lacks what it wrote, by its numbers or by what it has told a
  // receiver.
  SourceLoss loss_of_own(const Node& primary) const {
    if (lost_own(primary, all_but(primary_)).any()) return SourceLoss::kProven;
    SourceLoss worst = SourceLoss::kNone;
    for (const Node& node : nodes_)
      for (std::size_t c = 0; c < node.sources.size(); ++c)
        if (node.sources[c] == primary_)
          worst = std::max(worst, loss_of_source(node.channels()[c], primary));
    return worst;
  }

  void forecast_loss() {
    LossForecast& loss = plan_.loss;
    loss.transactions = known_loss_;
    loss.at_least = true;
    const Node& primary = living_ != nullptr ? *living_ : nodes_[primary_];
    const ChannelStatus* const channel = channel_to_primary(candidate_);
    const auto lag = channel == nullptr ? std::nullopt : channel->seconds_behind;
    if (primary.facts) {
      const auto lead = not_received(primary);
      if (lead) {
        loss.transactions = std::max(lead->count, known_loss_);
        loss.at_least = lead->at_least;
        loss.text = lead->any() ? "not received: " + lead->text : "";
        if (const SourceLoss own = loss_of_own(primary); own != SourceLoss::kNone) {
          loss.transactions.reset();
          loss.text = fmt::format(
              "{} {}: how many others {} lacks is not known", plan_.primary,
              own == SourceLoss::kProven
                  ? "has lost transactions that it had sent, and gives their numbers again"
                  : "may have lost transactions that it had sent",
              nodes_[candidate_].name);
        }
      } else {
        loss.transactions.reset();
      }
      loss.seconds = lag;
    }
    if (policy_.max_lost_transactions &&
        loss.transactions.value_or(0) > *policy_.max_lost_transactions)
      return refuse(Refusal::kTooMuchLoss,
                    fmt::format("{} transactions would be lost, more than {} ({})",
                                *loss.transactions, *policy_.max_lost_transactions, loss.text));
    if (policy_.max_lag_s && lag && *lag > *policy_.max_lag_s)
      return refuse(Refusal::kTooMuchLoss,
                    fmt::format("{} is {} behind, more than {}", nodes_[candidate_].name,
                                format_duration(*lag), format_duration(*policy_.max_lag_s)));
    judge_age();
    if (!primary.facts) explain_loss(loss);
  }

  // Only the one that is replaced is fenced.
  void judge_vouched() {
    const auto seen = std::ranges::find(nodes_, moment_.memory.primary, &Node::name);
    if (seen == nodes_.end() || seen->facts || seen->name == plan_.primary ||
        !policy_.assume_replica.contains(seen->name) || moment_.fenced.contains(seen->name))
      return;
    plan_.reservations.push_back(fmt::format(
        "{0} was the primary when it was last seen and is not fenced: nothing but your word "
        "(--assume-replica {0}) keeps it from taking writes",
        seen->name));
  }

  void judge_fence() {
    if (policy_.fence == Fence::kNone)
      plan_.reservations.push_back("nothing keeps " + plan_.primary +
                                   " from taking writes when it comes back (fence is none)");
    if (!policy_.fence_command.empty() || policy_.fence == Fence::kNone) return;
    if (policy_.fence == Fence::kRequired && !nodes_[primary_].facts)
      return refuse(
          Refusal::kCannotFence,
          fmt::format("fencing {} is required and there is no fence command", plan_.primary));
    if (policy_.fence == Fence::kBestEffort)
      plan_.reservations.push_back("there is no fence command: " + plan_.primary +
                                   " is only closed if it answers");
  }

  const std::vector<Node>& nodes_;
  const Topology& topology_;
  const Policy& policy_;
  const Circumstances& moment_;
  const Node* const living_;
  std::size_t primary_ = static_cast<std::size_t>(-1);
  std::vector<std::size_t> candidates_;
  std::size_t candidate_ = 0;
  std::optional<std::size_t> ahead_;   // who has more, and can hand it on
  std::set<std::size_t> left_behind_;  // who have more, and cannot
  std::vector<std::string> unknown_;   // why the loss may be greater than is known
  std::uint64_t known_loss_ = 0;
  Plan plan_;
};

// Returns the place of the node that is to be taken for dead: the one that was named, else the only
// writer, else the one that the replicas tell; nullopt when nothing tells.
std::optional<std::size_t> find_mortal(const Topology& topology, const Policy& policy,
                                       const Circumstances& moment, std::string_view name) {
  if (const auto writers = topology.writers(); name.empty() && writers.size() == 1)
    return writers[0];
  const std::string found =
      name.empty() ? Planner(topology, policy, moment).failover("").primary : std::string(name);
  const auto node = std::ranges::find(topology.nodes, found, &Node::name);
  if (found.empty() || node == topology.nodes.end()) return std::nullopt;
  return static_cast<std::size_t>(node - topology.nodes.begin());
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
  return {
      Refusal::kUnknownPrimary,
      fmt::format("no replica tells that {} is the primary when it is dead: they know it as {}; "
                  "say so: node={}={},alias={}",
                  name, address, name, format_host_port({mortal.host, mortal.port}), address)};
}

// Plans for the death of a primary that may be alive now. Only what would be left then counts; what
// the primary says now is used for the loss alone.
Plan forecast(const Topology& topology, const Policy& policy, Circumstances moment,
              std::string_view name) {
  const auto place = find_mortal(topology, policy, moment, name);
  if (!place) return Planner(topology, policy, moment).failover(name);
  // When it is dead, this is what was last seen, unless it cannot be kept.
  if (moment.memory_trouble.empty())
    moment.memory = remember(moment.memory, topology, moment.now_s);
  Topology left = without(topology, *place, moment.memory);
  follow_word(policy.primary, left);
  const Plan told = Planner(left, policy, moment).failover("");
  Plan plan =
      Planner(left, policy, moment, &topology.nodes[*place]).failover(topology.nodes[*place].name);
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

}  // namespace

std::vector<Objection> object_to_takeover(const Topology& topology, const Policy& policy,
                                          const Circumstances& circumstances, std::size_t primary) {
  std::vector<Objection> objections;
  const auto object = [&](Refusal refusal, std::string reason) {
    objections.push_back({refusal, std::move(reason)});
  };
  const Node& old = topology.nodes[primary];
  for (const Node& node : topology.nodes)
    if (&node != &old && node.writable())
      object(Refusal::kSecondWriter, fmt::format("{} accepts writes already", node.name));
  if (old.reach == Reach::kNotAsked)
    object(Refusal::kUnreadNode,
           fmt::format("{0} could not be asked ({1}), which tells nothing of it. Put that right "
                       "here and run this again",
                       old.name, sanitize(old.error)));
  if (old.alive())
    object(Refusal::kPrimaryAlive, old.error.empty()
                                       ? fmt::format("{} answers", old.name)
                                       : fmt::format("{} is alive: {}", old.name, old.error));
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size() && !old.alive(); ++c)
      if (node.sources[c] == primary && node.channels()[c].io.running())
        object(Refusal::kStillReceives,
               fmt::format("{} still receives from {}", node.name, old.name));
  for (std::size_t i = 0; i < topology.nodes.size() && !old.alive(); ++i)
    if (std::string why = object_to_unread({topology, policy, circumstances, primary}, i);
        !why.empty())
      object(Refusal::kUnreadNode, std::move(why));
  if (circumstances.witnesses == Witnesses::kUnreached && !old.alive())
    object(Refusal::kIsolated, "no witness is reachable: we may be the ones who are cut off");
  return objections;
}

Plan plan_failover(const Topology& topology, const Policy& policy,
                   const Circumstances& circumstances, std::string_view primary) {
  if (circumstances.assume_dead) return forecast(topology, policy, circumstances, primary);
  if (primary.empty()) {
    if (auto plan = plan_close(topology, policy, circumstances)) return *std::move(plan);
    if (auto plan = plan_reopen(topology, policy, circumstances)) {
      if (plan->possible()) return *std::move(plan);
      // Others may have made another one the primary, which is lost now.
      Plan other = Planner(topology, policy, circumstances).failover("");
      return other.possible() && other.primary != plan->primary ? other : *std::move(plan);
    }
  }
  return Planner(topology, policy, circumstances).failover(primary);
}

Plan plan_switchover(const Topology& topology, const Policy& policy,
                     const Circumstances& circumstances, std::string_view to) {
  return Planner(topology, policy, circumstances).switchover(to);
}

}  // namespace ha
