// SPDX-License-Identifier: MIT
// Which node is the primary when none was lost: a former one that came back writable is closed, and
// one that was merely restarted, or closed by its own guard, is opened again.
#include "common/failover/plan_roles.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/failover/close_writers.h"
#include "common/failover/console_event.h"
#include "common/failover/known_primary.h"
#include "common/failover/lease_steps.h"
#include "common/failover/lock_steps.h"
#include "common/failover/plan_hash.h"
#include "common/failover/role_statements.h"
#include "common/failover/unread.h"
#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

void add(Plan& plan, Step step) {
  step.number = static_cast<int>(plan.steps.size()) + 1;
  plan.steps.push_back(std::move(step));
}

Plan refused(Plan plan, Refusal refusal, std::string reason) {
  plan.refusal = refusal;
  plan.reason = std::move(reason);
  plan.steps.clear();
  return plan;
}

// The nodes that `node` gets transactions from, at any distance, whether it receives now or not.
std::set<const Node*> sources_of(const Topology& topology, const Node& node) {
  std::set<const Node*> found;
  std::vector<const Node*> open = {&node};
  while (!open.empty()) {
    const Node* const next = open.back();
    open.pop_back();
    for (const auto& source : next->sources)
      if (source && found.insert(&topology.nodes[*source]).second)
        open.push_back(&topology.nodes[*source]);
  }
  return found;
}

bool follows(const Topology& topology, const Node& node, const Node& source) {
  return sources_of(topology, node).contains(&source);
}

class Closing {
 public:
  Closing(const Topology& topology, const Policy& policy, const Context& context)
      : topology_(topology), policy_(policy), context_(context) {}

  std::optional<Plan> plan() {
    for (const std::size_t i : topology_.writers()) writers_.push_back(&topology_.nodes[i]);
    if (writers_.size() < 2) return std::nullopt;
    for (const Node* const node : writers_)
      if (successor_ == nullptr && is_successor(*node)) successor_ = node;
    for (const Node* const node : writers_)
      if (successor_ != nullptr && node != successor_ && was_replaced(*node, *successor_))
        replaced_.push_back(node);
    if (replaced_.empty()) return refuse();
    return write();
  }

 private:
  Plan refuse() const {
    std::vector<std::string> names;
    for (const Node* const node : writers_) names.push_back(node->name);
    return refused({.primary = names[0]}, Refusal::kSecondWriter,
                   fmt::format("{} accept writes, and neither the journal nor the histories prove "
                               "which of them was replaced; to weigh all evidence, or to choose "
                               "one, run: mysql_ha repair",
                               join(names, ", ")));
  }

  // The journal and what was seen last agree on one; without either its histories have to prove it.
  bool is_successor(const Node& node) const {
    if (const Node* const known = last_primary(topology_, context_)) return known == &node;
    return std::ranges::any_of(writers_, [&](const Node* other) {
      return other != &node && was_left_behind(*other, node);
    });
  }

  bool was_replaced(const Node& node, const Node& successor) const {
    if (was_promoted(context_.memory, node) || is_followed(node, successor)) return false;
    if (follows(topology_, successor, node) && !follows(topology_, node, successor)) return false;
    return (context_.runs.primary == successor.name &&
            context_.runs.replaced.contains(node.name)) ||
           was_left_behind(node, successor);
  }

  // True when something else than the successor replicates from the node, which speaks against it.
  bool is_followed(const Node& node, const Node& successor) const {
    return std::ranges::any_of(topology_.nodes, [&](const Node& other) {
      return &other != &node && &other != &successor && follows(topology_, other, node) &&
             !follows(topology_, other, successor);
    });
  }

