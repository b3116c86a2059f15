// SPDX-License-Identifier: MIT
#include "common/failover/readiness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/mysql/drain.h"
#include "common/mysql/statements.h"
#include "common/text.h"

namespace ha {

namespace {

class ReplicaJudge {
 public:
  ReplicaJudge(const Topology& topology, const Policy& policy, const Plan& plan)
      : nodes_(topology.nodes), policy_(policy), plan_(plan) {
    const auto primary = std::ranges::find(nodes_, plan.primary, &Node::name);
    if (primary == nodes_.end()) return;
    primary_ = static_cast<std::size_t>(primary - nodes_.begin());
    if (nodes_[primary_].facts) judge_receivers();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const ChannelStatus* const channel = channel_to_primary(i);
      if (channel == nullptr) continue;
      judge_applier(i, *channel);
      judge_delay(i, *channel);
      judge_own_semi_sync(i);
    }
    judge_timeouts();
    judge_semi_sync();
  }

  std::vector<Concern> take() { return std::move(concerns_); }

 private:
  void add(std::string text, std::vector<std::size_t> nodes) {
    concerns_.push_back({State::kWarning, std::move(text), std::move(nodes)});
  }

  const ChannelStatus* channel_to_primary(std::size_t i) const {
    return channel_to(nodes_[i], primary_);
  }

  const Version& version(std::size_t i) const { return nodes_[i].facts->version; }

  // While the primary lives, a node that does not receive grows old.
  void judge_receivers() {
    std::vector<std::size_t> deaf, all;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const ChannelStatus* const channel = channel_to_primary(i);
      if (channel == nullptr) continue;
      all.push_back(i);
      if (channel->io.works()) continue;
      deaf.push_back(i);
      // Started again it would skip what bears the numbers of lost transactions.
      const bool stopped = channel->io.state == ThreadState::kStopped &&
                           loss_of_source(*channel, nodes_[primary_]) == SourceLoss::kNone;
      add(fmt::format("{} receives nothing from {}: {}{}", nodes_[i].name, plan_.primary,
                      sanitize(describe_stop("IO", channel->io)),
                      stopped ? "; run there: " + start_receiver(version(i), channel->name) : ""),
          {i});
    }
    if (!all.empty() && deaf.size() == all.size())
      add(fmt::format("no replica receives: only {0} has what {0} writes now", plan_.primary),
          {primary_});
  }

  static std::string backlog(const ServerFacts& facts, const ChannelStatus& channel) {
    if (is_drained(facts.history, channel)) return "no transaction waits";
    if (const auto waiting = unapplied(facts.history, channel))
      return fmt::format("{} {} received and not applied", in_words(*waiting),
                         *waiting == 1 ? "is" : "are");
    return fmt::format("it has received {}:{} and applied {}:{}", channel.read.file,
                       channel.read.offset, channel.executed.file, channel.executed.offset);
  }

  // One that has failed is no candidate, the plan says why.
  void judge_applier(std::size_t i, const ChannelStatus& channel) {
    if (channel.sql.running() || channel.sql.error_number != 0) return;
    add(fmt::format("{} applies nothing, {}: {}; a failover would have to wait for that; run "
                    "there: {}",
                    nodes_[i].name, backlog(*nodes_[i].facts, channel),
                    sanitize(describe_stop("SQL", channel.sql)),
                    start_applier(version(i), channel.name)),
        {i});
  }

  // The plan speaks of the present candidate; the next transaction may make this one the best.
  void judge_delay(std::size_t i, const ChannelStatus& channel) {
    const auto wish = policy_.promotion.find(nodes_[i].name);
    if (channel.sql_delay_s <= 0 || nodes_[i].name == plan_.candidate ||
        (wish != policy_.promotion.end() && wish->second == Promotion::kNever))
      return;
    add(fmt::format("{0} applies with a delay of {1} and is promoted when it has received most; to "
                    "prevent that, set never = {0}",
                    nodes_[i].name, format_duration(channel.sql_delay_s)),
        {i});
  }

