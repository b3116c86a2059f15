// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "common/failover/plan_hash.h"
#include "common/failover/plan_roles.h"
#include "common/failover/plan_steps.h"
#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

class RejoinPlanner {
 public:
  RejoinPlanner(const Topology& topology, const Policy& policy, const Circumstances& moment,
                const std::optional<CrashRecord>& record)
      : topology_(topology), policy_(policy), moment_(moment), record_(record) {}

  Plan plan(std::string_view name) {
    prepare("rejoin", name);
    if (!refused()) judge_history();
    if (refused()) leave_closed();
    return finish();
  }

  Plan plan_copy(std::string_view name, Surplus surplus) {
    prepare("resync", name);
    if (!refused() && policy_.repl_user.empty()) refuse_without_account();
    if (!refused()) refuse_with_replicas();
    if (refused()) return finish();
    const ChannelStatus channel =
        node_->channels().empty() ? model_channel() : node_->channels()[0];
    plan_.by_gtid = by_gtid();
    plan_.channel = channel.name;
    plan_.tls = channel.tls;
    plan_.retry = channel.retry;
    lock();
    close();
    if (surplus == Surplus::kSave && !is_contained()) save();
    return finish();
  }

 private:
  bool refused() const { return !plan_.possible(); }

  void refuse(Refusal refusal, std::string reason) {
    plan_.refusal = refusal;
    plan_.reason = std::move(reason);
  }

  void prepare(std::string command, std::string_view name) {
    plan_.command = std::move(command);
    find_roles(name);
    if (!refused() && !moment_.lock_holder.empty())
      refuse(Refusal::kLocked, "another run holds the lock: " + moment_.lock_holder);
  }

  Plan finish() {
    if (!refused()) plan_.hash = hash_of(plan_, topology_);
    return std::move(plan_);
  }

  // Whoever follows a node cannot go on when its binlogs are replaced.
  void refuse_with_replicas() {
    for (const Node& node : topology_.nodes)
      for (const auto& source : node.sources)
        if (source && &topology_.nodes[*source] == node_)
          return refuse(Refusal::kNotReady,
                        fmt::format("{} replicates from {}", node.name, node_->name));
  }

  // The node that is to return, and the one that accepts writes beside it.
  void find_roles(std::string_view name) {
    plan_.candidate = name;
    for (const Node& node : topology_.nodes) {
      if (node.name == name) node_ = &node;
      if (node.name == name || !node.writable()) continue;
      if (primary_ != nullptr)
        return refuse(Refusal::kSecondWriter,
                      fmt::format("{} and {} both accept writes", primary_->name, node.name));
      primary_ = &node;
    }
    if (node_ == nullptr)
      return refuse(Refusal::kNotReady, fmt::format("no node is called '{}'", sanitize(name)));
    if (primary_ == nullptr)
      return refuse(Refusal::kUnknownPrimary, "no other node accepts writes");
    plan_.primary = primary_->name;
    if (node_->writable() && is_primary_by_journal())
      return refuse(Refusal::kNotReady,
                    fmt::format("{0} has replaced {1} (run {2}) and accepts writes; to make a "
                                "replica of {1}, run: mysql_ha rejoin {1}",
                                node_->name, primary_->name, moment_.roles.run));
    if (!node_->facts)
      return refuse(Refusal::kNotReady, fmt::format("{}: {}", node_->name, node_->error));
    if (!node_->facts->channels)
      return refuse(Refusal::kNotReady, node_->name + ": its replication could not be read");
    if (node_->facts->version.flavour != primary_->facts->version.flavour)
      return refuse(Refusal::kNotReady, "the two are of different flavours");
    if (node_->channels().size() > 1)
      return refuse(Refusal::kNotReady, node_->name + " has several replication channels");
  }

  bool follows_primary() const {
    return !node_->channels().empty() && node_->sources[0] &&
           &topology_.nodes[*node_->sources[0]] == primary_;
  }

  bool receives() const { return follows_primary() && node_->channels()[0].io.running(); }

  bool by_gtid() const {
    if (!node_->channels().empty()) return node_->channels()[0].uses_gtid;
    // What the old primary's replicas did, it can do itself.
    if (record_) return record_->by_gtid;
    if (const ChannelStatus* const like = channel_of_a_replica()) return like->uses_gtid;
    return !std::holds_alternative<std::monostate>(node_->facts->history);
  }