  // True when the histories prove that the successor took over from the node: it has all that the
  // node has, and more, and everything else follows it.
  bool was_left_behind(const Node& node, const Node& successor) const {
    if (!node.channels().empty() || !node.facts->channels || is_followed(node, successor))
      return false;
    const auto more = extra(node.facts->latest_history(), successor.facts->latest_history());
    const auto less = extra(successor.facts->history, node.facts->latest_history());
    if (!more || more->any() || !less || !less->any()) return false;
    if (context_.memory.primary == successor.name) return true;
    bool witnessed = false;
    for (const Node& other : topology_.nodes) {
      if (&other == &node || &other == &successor) continue;
      if (!other.facts || !follows(topology_, other, successor)) return false;
      witnessed = true;
    }
    return witnessed;
  }

  Plan write() const {
    Plan plan = plan_closing(topology_, policy_, context_, *successor_, replaced_);
    if (!plan.possible()) return plan;
    for (const Node* const node : replaced_) warn(plan, *node);
    plan.hash.clear();
    plan.hash = hash_of(plan, topology_);
    return plan;
  }

  void warn(Plan& plan, const Node& node) const {
    const bool told =
        context_.runs.primary == successor_->name && context_.runs.replaced.contains(node.name);
    const auto more = extra(node.facts->history, successor_->facts->latest_history());
    plan.warnings.push_back(fmt::format(
        "{0} accepted writes although {1} had replaced it{2}; {3}; run: mysql_ha rejoin {0}",
        node.name, successor_->name, told ? fmt::format(" (run {})", context_.runs.run) : "",
        !more         ? fmt::format("it may have transactions that {} lacks", successor_->name)
        : more->any() ? fmt::format("it has {} that {} lacks: {}", in_words(*more),
                                    successor_->name, more->text)
                      : fmt::format("{} has all its transactions", successor_->name)));
  }

  const Topology& topology_;
  const Policy& policy_;
  const Context& context_;
  std::vector<const Node*> writers_, replaced_;
  const Node* successor_ = nullptr;
};

class Reopening {
 public:
  Reopening(const Topology& topology, const Policy& policy, const Context& context)
      : topology_(topology), policy_(policy), context_(context) {}

  std::optional<Plan> plan() {
    if (!topology_.writers().empty()) return std::nullopt;
    node_ = find_old_primary();
    if (node_ == nullptr || !node_->facts || node_->facts->read_only != true) return std::nullopt;
    Plan plan{.command = PlanCommand::kReopen, .primary = node_->name, .candidate = node_->name};
    if (!context_.lock_holder.empty())
      return refused(std::move(plan), Refusal::kLocked,
                     "another run holds the lock: " + context_.lock_holder);
    std::string why = why_not_as_it_was();
    if (why.empty() && !policy_.auto_open)
      why = "auto-open is no; to open it, run: mysql_ha failover";
    for (std::size_t i = 0; i < topology_.nodes.size() && why.empty(); ++i)
      why = why_not(topology_.nodes[i]);
    if (why.empty()) why = why_not_alone();
    if (!why.empty())
      return refused(std::move(plan), Refusal::kPrimaryAlive,
                     fmt::format("{} answers, but is read-only and is not opened again: {}",
                                 node_->name, why));
    plan.closed_by_guard = closed_by_guard_;
    write(plan);
    return plan;
  }

 private:
  const Node* find_old_primary() const {
    const Node* const named = find_node(topology_, policy_.primary);
    const Node* const known = named == nullptr ? last_primary(topology_, context_) : named;
    if (known == nullptr) return find_root();
    // One that follows another node, and not as a ring does, is none any more.
    const bool demoted = std::ranges::any_of(known->sources, [&](const auto& source) {
      return source && !follows(topology_, topology_.nodes[*source], *known);
    });
    return demoted ? nullptr : known;
  }

  // Without any record: the node that follows nothing and that all the others follow.
  const Node* find_root() const {
    if (!context_.runs.primary.empty() || !context_.memory.primary.empty() ||
        topology_.nodes.size() < 2)
      return nullptr;
    for (const Node& node : topology_.nodes)
      if (node.facts && node.facts->channels && node.channels().empty() &&
          std::ranges::all_of(topology_.nodes, [&](const Node& other) {
            return &other == &node || (other.facts && follows(topology_, other, node));
          }))
        return &node;
    return nullptr;
  }