  // Returns how to give a channel a timeout that is short enough; its heartbeats must be shorter.
  std::string shorten_timeout(std::size_t i, const ChannelStatus& channel) const {
    constexpr double kLongest_s = 10;
    const double timeout_s = std::max(1.0, std::floor(std::min(kLongest_s, policy_.hung_after_s)));
    const std::string_view name = spelling(version(i)).replica_net_timeout;
    return fmt::format("SET GLOBAL {0}={1}; {2}; {3}; {4}; and in the option file: {0}={1}", name,
                       timeout_s, stop_replication(version(i), channel.name),
                       set_heartbeat(version(i), channel.name, timeout_s / 2),
                       start_replication(version(i), channel.name));
  }

  void judge_timeouts() {
    std::map<std::string, std::vector<std::size_t>> alike;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const ChannelStatus* const channel = channel_to_primary(i);
      if (channel == nullptr || !(nodes_[i].facts->replica_net_timeout_s > policy_.hung_after_s))
        continue;
      alike[fmt::format("{} is {}, longer than --hung-after ({}): for that long no replica notices "
                        "that {} has vanished; run there: {}",
                        spelling(version(i)).replica_net_timeout,
                        format_duration(*nodes_[i].facts->replica_net_timeout_s),
                        format_duration(policy_.hung_after_s), plan_.primary,
                        shorten_timeout(i, *channel))]
          .push_back(i);
    }
    for (const auto& [text, nodes] : alike) {
      std::vector<std::string> names;
      for (const std::size_t i : nodes) names.push_back(nodes_[i].name);
      add(join(names, ", ") + ": " + text, nodes);
    }
  }

  // As a source that waits even without a replica, it applies nothing until a replica follows it.
  void judge_own_semi_sync(std::size_t i) {
    const SemiSync& own = nodes_[i].facts->semi_sync;
    if (nodes_[i].writable() || own.source_enabled != true || own.source_active != true ||
        own.wait_no_replica != true || own.clients.value_or(1) != 0)
      return;
    add(fmt::format("{} waits for acknowledgements of each transaction that it applies, and has no "
                    "replicas; run there: SET GLOBAL {}=OFF (a failover switches it on)",
                    nodes_[i].name, own.source_variable),
        {i});
  }

  void judge_semi_sync() {
    if (!nodes_[primary_].facts) return;
    const SemiSync& own = nodes_[primary_].facts->semi_sync;
    if (own.source_enabled == true && own.source_active == false)
      add(fmt::format(
              "{0} no longer waits for acknowledgements, because too few replicas acknowledge: "
              "perhaps only {0} has its newest writes; run on the replicas: SET GLOBAL "
              "rpl_semi_sync_{1}_enabled=ON, and start their receivers again",
              plan_.primary,
              own.source_variable.find("master") != std::string::npos ? "slave" : "replica"),
          {primary_});
  }

  const std::vector<Node>& nodes_;
  const Policy& policy_;
  const Plan& plan_;
  std::size_t primary_ = 0;
  std::vector<Concern> concerns_;
};

}  // namespace

std::vector<Concern> judge_replicas(const Topology& topology, const Policy& policy,
                                    const Plan& plan) {
  return ReplicaJudge(topology, policy, plan).take();
}

std::vector<Concern> judge_fencing(const Policy& policy, const Plan& plan,
                                   const FenceTrial& trial) {
  std::vector<Concern> concerns;
  if (plan.primary.empty()) return concerns;
  const bool required = policy.fence == Fence::kRequired;
  const bool proven = required || policy.fence == Fence::kRevoke;
  const std::string both =
      fmt::format("if the network between {} and {} breaks, both take writes", plan.primary,
                  plan.candidate.empty() ? "the replicas" : plan.candidate);
  if (!proven)
    concerns.push_back({State::kWarning,
                        fmt::format("{} (fence is {}); configure fence = required and a "
                                    "fence-command that proves that the old primary is off, or "
                                    "lossless semi-sync and fence = revoke",
                                    both, policy.fence == Fence::kNone ? "none" : "best-effort")});
  if (policy.fence == Fence::kNone) return concerns;
  switch (trial.end) {
    case FenceTrial::End::kNotRun:
    case FenceTrial::End::kUsable:
      break;
    case FenceTrial::End::kUnasked:
      concerns.push_back({State::kOk, "the fence command was not tried: " + trial.text});
      break;
    case FenceTrial::End::kAccepts:
      if (plan.evidence == Evidence::kRevocation) break;
      concerns.push_back(
          {State::kWarning,
           fmt::format("{}: the fence command proves nothing when {} is silent, and accepts that "
                       "(exit 10); configure a fence command that proves it: {}",
                       both, plan.primary, trial.text)});
      break;
    case FenceTrial::End::kUnusable:
      concerns.push_back({required ? State::kCritical : State::kWarning,
                          "the fence could not be used (HA_FENCE_ACTION=status): " + trial.text});
      break;
  }
  return concerns;
}

