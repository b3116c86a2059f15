// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "common/failover/known_primary.h"
#include "common/failover/plan_hash.h"
#include "common/failover/received.h"
#include "common/failover/rejoin_steps.h"
#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

class RejoinPlanner {
 public:
  RejoinPlanner(const Topology& topology, const Policy& policy, const Context& context,
                const std::optional<CrashRecord>& record)
      : topology_(topology), policy_(policy), context_(context), record_(record) {}

  Plan plan(std::string_view name) {
    prepare(PlanCommand::kRejoin, name);
    if (!refused()) judge_history();
    if (refused()) leave_closed();
    return finish();
  }

  Plan plan_copy(std::string_view name, ExtraTransactions extra_transactions) {
    prepare(PlanCommand::kResync, name);
    if (!refused() && policy_.repl_user.empty()) refuse_without_account();
    if (!refused()) refuse_with_replicas();
    if (refused()) return finish();
    const ChannelStatus channel =
        node_->channels().empty() ? steps().model_channel() : node_->channels()[0];
    plan_.by_gtid = by_gtid();
    plan_.channel = channel.name;
    plan_.tls = channel.tls;
    plan_.retry = channel.retry;
    steps().close();
    if (extra_transactions == ExtraTransactions::kSave && !is_contained()) steps().save();
    return finish();
  }

 private:
  bool refused() const { return !plan_.possible(); }

  void refuse(Refusal refusal, std::string reason) {
    plan_.refusal = refusal;
    plan_.reason = std::move(reason);
  }

  void prepare(PlanCommand command, std::string_view name) {
    plan_.command = command;
    find_roles(name);
  }

  Plan finish() {
    if (!refused()) plan_.hash = hash_of(plan_, topology_);
    return std::move(plan_);
  }

