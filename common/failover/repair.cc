// SPDX-License-Identifier: MIT
#include "common/failover/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/failover/close_writers.h"
#include "common/failover/unread.h"
#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

// A full disk or table, a lock wait, a deadlock: the data are sound, and the thread goes on when it
// is started again.
constexpr unsigned kPassingErrors[] = {1021, 1114, 1205, 1213};
// The source has no binlog that goes on where the replica ends (its older and its newer number).
constexpr unsigned kFatalReadErrors[] = {1236, 13114};

// Returns why no replica can go on as it is; empty: it can.
std::string describe_break(const Node& node) {
  for (const ChannelStatus& channel : node.channels()) {
    const unsigned sql = channel.sql.error_number, io = channel.io.error_number;
    if (!channel.sql.running() && sql != 0 &&
        std::ranges::find(kPassingErrors, sql) == std::end(kPassingErrors))
      return describe_stop("SQL", channel.sql);
    if (!channel.io.running() &&
        std::ranges::find(kFatalReadErrors, io) != std::end(kFatalReadErrors))
      return describe_stop("IO", channel.io);
  }
  return "";
}

class Repairing {
 public:
  Repairing(const Topology& topology, const Policy& policy, const Context& context,
            const RepairFacts& facts)
      : topology_(topology), policy_(policy), context_(context), facts_(facts) {}

  Repair decide() {
    find_winner();
    if (repair_.possible()) judge_unread();
    if (!repair_.possible()) return std::move(repair_);
    close_others();
    for (const Node& node : closed_.nodes)
      if (node.facts && node.name != repair_.winner) judge(node);
    if (!repair_.needed() && !repair_.left.empty())
      refuse(Refusal::kNotReady,
             fmt::format("{} stays as it is: {}", repair_.left[0].node, repair_.left[0].reason));
    return std::move(repair_);
  }

 private:
  void refuse(Refusal refusal, std::string reason) {
    repair_.refusal = refusal;
    repair_.reason = std::move(reason);
  }

  void find_winner() {
    const auto writers = topology_.writers();
    if (writers.empty()) return refuse(Refusal::kUnknownPrimary, describe_no_writer());
    if (writers.size() == 1) {
      repair_.winner = topology_.nodes[writers[0]].name;
      if (!facts_.writers.named.empty() && facts_.writers.named != repair_.winner)
        refuse(Refusal::kNotReady,
               fmt::format("{} accepts writes, and {} does not; to change that, run: mysql_ha "
                           "switchover --to {}",
                           repair_.winner, sanitize(facts_.writers.named),
                           sanitize(facts_.writers.named)));
      return;
    }
    Winner winner = choose_winner(topology_, context_, facts_.writers);
    repair_.signs = std::move(winner.signs);
    repair_.winner = std::move(winner.node);
    if (repair_.winner.empty()) refuse(Refusal::kSecondWriter, std::move(winner.reason));
  }

  std::string describe_no_writer() const {
    std::string text = "no node accepts writes";
    for (const Node& node : topology_.nodes)
      if (!node.facts)
        text += fmt::format(", and {} cannot be read ({})", node.name, sanitize(node.error));
    return text + "; to see which would be promoted, run: mysql_ha plan";
  }

  std::size_t winner_place() const { return *find_place(topology_, repair_.winner); }

  // Among several writers a node that cannot be read may be another one.
  void judge_unread() {
    const Takeover takeover{topology_, policy_, context_, winner_place()};
    for (std::size_t i = 0; i < topology_.nodes.size(); ++i) {
      const Node& node = topology_.nodes[i];
      if (node.facts && node.facts->read_only) continue;
      const std::string why =
          node.facts ? "it does not show whether it accepts writes" : sanitize(node.error);
      if (topology_.writers().size() > 1 && !object_to_unread(takeover, i).empty())
        return refuse(Refusal::kUnreadNode,
                      fmt::format("{0} cannot be judged ({1}), and may accept writes too. Correct "
                                  "that. If {0} takes no writes, run: mysql_ha repair "
                                  "--assume-replica {0}",
                                  node.name, why));
      leave(node,
            fmt::format("it cannot be judged ({}); when it answers, run: mysql_ha repair", why));
    }
  }

