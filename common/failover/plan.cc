// SPDX-License-Identifier: MIT
#include "common/failover/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/address.h"
#include "common/failover/forecast.h"
#include "common/failover/plan_steps.h"
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
    if (goes_on()) forecast_loss();
    judge_fence();
    if (!refused()) {
      StepWriter(topology_, policy_, moment_.memory, {primary_, candidate_, ahead_, left_behind_},
                 plan_)
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
      StepWriter(topology_, policy_, moment_.memory, {primary_, candidate_}, plan_)
          .write_switchover();
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

  // The node that was named, else the one that all replicas follow.
  void find_primary(std::string_view name) {
    std::set<std::size_t> followed;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].name == name) primary_ = i;
      if (name.empty() && !nodes_[i].writable())
        for (const auto& source : nodes_[i].sources)
          if (source && nodes_[*source].channels().empty()) followed.insert(*source);
    }
    if (name.empty() && followed.size() == 1) primary_ = *followed.begin();
    if (primary_ < nodes_.size()) {
      plan_.primary = nodes_[primary_].name;
      return;
    }
    std::vector<std::string> names;
    for (const std::size_t i : followed) names.push_back(nodes_[i].name);
    refuse(Refusal::kUnknownPrimary,
           !name.empty()      ? fmt::format("no node is called '{}'", sanitize(name))
           : followed.empty() ? "no replica tells which node the primary is"
                              : "replicas follow different primaries: " + join(names, ", "));
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
    for (Objection& one : object_to_takeover(topology_, moment_, primary_))
      refuse(one.refusal, std::move(one.reason));
  }

  void judge_moment() {
    if (!moment_.lock_holder.empty())
      refuse(Refusal::kLocked, "another run holds the lock: " + moment_.lock_holder);
    if (moment_.last_failover_age_s && *moment_.last_failover_age_s < policy_.min_interval_s)
      refuse(Refusal::kTooSoon,
             fmt::format("the last failover was {} ago, less than {}, and is not acknowledged",
                         format_duration(*moment_.last_failover_age_s),
                         format_duration(policy_.min_interval_s)));
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
    if (channel == nullptr) return "does not follow " + plan_.primary;
    if (channel->sql.error_number != 0) return describe_error(*channel);
    if (node.facts->log_bin == false) return "writes no binlog, so nobody could follow it";
    if (!knows_binlog(node, *channel)) return why_unknown_binlog(node);
    if (wish(i) == Promotion::kNever) return "must not be promoted (policy)";
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

  bool can_be_compared(std::size_t i) const {
    return nodes_[i].facts && nodes_[i].facts->channels && channel_to_primary(i) != nullptr;
  }

  // Returns what `a` has received and `b` has not; nullopt when nothing tells.
  std::optional<Extra> ahead(std::size_t a, std::size_t b) const {
    const auto by_gtid = extra(nodes_[a].facts->history, nodes_[b].facts->latest_history());
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
      if (j == i || j == primary_ || !can_be_compared(j)) continue;
      if (others.index() != 0 && others.index() != nodes_[j].facts->history.index()) continue;
      others = unite(others, nodes_[j].facts->latest_history());
      known = true;
    }
    if (!known || (!nodes_[primary_].facts && was_primary(own, others))) return {};
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
      else
        candidates_.push_back(i);
    }
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
      refuse(Refusal::kNoCandidate, "no node can be promoted in place of " + plan_.primary);
  }

  void refuse_incomparable(std::size_t a, std::size_t b, const Extra& of_a, const Extra& of_b) {
    refuse(Refusal::kIncomparable,
           fmt::format("{} and {} each have what the other lacks: only {} has {}, only {} has {}",
                       nodes_[a].name, nodes_[b].name, nodes_[a].name, of_a.text, nodes_[b].name,
                       of_b.text));
  }

  // Smaller is better, among nodes that have received the same.
  auto rank(std::size_t i) const {
    const ServerFacts& facts = *nodes_[i].facts;
    const auto version = std::tuple(facts.version.major, facts.version.minor, facts.version.patch);
    return std::tuple(facts.log_replica_updates != true, version, channel_delay(i) > 0,
                      unapplied(facts.history).value_or(0), wish(i) != Promotion::kPreferred, i);
  }

  double channel_delay(std::size_t i) const { return channel_to_primary(i)->sql_delay_s; }

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
    }
    look_for_more();
    describe_candidate();
  }

  // A node that must not be promoted may have received more; the candidate can fetch it by GTID.
  void look_for_more() {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (lead_of(i, candidate_) > 0 && can_hand_on(i) && (!ahead_ || ahead(i, *ahead_)->any()))
        ahead_ = i;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::uint64_t lead = lead_of(i, ahead_.value_or(candidate_));
      if (lead == 0) continue;
      plan_.reservations.push_back(fmt::format("{} has received more and cannot hand it on: {}",
                                               nodes_[i].name, ahead(i, candidate_)->text));
      known_loss_ += lead;
      left_behind_.insert(i);
    }
  }

  bool can_hand_on(std::size_t i) const {
    return channel_to_primary(candidate_)->uses_gtid && !errant(i).any() &&
           nodes_[i].facts->log_replica_updates == true &&
           channel_to_primary(i)->sql.error_number == 0;
  }

  // Returns how much a node that is no candidate has received beyond `other`, apart from what it
  // wrote itself, which nobody else misses.
  std::uint64_t lead_of(std::size_t i, std::size_t other) const {
    if (i == primary_ || i == other || !can_be_compared(i) ||
        std::ranges::binary_search(candidates_, i))
      return 0;
    const auto lead = ahead(i, other);
    if (!lead || !lead->any()) return 0;
    const std::uint64_t own = channel_to_primary(i)->uses_gtid ? errant(i).count : 0;
    return lead->count > own ? lead->count - own : 0;
  }

  void describe_candidate() {
    const Node& node = nodes_[candidate_];
    const ChannelStatus& channel = *channel_to_primary(candidate_);
    if (channel.sql_delay_s > 0)
      plan_.reservations.push_back(
          fmt::format("{} applies with a delay of {}: the drain has to wait", node.name,
                      format_duration(channel.sql_delay_s)));
    for (const std::string& filter : channel.filters)
      plan_.reservations.push_back(
          fmt::format("{} has a filter, so it may lack tables: {}", node.name, sanitize(filter)));
    if (node.facts->log_replica_updates == false && nodes_.size() > 2)
      plan_.reservations.push_back(
          fmt::format("{} does not log its source's transactions, so no sibling can fetch from it "
                      "what it still lacks",
                      node.name));
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
    const ChannelStatus& channel = *channel_to_primary(best);
    // By file and position the relay log holds what no GTID position tells.
    const auto& end = primary.facts->binlog;
    if (!channel.uses_gtid && end && binlog_order(channel.read) >= binlog_order(*end))
      return Extra{};
    return extra(primary.facts->history, nodes_[best].facts->latest_history());
  }

  void forecast_loss() {
    LossForecast& loss = plan_.loss;
    loss.transactions = known_loss_;
    loss.at_least = true;
    const Node& primary = living_ != nullptr ? *living_ : nodes_[primary_];
    if (primary.facts) {
      const auto lead = not_received(primary);
      if (lead) {
        loss.transactions = std::max(lead->count, known_loss_);
        loss.at_least = lead->at_least;
        loss.text = lead->any() ? "not received: " + lead->text : "";
      } else {
        loss.transactions.reset();
      }
    }
    if (primary.facts) loss.seconds = channel_to_primary(candidate_)->seconds_behind;
    if (policy_.max_lost_transactions &&
        loss.transactions.value_or(0) > *policy_.max_lost_transactions)
      return refuse(Refusal::kTooMuchLoss,
                    fmt::format("{} transactions would be lost, more than {} ({})",
                                *loss.transactions, *policy_.max_lost_transactions, loss.text));
    const auto lag = channel_to_primary(candidate_)->seconds_behind;
    if (policy_.max_lag_s && lag && *lag > *policy_.max_lag_s)
      refuse(Refusal::kTooMuchLoss,
             fmt::format("{} is {} behind, more than {}", nodes_[candidate_].name,
                         format_duration(*lag), format_duration(*policy_.max_lag_s)));
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
  if (address.empty())
    return {Refusal::kNoCandidate, mortal.writable() ? name + " is the primary and has no replica"
                                                     : "no replica follows " + name};
  if (!told.primary.empty())
    return {Refusal::kUnknownPrimary,
            fmt::format("replicas follow {} rather than {}", told.primary, name)};
  return {Refusal::kUnknownPrimary,
          fmt::format("{}: they know {} as {}; say so: node={}={},alias={}", told.reason, name,
                      address, name, format_host_port({mortal.host, mortal.port}), address)};
}