std::string describe_protection(const Plan& plan) {
  if (plan.primary.empty()) return "";
  if (plan.evidence == Evidence::kNone)
    return fmt::format("nothing keeps {} from taking writes beside another primary", plan.primary);
  return fmt::format("what keeps {} from taking writes beside another primary: {}", plan.primary,
                     plan.evidence_text);
}

namespace {

std::string how_to_start_guard(const std::string& node) {
  return fmt::format("to start the guard, run there: mysql_ha guard --node {}", node);
}

}  // namespace

std::vector<Concern> judge_lease_keeping(const std::vector<std::string>& primaries,
                                         const LeaseSummary& summary) {
  std::vector<Concern> concerns;
  const auto say = [&](std::string text) {
    concerns.push_back({State::kWarning, std::move(text)});
  };
  for (const std::string& primary : primaries) {
    if (primary == summary.holder()) continue;
    if (!summary.is_known()) {
      say(
          fmt::format("it is not known whether the guard of {} has the lease: {} of {} voters "
                      "answer",
                      primary, summary.answering, summary.voters));
      continue;
    }
    const auto guard = std::ranges::find(summary.guards, primary, &GuardSighting::node);
    const bool runs = guard != summary.guards.end() && guard->voters > 0;
    say(fmt::format("no guard has the lease of {}, which takes writes when it is cut off; {}",
                    primary,
                    runs ? "its guard runs; to see what it lacks, run there: mysql_ha guard status"
                         : how_to_start_guard(primary)));
  }
  for (const std::string& node : summary.missing_guards())
    if (std::ranges::find(primaries, node) == primaries.end())
      say(fmt::format("the guard of {} is connected to no voter that answers; {}", node,
                      how_to_start_guard(node)));
  return concerns;
}

std::vector<Concern> judge_watchdog(const Policy& policy, const std::string& watchdog) {
  if (policy.lease_s == 0 || !watchdog.empty()) return {};
  return {
      {State::kWarning,
       "there is a lease and no watchdog: a guard that is stopped while its server lives and is "
       "cut off closes nothing, and two primaries may take writes; configure "
       "watchdog = /dev/watchdog for the guards"}};
}

std::vector<Concern> judge_votes(const Topology& topology, const Policy& policy, const Plan& plan,
                                 std::size_t votes,
                                 const std::map<std::string, std::string>& silent) {
  std::vector<Concern> concerns;
  if (votes == 0 && policy.lease_s == 0) return concerns;
  for (const auto& [name, why] : silent)
    concerns.push_back({State::kWarning, fmt::format("{} would not vote: {}", name, why)});
  std::size_t left = votes - silent.size();
  for (const Node& node : topology.nodes)
    if (node.name != plan.primary && node.facts) ++left;
  if (plan.primary.empty() && left > 0) --left;
  const std::size_t voters = topology.nodes.size() + votes, majority = voters / 2 + 1;
  if (voters == 2)
    concerns.push_back({State::kWarning,
                        "two servers vote, so that without either of them no failover takes place; "
                        "configure one more with vote = HOST:PORT"});
  if (left < majority)
    concerns.push_back(
        {State::kCritical,
         fmt::format("without {} only {} of {} servers would vote, and a failover needs {}",
                     plan.primary.empty() ? "the primary" : plan.primary, left, voters, majority)});
  return concerns;
}

}  // namespace ha