  void close_others() {
    closed_ = topology_;
    std::vector<const Node*> others;
    for (const std::size_t i : topology_.writers()) {
      if (topology_.nodes[i].name == repair_.winner) continue;
      others.push_back(&topology_.nodes[i]);
      closed_.nodes[i].facts->read_only = true;
    }
    if (others.empty()) return;
    repair_.closing =
        plan_closing(topology_, policy_, context_, topology_.nodes[winner_place()], others);
    for (const Sign& sign : repair_.signs)
      if (sign.node == repair_.winner)
        repair_.closing.evidence_text +=
            (repair_.closing.evidence_text.empty() ? "" : "; ") + sign.text;
  }

  void leave(const Node& node, std::string reason) {
    repair_.left.push_back({node.name, std::move(reason)});
  }

  void add(const Node& node, ReturnWay way, std::string why) {
    repair_.tasks.push_back({node.name, way, std::move(why)});
  }

  const ReturnFacts& known(const Node& node) const {
    static const ReturnFacts kNothing;
    const auto found = facts_.nodes.find(node.name);
    return found == facts_.nodes.end() ? kNothing : found->second;
  }

  bool was_writer(const Node& node) const { return find_node(topology_, node.name)->writable(); }

  // `node` is as it will be when it is closed.
  void judge(const Node& node) {
    if (!node.facts->read_only) return;
    if (!known(node).obstacle.empty()) return leave(node, known(node).obstacle);
    if (known(node).half_copied) return resync(node, "it holds no complete copy");
    if (const std::string why = describe_break(node); !why.empty()) return resync(node, why);
    const bool follows = channel_to(node, winner_place()) != nullptr;
    if (follows && was_writer(node)) return judge_follower(node);
    if (was_writer(node) || (node.facts->channels && node.channels().empty() && is_wanted(node)))
      judge_return(node);
  }

  bool is_wanted(const Node& node) const {
    return facts_.scope == RepairScope::kAll || known(node).replaced;
  }

  // It has accepted writes although it follows the winner. What is on its way to the winner, in a
  // ring, is not lost.
  void judge_follower(const Node& node) {
    const Node& winner = topology_.nodes[winner_place()];
    if (channel_to(winner, *find_place(topology_, node.name)) != nullptr) return;
    const auto more = extra(node.facts->history, winner.facts->latest_history());
    if (more && !more->any()) return;
    if (more) return resync(node, lack_of(winner, *more));
    leave(node,
          fmt::format("it follows {1}, and nothing shows whether it has transactions that {1} "
                      "lacks; to make {0} a copy, run: mysql_ha resync {0}",
                      node.name, winner.name));
  }

  static std::string lack_of(const Node& winner, const Extra& more) {
    return fmt::format("it has {} that {} lacks: {}", in_words(more), winner.name, more.text);
  }

  void judge_return(const Node& node) {
    const Plan plan = plan_rejoin(closed_, policy_, context_, node.name, known(node).record);
    if (plan.possible())
      return add(node, ReturnWay::kRejoin,
                 fmt::format("{} has all its transactions", repair_.winner));
    const bool copying_helps = plan.refusal == Refusal::kDiverged ||
                               plan.refusal == Refusal::kNeedsResync ||
                               plan.refusal == Refusal::kIncomparable;
    if (!copying_helps) return leave(node, plan.reason);
    // What to type then stands behind it.
    resync(node, plan.reason.substr(0, plan.reason.find("; run: ")));
  }

  void resync(const Node& node, std::string why) {
    const Node& winner = topology_.nodes[winner_place()];
    const auto place = *find_place(topology_, node.name);
    if (const ChannelStatus* const channel = channel_to(winner, place)) {
      const Version& version = winner.facts->version;
      return leave(node, fmt::format("{0} still has a channel to it; run on {0}: {1}; {2}; then "
                                     "run: mysql_ha repair",
                                     winner.name, stop_replication(version, channel->name),
                                     forget_source(version, channel->name)));
    }
    const Plan plan = plan_resync(closed_, policy_, context_, node.name, known(node).record,
                                  ExtraTransactions::kSave);
    if (!plan.possible()) return leave(node, fmt::format("{}; {}", why, plan.reason));
    add(node, ReturnWay::kResync, std::move(why));
  }

  const Topology& topology_;
  const Policy& policy_;
  const Context& context_;
  const RepairFacts& facts_;
  Topology closed_ = {};  // with the writers beside the winner closed
  Repair repair_ = {};
};

}  // namespace

Repair decide_repair(const Topology& topology, const Policy& policy, const Context& context,
                     const RepairFacts& facts) {
  return Repairing(topology, policy, context, facts).decide();
}

}  // namespace ha