  void judge_history() {
    lock();
    close();
    const auto more = extra(node_->facts->history, primary_->facts->latest_history());
    const Extra lost = lost_own(*node_, primary_->facts->history);
    if (lost.any()) {
      if (more && more->any()) save();
      return refuse(Refusal::kNeedsResync,
                    node_->name + " " + describe_lost(node_->name, lost, primary_->name));
    }
    // A server that was installed anew follows from the very beginning, and skips what its
    // predecessor wrote under the same server_id.
    if (by_gtid() && extent(node_->facts->history) <= 0 && extent(primary_->facts->history) > 0)
      return refuse(Refusal::kNeedsResync,
                    fmt::format("{0} has none of the transactions of {1}; run: mysql_ha resync {0}",
                                node_->name, primary_->name));
    if (receives()) return judge_follower(more);
    if (!by_gtid()) return judge_positions();
    if (!more) return refuse(Refusal::kIncomparable, "the histories of the two cannot be compared");
    if (more->any()) return refuse_diverged(*more);
    follow({});
  }

  // It follows the primary already, as in a ring, and at most has to be closed.
  void judge_follower(const std::optional<Extra>& more) {
    if (!node_->writable())
      return refuse(Refusal::kNotReady,
                    fmt::format("{} follows {} already", node_->name, primary_->name));
    const bool in_ring = std::ranges::any_of(primary_->sources, [&](const auto& source) {
      return source && &topology_.nodes[*source] == node_;
    });
    if (more && more->any() && !in_ring) refuse_diverged(*more);
  }

  void refuse_diverged(const Extra& more) {
    save();
    refuse(Refusal::kDiverged,
           fmt::format("{} has {}{} transactions that {} lacks: {}", node_->name,
                       more.at_least ? "at least " : "", more.count, primary_->name, more.text));
  }

  // What accepts writes beside the primary is closed, whatever keeps it from returning; else only
  // what has to be saved is worth a run.
  void leave_closed() {
    const bool certain = plan_.refusal != Refusal::kLocked &&
                         plan_.refusal != Refusal::kSecondWriter && primary_ != nullptr &&
                         node_ != nullptr && !is_primary_by_journal();
    const bool saves = std::ranges::any_of(
        plan_.steps, [](const Step& step) { return step.action == Action::kSaveExtra; });
    if (!certain || (!node_->writable() && !saves)) return plan_.steps.clear();
    if (!plan_.steps.empty()) return;
    lock();
    close();
  }

  // Not when the other one was made the primary after that, by whomever.
  bool is_primary_by_journal() const {
    return moment_.roles.primary == node_->name &&
           moment_.roles.replaced.contains(primary_->name) &&
           last_primary(topology_, moment_) == node_ && !was_promoted(moment_.memory, *primary_);
  }

  // True when it is certain that the primary has all that the node has.
  bool is_contained() const {
    const auto more = extra(node_->facts->history, primary_->facts->latest_history());
    if (more) return !more->any();
    return node_->channels().empty() && record_ && record_->candidate == primary_->name &&
           record_->transactions_beyond == 0u;
  }

  // Without GTIDs only the record of the failover tells what the new primary had of the old one.
  void judge_positions() {
    // It was let follow already, and is further than any record.
    if (follows_primary()) {
      const std::string& channel = node_->channels()[0].name;
      return refuse(
          Refusal::kNotReady,
          fmt::format("{} follows {} already, but does not receive; run there: {}", node_->name,
                      primary_->name, start_replication(node_->facts->version, channel)));
    }
    if (!record_ || record_->candidate != primary_->name || record_->binlog.file.empty())
      return refuse(Refusal::kIncomparable,
                    fmt::format("no record tells what {0} has of {1}; run: mysql_ha resync {1}",
                                primary_->name, node_->name));
    if (record_->lost)
      return refuse(
          Refusal::kNeedsResync,
          fmt::format("{0} has lost transactions that it wrote itself: its binlog ends "
                      "before {1}:{2}, up to which {3} has them; run: mysql_ha resync {0}",
                      node_->name, record_->applied.file, record_->applied.offset, primary_->name));
    if (!record_->transactions_beyond)
      return refuse(Refusal::kIncomparable,
                    fmt::format("{0} tells nothing of what it wrote after {1}:{2}; "
                                "run: mysql_ha resync {0}",
                                node_->name, record_->applied.file, record_->applied.offset));
    if (*record_->transactions_beyond > 0) {
      save();
      return refuse(Refusal::kDiverged,
                    fmt::format("{} has {} transactions after {}:{} that {} lacks", node_->name,
                                *record_->transactions_beyond, record_->applied.file,
                                record_->applied.offset, primary_->name));
    }
    follow(log_position(record_->binlog));
  }