// Plans for the death of a primary that may be alive now. Only what would be left then counts; what
// the primary says now is used for the loss alone.
Plan forecast(const Topology& topology, const Policy& policy, const Circumstances& moment,
              std::string_view name) {
  const auto place = find_mortal(topology, policy, moment, name);
  if (!place) return Planner(topology, policy, moment).failover(name);
  Topology left = without(topology, *place, moment.memory);
  follow_word(policy.primary, left);
  const Plan told = Planner(left, policy, moment).failover("");
  Plan plan =
      Planner(left, policy, moment, &topology.nodes[*place]).failover(topology.nodes[*place].name);
  if (Objection one = object_to_name(topology, *place, told); one.refusal != Refusal::kNone) {
    if (!plan.possible())
      plan.further.insert(plan.further.begin(), {plan.refusal, std::move(plan.reason)});
    plan.refusal = one.refusal;
    plan.reason = std::move(one.reason);
    plan.steps.clear();
    plan.hash.clear();
  }
  return plan;
}

}  // namespace

std::vector<Objection> object_to_takeover(const Topology& topology,
                                          const Circumstances& circumstances, std::size_t primary) {
  std::vector<Objection> objections;
  const auto object = [&](Refusal refusal, std::string reason) {
    objections.push_back({refusal, std::move(reason)});
  };
  const Node& old = topology.nodes[primary];
  for (const Node& node : topology.nodes)
    if (&node != &old && node.writable())
      object(Refusal::kSecondWriter, fmt::format("{} accepts writes already", node.name));
  if (old.alive())
    object(Refusal::kPrimaryAlive, old.error.empty()
                                       ? fmt::format("{} answers", old.name)
                                       : fmt::format("{} is alive: {}", old.name, old.error));
  for (const Node& node : topology.nodes)
    for (std::size_t c = 0; c < node.sources.size() && !old.alive(); ++c)
      if (node.sources[c] == primary && node.channels()[c].io.running())
        object(Refusal::kStillReceives,
               fmt::format("{} still receives from {}", node.name, old.name));
  if (circumstances.witnesses == Witnesses::kUnreached && !old.alive())
    object(Refusal::kIsolated, "no witness is reachable: we may be the ones who are cut off");
  return objections;
}

Plan plan_failover(const Topology& topology, const Policy& policy,
                   const Circumstances& circumstances, std::string_view primary) {
  return circumstances.assume_dead ? forecast(topology, policy, circumstances, primary)
                                   : Planner(topology, policy, circumstances).failover(primary);
}

Plan plan_switchover(const Topology& topology, const Policy& policy,
                     const Circumstances& circumstances, std::string_view to) {
  return Planner(topology, policy, circumstances).switchover(to);
}

}  // namespace ha