  // A replica of a node cannot continue when the binlogs of the node are replaced.
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
                                node_->name, primary_->name, context_.runs.run));
    if (!node_->facts)
      return refuse(Refusal::kNotReady, fmt::format("{}: {}", node_->name, node_->error));
    if (!node_->facts->channels)
      return refuse(Refusal::kNotReady, node_->name + ": its replication could not be read");
    if (node_->facts->version.flavour != primary_->facts->version.flavour)
      return refuse(Refusal::kNotReady, "the two servers are of different flavours");
    if (node_->channels().size() > 1)
      return refuse(Refusal::kNotReady, node_->name + " has several replication channels");
    keep_foreign_channel();
  }

  // A channel of its own name to a server outside the cluster is there for something else.
  void keep_foreign_channel() {
    if (node_->channels().empty() || node_->sources[0]) return;
    const ChannelStatus& channel = node_->channels()[0];
    if (channel.name == steps().model_channel().name) return;
    const Version& version = node_->facts->version;
    refuse(
        Refusal::kNotReady,
        fmt::format("{0} replicates from {1}, outside the cluster, by channel '{2}'; to end that, "
                    "run on {0}: {3}; {4}; then run: mysql_ha rejoin {0}",
                    node_->name, sanitize(channel.source()), sanitize(channel.name),
                    stop_replication(version, channel.name), forget_source(version, channel.name)));
  }

  bool follows_primary() const {
    return channel_to(*node_, static_cast<std::size_t>(primary_ - topology_.nodes.data())) !=
           nullptr;
  }

  bool receives() const { return follows_primary() && node_->channels()[0].io.running(); }

  bool by_gtid() {
    if (!node_->channels().empty()) return node_->channels()[0].uses_gtid;
    // What the old primary's replicas did, it can do itself.
    if (record_) return record_->by_gtid;
    if (const ChannelStatus* const like = steps().channel_of_a_replica()) return like->uses_gtid;
    return !std::holds_alternative<std::monostate>(node_->facts->history);
  }

  void judge_history() {
    steps().close();
    const auto more = extra(node_->facts->history, primary_->facts->latest_history());
    const Extra lost = lost_own(*node_, primary_->facts->history);
    if (lost.any()) {
      if (more && more->any()) steps().save();
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
    if (!more)
      return refuse(Refusal::kIncomparable, "the histories of the two servers cannot be compared");
    if (more->any()) return refuse_diverged(*more);
    if (!has_in_binlog(*primary_->facts, node_->facts->history))
      return refuse(Refusal::kNeedsResync,
                    fmt::format("{0} has no binlog that begins where {1} ended; run: mysql_ha "
                                "resync {1}",
                                primary_->name, node_->name));
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
    steps().save();
    refuse(Refusal::kDiverged, fmt::format("{} has {} that {} lacks: {}", node_->name,
                                           in_words(more), primary_->name, more.text));
  }

  // What accepts writes beside the primary is closed, whatever keeps it from returning; else only
  // what has to be saved is worth a run.
  void leave_closed() {
    const bool certain = plan_.refusal != Refusal::kSecondWriter && primary_ != nullptr &&
                         node_ != nullptr && !is_primary_by_journal();
    const bool saves = std::ranges::any_of(
        plan_.steps, [](const Step& step) { return step.action == Action::kSaveExtra; });
    if (!certain || (!node_->writable() && !saves)) return plan_.steps.clear();
    if (!plan_.steps.empty()) return;
    steps().close();
  }

  // Not when the other one was made the primary after that, by whomever.
  bool is_primary_by_journal() const {
    return context_.runs.primary == node_->name &&
           context_.runs.replaced.contains(primary_->name) &&
           last_primary(topology_, context_) == node_ && !was_promoted(context_.memory, *primary_);
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
      return refuse(
          Refusal::kIncomparable,
          fmt::format("no record shows which transactions of {1} {0} has; run: mysql_ha resync {1}",
                      primary_->name, node_->name));
    if (record_->lost)
      return refuse(
          Refusal::kNeedsResync,
          fmt::format("{0} has lost transactions that it wrote itself: its binlog ends "
                      "before {1}:{2}, up to which {3} has them; run: mysql_ha resync {0}",
                      node_->name, record_->applied.file, record_->applied.offset, primary_->name));
    if (!record_->transactions_beyond)
      return refuse(Refusal::kIncomparable,
                    fmt::format("{0} does not show what it wrote after {1}:{2}; "
                                "run: mysql_ha resync {0}",
                                node_->name, record_->applied.file, record_->applied.offset));
    if (*record_->transactions_beyond > 0) {
      steps().save();
      return refuse(Refusal::kDiverged,
                    fmt::format("{} has {} after {}:{} that {} lacks", node_->name,
                                in_words(*record_->transactions_beyond), record_->applied.file,
                                record_->applied.offset, primary_->name));
    }
    follow(log_position(record_->binlog));
  }

  void refuse_without_account() {
    refuse(Refusal::kNotReady,
           "give the replication account (--repl-username, --repl-defaults-file)");
  }

  void follow(const std::optional<LogPosition>& position) {
    if (policy_.repl_user.empty() && node_->channels().empty()) return refuse_without_account();
    steps().follow(position);
  }

  RejoinSteps steps() { return {topology_, policy_, record_, *node_, *primary_, plan_}; }

  const Topology& topology_;
  const Policy& policy_;
  const Context& context_;
  const std::optional<CrashRecord>& record_;
  const Node* node_ = nullptr;
  const Node* primary_ = nullptr;
  Plan plan_;
};

}  // namespace

Plan plan_rejoin(const Topology& topology, const Policy& policy, const Context& context,
                 std::string_view node, const std::optional<CrashRecord>& record) {
  return RejoinPlanner(topology, policy, context, record).plan(node);
}

Plan plan_resync(const Topology& topology, const Policy& policy, const Context& context,
                 std::string_view node, const std::optional<CrashRecord>& record,
                 ExtraTransactions extra_transactions) {
  return RejoinPlanner(topology, policy, context, record).plan_copy(node, extra_transactions);
}

}  // namespace ha