  void lock() {
    for (Step& step : lock_steps(topology_.nodes)) add(std::move(step));
  }

  void close() {
    add({0,
         Action::kFence,
         node_->name,
         {{Part::kClose, make_read_only(node_->facts->version)}},
         {},
         "and end its clients' connections"});
  }

  // Keeps what would be lost.
  void save() {
    Step save = {0, Action::kSaveExtra, node_->name, {}, {}, "its extra transactions"};
    save.other = primary_->name;
    if (record_ && record_->candidate == primary_->name) save.position = record_->applied;
    add(std::move(save));
  }

  void refuse_without_account() {
    refuse(Refusal::kNotReady,
           "give the replication account (--repl-username, --repl-defaults-file)");
  }

  void follow(const std::optional<LogPosition>& position) {
    if (policy_.repl_user.empty() && node_->channels().empty()) return refuse_without_account();
    const Version& version = node_->facts->version;
    Statements statements;
    Statement point{Part::kPoint};
    std::string channel;
    std::optional<ReplicationLogin> login;
    if (node_->channels().empty()) {
      const ChannelStatus like = model_channel();
      channel = like.name;
      login = ReplicationLogin{policy_.repl_user, kReplPassword, like.tls, like.retry};
      point.placeholders = {Placeholder::kReplPassword};
      if (!position && version.flavour == Flavour::kMariadb)
        statements.push_back({Part::kBegin, begin_after_own_transactions()});
    } else {
      channel = node_->channels()[0].name;
      statements.push_back({Part::kStop, stop_replication(version, channel)});
    }
    std::ranges::move(
        semi_sync_as_replica(*node_->facts,
                             under_semi_sync() ? Acknowledge::kYes : Acknowledge::kAsBefore),
        std::back_inserter(statements));
    point.sql = ha::follow(version, channel, primary_->host, primary_->port, position, login);
    statements.push_back(std::move(point));
    statements.push_back({Part::kStart, start_replication(version, channel)});
    Step step = {0, Action::kRepoint, node_->name, std::move(statements), {}, ""};
    step.channel = channel;
    step.other = primary_->name;
    disable_events();
    add(std::move(step));
    move_semi_sync();
  }

  // MySQL's super_read_only has stopped them, and would let nobody change them.
  void disable_events() {
    if (node_->facts->version.flavour == Flavour::kMysql) return;
    if (const std::string why = why_events_unknown(*node_); !why.empty())
      plan_.reservations.push_back(why);
    Statements statements = disable_events_of(*node_->facts);
    if (statements.empty()) return;
    Step disable = {
        0, Action::kEvents, node_->name, std::move(statements), {}, "it runs none as a replica"};
    disable.may_fail = true;
    add(std::move(disable));
  }

  // Whether the primary waits for acknowledgements, or is to, as the node did before it.
  bool under_semi_sync() const {
    return primary_->facts->semi_sync.source_enabled == true || (record_ && record_->semi_sync);
  }

  // A primary that no replica could acknowledge to was opened without.
  void move_semi_sync() {
    if (!under_semi_sync()) return;
    plan_.semi_sync = true;
    if (const std::string why = why_not_acknowledging(*node_); !why.empty()) {
      plan_.reservations.push_back(why);
      return;
    }
    const SemiSync& own = primary_->facts->semi_sync;
    if (own.source_enabled == true || own.source_variable.empty()) return;
    Step step = {0,
                 Action::kSemiSync,
                 primary_->name,
                 {semi_sync_switch(own.source_variable, true)},
                 {},
                 fmt::format("as {} did, now that it acknowledges", node_->name)};
    step.other = node_->name;
    step.may_fail = true;
    add(std::move(step));
  }

  // The channel to the primary of a replica that it has; null: there is none.
  const ChannelStatus* channel_of_a_replica() const {
    for (const Node& node : topology_.nodes)
      for (std::size_t c = 0; c < node.sources.size(); ++c)
        if (node.sources[c] && &topology_.nodes[*node.sources[c]] == primary_)
          return &node.channels()[c];
    return nullptr;
  }