  std::string how_by_hand() const {
    return fmt::format("to open it by hand, run there: {}", make_writable(node_->facts->version));
  }

  // An operator that closed it is not to be overruled.
  std::string why_not_as_it_was() {
    const ServerFacts& facts = *node_->facts;
    const SeenNode* const seen = context_.memory.find(node_->name);
    if (seen != nullptr && seen->seen_s > 0 &&
        (seen->server_id != facts.server_id || seen->server_uuid != facts.server_uuid))
      return fmt::format(
          "its server_id or server_uuid is not that of the server last seen there; {}",
          how_by_hand());
    if (facts.read_only_origin == ReadOnlyOrigin::kSql)
      if (std::string why = why_not_closed_by_guard(); !why.empty())
        return fmt::format("{}; {}", why, how_by_hand());
    if (facts.read_only_origin == ReadOnlyOrigin::kUnknown)
      return fmt::format(
          "it does not show whether its option file or an operator made it read-only; {}",
          how_by_hand());
    if (!facts.channels) return "its replication could not be read";
    return "";
  }

  // Its guard has closed it for want of a lease, so it needs one to be opened.
  std::string why_not_closed_by_guard() {
    const auto& closing = context_.own_closing;
    if (policy_.lease_s == 0 || !closing || closing->node != node_->name)
      return "read_only was set by SQL after its start, and not by its option file";
    const std::string change = find_change_since(*closing, *node_->facts);
    if (!change.empty()) return fmt::format("its guard has closed it, and {}", change);
    closed_by_guard_ = true;
    return "";
  }

  std::string why_not(const Node& other) const {
    if (&other == node_) return "";
    if (closed_by_guard_ && !other.facts && !policy_.assume_replica.contains(other.name))
      return fmt::format(
          "{0} cannot be read ({1}) and may have been promoted while {2} was closed. Correct that. "
          "If {0} takes no writes, run: mysql_ha failover --assume-replica {0}",
          other.name, sanitize(other.error), node_->name);
    if (!other.facts) return why_not_unread(other);
    if (!other.facts->channels) return other.name + ": its replication could not be read";
    if (other.facts->read_only != true)
      return other.name + ": it is not known whether it accepts writes";
    const auto more = extra(other.facts->history, node_->facts->latest_history());
    if (!follows(topology_, other, *node_))
      return was_replaced(other) && more && !more->any() ? "" : other.name + " does not follow it";
    std::string what =
        more && more->any() ? fmt::format("{}: {}", in_words(*more), more->text) : "";
    for (std::size_t c = 0; c < other.sources.size() && what.empty(); ++c)
      if (other.sources[c] && &topology_.nodes[*other.sources[c]] == node_)
        what = events_beyond(other.channels()[c]);
    if (what.empty()) return "";
    return fmt::format(
        "{0} has transactions that {1} has lost ({2}); to promote a replica, stop {1} and run: "
        "mysql_ha failover",
        other.name, node_->name, what);
  }

  // True for a former primary that the node has replaced, and that has not returned yet.
  bool was_replaced(const Node& other) const {
    return policy_.lease_s > 0 && context_.runs.primary == node_->name &&
           context_.runs.replaced.contains(other.name) && other.channels().empty();
  }

  std::string why_not_unread(const Node& other) const {
    const auto place = [&](const Node& node) {
      return static_cast<std::size_t>(&node - topology_.nodes.data());
    };
    const Takeover takeover{topology_, policy_, context_, place(*node_)};
    if (may_have_more(takeover, place(other)))
      return fmt::format("{} cannot be read: {}", other.name, other.error);
    return object_to_unread(takeover, place(other));
  }

