// SPDX-License-Identifier: MIT
#include "common/context/vote_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "common/context/ballot.h"
#include "common/context/node_locks.h"
#include "common/mysql/session.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

// The connection's HOST without its port, which tells nothing.
std::string without_port(const std::string& host) { return host.substr(0, host.rfind(':')); }

VoterView look_at(const ProbeEnv& env, const NodeAddress& voter, const MysqlOptions& login,
                  const FailoverOptions& options) {
  VoterView view{voter.name};
  const auto session = env.connector.connect(login);
  const auto holder = session ? node_lock_holder(**session, options.vote_lock())
                              : Result<std::string>(session.error());
  if (!holder) {
    view.trouble = sanitize(without_label(holder.error(), login));
    return view;
  }
  if (options.lease.lease_s > 0)
    if (const auto lease = read_lease(**session, options)) view.lease = *lease;
  view.connection = *holder;
  if (holder->empty()) return view;
  const auto host = read_connection(**session, "HOST", *holder);
  if (host) view.host = sanitize(without_port(*host));
  return view;
}

std::string describe_voter(const VoterView& voter) {
  return fmt::format("{} (connection {}{})", voter.name, voter.connection,
                     voter.host.empty() ? "" : " from " + voter.host);
}

}  // namespace

std::size_t VoteView::needed() const { return majority_of(voters.size()); }

std::size_t VoteView::answering() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(voters, [](const VoterView& one) { return one.trouble.empty(); }));
}

std::size_t VoteView::given() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(voters, [](const VoterView& one) { return !one.connection.empty(); }));
}

std::string VoteView::majority_host() const {
  std::map<std::string, std::size_t> votes;
  for (const VoterView& voter : voters)
    if (!voter.connection.empty() && !voter.host.empty() && ++votes[voter.host] >= needed())
      return voter.host;
  return "";
}

VoteView look_at_votes(const ProbeEnv& env, const FailoverOptions& options,
                       const Deadline& deadline) {
  if (!options.needs_votes()) return {};
  std::vector<NodeAddress> voters = options.cluster.nodes;
  for (const HostPort& place : options.votes) voters.push_back(voter_at(place));
  const double seconds = deadline.remaining_s();
  const auto answers = run_each<VoterView>(
      env.workers, voters.size(), deadline, [env, voters, options, seconds](std::size_t i) {
        return look_at(env, voters[i], options_for(voters[i], options.cluster.mysql, seconds),
                       options);
      });
  VoteView view;
  for (std::size_t i = 0; i < voters.size(); ++i)
    view.voters.push_back(answers[i].value_or(VoterView{voters[i].name, "no answer in time"}));
  return view;
}

std::string describe_votes(const VoteView& view) {
  if (view.voters.empty()) return "";
  std::vector<std::string> given, silent;
  for (const VoterView& voter : view.voters) {
    if (!voter.connection.empty()) given.push_back(describe_voter(voter));
    if (!voter.trouble.empty())
      silent.push_back(fmt::format("{} gives no answer: {}", voter.name, voter.trouble));
  }
  std::string text =
      fmt::format("votes: {} of {} are needed for a change, ", view.needed(), view.voters.size());
  if (given.empty())
    text += view.answering() == 0 ? "it is not known whether a manager has any"
            : silent.empty()      ? "no manager has any"
                                  : "no manager has any of those that answer";
  if (!given.empty()) text += "given are those of " + join(given, ", ");
  if (const std::string host = view.majority_host(); !host.empty())
    text += fmt::format("; a manager on {} has the majority", host);
  for (const std::string& one : silent) text += "; " + one;
  if (view.answering() < view.needed()) text += "; too few answer for any change";
  return text;
}

LeaseWord tell_lease(const VoteView& view, const FailoverOptions& options,
                     const std::string& node) {
  if (options.lease.lease_s == 0) return {};
  std::vector<LeaseSighting> sightings;
  for (const VoterView& voter : view.voters) sightings.push_back({.now = voter.lease});
  return tell_lease(judge_lease(sightings, node), node, options.lease.lease_s);
}

LeaseSummary summarize_lease(const VoteView& view, const FailoverOptions& options) {
  if (options.lease.lease_s == 0) return {};
  LeaseSummary summary{.voters = view.voters.size(), .needed = view.needed()};
  for (const NodeAddress& node : options.cluster.nodes) {
    GuardSighting guard{node.name};
    std::vector<double> silent_s;
    for (const VoterView& voter : view.voters) {
      if (!voter.lease) continue;
      guard.voters += voter.lease->guards.contains(node.name);
      if (voter.lease->node != node.name) continue;
      ++guard.votes;
      if (voter.lease->silent_s) silent_s.push_back(*voter.lease->silent_s);
    }
    // A majority is as old as its oldest vote.
    std::ranges::sort(silent_s);
    if (silent_s.size() >= summary.needed)
      summary.left_s = std::max(
          0.0, options.lease.lease_s - options.lease.margin_s - silent_s[summary.needed - 1]);
    summary.guards.push_back(std::move(guard));
  }
  summary.answering = static_cast<std::size_t>(std::ranges::count_if(
      view.voters, [](const VoterView& voter) { return voter.lease.has_value(); }));
  return summary;
}

}  // namespace ha