  // How a channel to the primary looks: as that of a replica that it has, else as the one was that
  // the primary had itself before it was promoted.
  ChannelStatus model_channel() const {
    if (const ChannelStatus* const like = channel_of_a_replica()) return *like;
    ChannelStatus channel;
    if (record_) {
      channel.name = record_->channel;
      channel.tls = record_->tls;
      channel.retry = record_->retry;
    }
    return channel;
  }

  void add(Step step) {
    step.number = static_cast<int>(plan_.steps.size()) + 1;
    plan_.steps.push_back(std::move(step));
  }

  const Topology& topology_;
  const Policy& policy_;
  const Circumstances& moment_;
  const std::optional<CrashRecord>& record_;
  const Node* node_ = nullptr;
  const Node* primary_ = nullptr;
  Plan plan_;
};

}  // namespace

Plan plan_rejoin(const Topology& topology, const Policy& policy, const Circumstances& circumstances,
                 std::string_view node, const std::optional<CrashRecord>& record) {
  return RejoinPlanner(topology, policy, circumstances, record).plan(node);
}

Plan plan_resync(const Topology& topology, const Policy& policy, const Circumstances& circumstances,
                 std::string_view node, const std::optional<CrashRecord>& record, Surplus surplus) {
  return RejoinPlanner(topology, policy, circumstances, record).plan_copy(node, surplus);
}

namespace {

// Returns why a node's data are not to be copied, empty when they may be.
std::string why_no_donor(const Topology& topology, const Node& donor, const Node& primary,
                         bool by_gtid) {
  if (!donor.facts) return donor.error;
  const ServerFacts& facts = *donor.facts;
  if (facts.version.flavour != primary.facts->version.flavour) return "it is of another flavour";
  if (!facts.log_bin.value_or(false)) return "it has no binlog";
  if (&donor == &primary) return "";
  if (!by_gtid) return "without GTIDs only the primary's own binlog tells where to go on";
  const auto place = std::ranges::find_if(donor.sources, [&](const auto& source) {
    return source && &topology.nodes[*source] == &primary;
  });
  if (place == donor.sources.end()) return "it does not replicate from " + primary.name;
  const ChannelStatus& channel =
      donor.channels()[static_cast<std::size_t>(place - donor.sources.begin())];
  if (!channel.io.running() || !channel.sql.running() || !channel.uses_gtid)
    return "it does not replicate from " + primary.name;
  if (!channel.filters.empty()) return "it replicates with a filter, " + channel.filters[0];
  if (channel.sql_delay_s > 0) return "it applies with a delay";
  if (!facts.log_replica_updates.value_or(false)) return "it does not log what it replicates";
  const auto more = extra(facts.history, primary.facts->latest_history());
  if (!more || more->any()) return "it may have what " + primary.name + " lacks";
  return "";
}

}  // namespace

Result<std::size_t> choose_donor(const Topology& topology, const Plan& plan,
                                 std::string_view from) {
  const auto named = [&](std::string_view name) {
    return std::ranges::find(topology.nodes, name, &Node::name);
  };
  const Node& primary = *named(plan.primary);
  if (!from.empty()) {
    const auto donor = named(from);
    if (donor == topology.nodes.end())
      return Error{Errc::kUsage, fmt::format("no node is called '{}'", sanitize(from))};
    if (donor->name == plan.candidate)
      return Error{Errc::kUsage, donor->name + " cannot be a copy of itself"};
    if (const auto why = why_no_donor(topology, *donor, primary, plan.by_gtid); !why.empty())
      return Error{Errc::kUsage, fmt::format("{} cannot be copied: {}", donor->name, why)};
    return static_cast<std::size_t>(donor - topology.nodes.begin());
  }
  std::string why;
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    const Node& node = topology.nodes[i];
    if (node.name == plan.candidate) continue;
    const std::string obstacle = why_no_donor(topology, node, primary, plan.by_gtid);
    if (&node == &primary) why = obstacle;
    if (obstacle.empty() && (!best || &topology.nodes[*best] == &primary)) best = i;
  }
  if (!best) return Error{Errc::kUsage, fmt::format("{} cannot be copied: {}", plan.primary, why)};
  return *best;
}

}  // namespace ha