  // With no other node that is there to follow it, one of them may be the primary by now.
  std::string why_not_alone() const {
    std::string words;
    for (const Node& other : topology_.nodes) {
      if (&other == node_) continue;
      if (other.facts) return "";
      if (!policy_.assume_replica.contains(other.name)) words += " --assume-replica " + other.name;
    }
    if (words.empty()) return "";
    return fmt::format(
        "no other node answers and follows it, so another node may have replaced it. Correct that. "
        "If no other node takes writes, run: mysql_ha failover{}",
        words);
  }

  // Without GTIDs a position in the newest binlog tells; older ones are read by the recheck.
  std::string events_beyond(const ChannelStatus& channel) const {
    const auto& end = node_->facts->binlog;
    if (channel.uses_gtid || !end || channel.read.file != end->file ||
        channel.read.offset <= end->offset)
      return "";
    return fmt::format("events up to {}:{}", channel.read.file, channel.read.offset);
  }

  void write(Plan& plan) {
    for (Step& step : lock_steps(topology_.nodes)) add(plan, std::move(step));
    if (policy_.lease_s > 0) add(plan, take_lease(node_->name));
    if (!policy_.vip.empty())
      add(plan, {.action = Action::kVipUp, .node = node_->name, .text = policy_.vip});
    add(plan, {.action = Action::kRecheck,
               .node = node_->name,
               .text = "this run still holds the lock, and no replica has extra transactions"});
    Statements statements = {open_server(node_->facts->version)};
    if (lost_semi_sync(plan))
      statements.insert(statements.begin(),
                        semi_sync_switch(node_->facts->semi_sync.source_variable, true));
    add(plan, {.action = Action::kMakeWritable,
               .node = node_->name,
               .statements = std::move(statements),
               .text = "the point of no return"});
    if (policy_.lease_s > 0) add(plan, hand_lease(node_->name));
    for (Step& step : tell_pandora(policy_, plan, *node_)) add(plan, std::move(step));
    plan.loss = {0, false};
    for (const Node& other : topology_.nodes) {
      if (other.facts) continue;
      plan.loss.at_least = true;
      plan.warnings.push_back(
          fmt::format("{} could not be asked: it may have transactions that {} has lost",
                      other.name, node_->name));
    }
    plan.hash = hash_of(plan, topology_);
  }

  // True when it waited for acknowledgements before it was restarted, and can do so again.
  bool lost_semi_sync(Plan& plan) const {
    const SemiSync& now = node_->facts->semi_sync;
    const SeenNode* const seen = context_.memory.find(node_->name);
    if (seen == nullptr || seen->semi_sync.source_enabled != true || now.source_enabled == true)
      return false;
    const auto there = std::ranges::count_if(topology_.nodes, [&](const Node& other) {
      return &other != node_ && other.facts && other.facts->semi_sync.replica_enabled == true;
    });
    // Its writes are not to wait for replicas that are not there.
    const bool acknowledged =
        now.wait_no_replica == false ? there > 0 : there >= now.wait_count.value_or(1);
    if (acknowledged && !now.source_variable.empty()) return true;
    plan.warnings.push_back(fmt::format(
        "{} waited for semi-sync replicas before it was {}, and does not now: {}", node_->name,
        closed_by_guard_ ? "closed" : "restarted",
        acknowledged ? "the plugin is not loaded" : "too few replicas would acknowledge"));
    return false;
  }

  const Topology& topology_;
  const Policy& policy_;
  const Context& context_;
  const Node* node_ = nullptr;
  bool closed_by_guard_ = false;
};

}  // namespace

std::optional<Plan> plan_close(const Topology& topology, const Policy& policy,
                               const Context& context) {
  return Closing(topology, policy, context).plan();
}

std::optional<Plan> plan_reopen(const Topology& topology, const Policy& policy,
                                const Context& context) {
  return Reopening(topology, policy, context).plan();
}

}  // namespace ha
