// SPDX-License-Identifier: MIT
#include "common/context/ballot.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/context/node_locks.h"
#include "common/mysql/server_identity.h"
#include "common/mysql/variables.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr int kChangeLease_s = 10;
constexpr double kChangeMargin_s = 1;

// Reads who the voter is, and whether it can know to whom it gave its vote.
Result<Done> examine(SqlSession& session, Vote& vote, const VoteTerms& terms) {
  const auto identity = read_server_identity(session);
  if (!identity) return identity.error();
  vote.server = identity->id;
  const auto uptime = read_uptime_s(session);
  if (!uptime) return uptime.error();
  const double age_s = uptime->value_or(-1);
  // It counts by the wall clock, which may have been set since.
  constexpr double kTenYears_s = 3e8;
  if (age_s >= terms.forgotten_s() && age_s < kTenYears_s) return Done{};
  vote.passes = true;
  vote.obstacle = fmt::format("it was started just now and votes {} after its start",
                              format_duration(terms.forgotten_s()));
  return Done{};
}

}  // namespace

unsigned VoteTerms::answer_s() const {
  constexpr double kOfCertain = 0.45;  // with a refresh before it, well within it
  return std::max(1u, static_cast<unsigned>(certain_s() * kOfCertain));
}

VoteTerms change_terms(const FailoverOptions& options) {
  return {"a change", options.vote_lock(), "", kChangeLease_s, kChangeMargin_s};
}

VoteTerms lease_terms(const FailoverOptions& options, std::string_view node) {
  return {fmt::format("the lease of {}", node), options.lease_lock(), options.lease_node_lock(node),
          options.lease.lease_s, options.lease.margin_s};
}

double uptime_s(const Clock& clock) {
  const Moment now = clock.moment();
  return now.boot.empty() ? clock.monotonic_s() : now.uptime_s;
}

NodeAddress voter_at(const HostPort& place) {
  return {format_host_port(place), place.host, place.port};
}

std::vector<NodeAddress> voters_of(const FailoverOptions& options) {
  std::vector<NodeAddress> voters = options.cluster.nodes;
  for (const HostPort& place : options.votes) voters.push_back(voter_at(place));
  std::ranges::sort(voters, {}, [](const NodeAddress& one) {
    return format_host_port({one.host, one.port});
  });
  return voters;
}

std::string find_shortage(const Ballot& ballot, const VoteTerms& terms, double now_s) {
  std::size_t votes = 0;
  std::vector<std::string> missing;
  for (const Vote& vote : ballot)
    if (vote.session && now_s - vote.sent_s < terms.certain_s())
      ++votes;
    else
      missing.push_back(fmt::format(
          "{}: {}", vote.voter.name,
          vote.session ? "its last answer is older than " + format_duration(terms.certain_s())
                       : vote.obstacle));
  if (votes >= majority_of(ballot.size())) return "";
  return fmt::format("{} needs the votes of {} of {} servers, and this manager can have {}: {}",
                     terms.purpose, majority_of(ballot.size()), ballot.size(),
                     votes == 0 ? "none" : std::to_string(votes), join(missing, "; "));
}

Vote open_session(const ProbeEnv& env, Vote vote, const FailoverOptions& options,
                  const VoteTerms& terms) {
  vote.sent_s = uptime_s(env.clock);
  MysqlOptions login = options_for(vote.voter, options.cluster.mysql, options.probe_timeout_s);
  login.answer_timeout_s = terms.answer_s();
  auto session = env.connector.connect(login);
  if (!session) {
    vote.obstacle = without_label(session.error(), login);
    return vote;
  }
  const auto set = (*session)->query(fmt::format("SET SESSION wait_timeout = {}", terms.lease_s));
  const auto known = set ? examine(**session, vote, terms) : Result<Done>(set.error());
  if (!known) vote.obstacle = without_label(known.error(), login);
  if (!vote.obstacle.empty()) return vote;
  vote.session = std::move(*session);
  vote.busy = std::make_shared<std::atomic_flag>();
  return vote;
}

Ballot open_sessions(const ProbeEnv& env, const Ballot& voters, const FailoverOptions& options,
                     const VoteTerms& terms, const Deadline& deadline) {
  auto answers = run_each<Vote>(
      env.workers, voters.size(), deadline, [env, voters, options, terms](std::size_t i) {
        return voters[i].obstacle.empty() ? open_session(env, voters[i], options, terms)
                                          : voters[i];
      });
  Ballot ballot = voters;
  for (std::size_t i = 0; i < ballot.size(); ++i)
    if (answers[i])
      ballot[i] = std::move(*answers[i]);
    else
      ballot[i].obstacle = "it gives no answer in time";
  return ballot;
}

void refuse_twins(Ballot& ballot) {
  for (std::size_t i = 0; i < ballot.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (ballot[i].session && ballot[j].session && ballot[i].server == ballot[j].server) {
        ballot[i].session.reset();
        ballot[i].obstacle = "it is the same server as " + ballot[j].voter.name;
      }
}

std::string describe_holder(SqlSession& session, const std::string& lock) {
  const auto holder = node_lock_holder(session, lock);
  if (!holder || holder->empty()) return "another manager has its vote";
  const auto host = read_connection(session, "HOST", *holder);
  return fmt::format("another manager has its vote (connection {}{})", *holder,
                     host ? " from " + sanitize(*host) : "");
}

Result<bool> take_vote(SqlSession& session, const VoteTerms& terms, int wait_s) {
  const auto got = take_node_lock(session, terms.lock, wait_s);
  if (!got || !*got || terms.beside.empty()) return got;
  const auto named = take_node_lock(session, terms.beside, 0);
  if (!named || *named) return named;
  // Nobody could tell whose the vote is.
  if (const auto freed = release_node_lock(session, terms.lock); !freed) return freed.error();
  return false;
}

void ask(Vote& vote, const VoteTerms& terms, const Clock& clock) {
  vote.sent_s = uptime_s(clock);
  const auto got = take_vote(*vote.session, terms, 0);
  if (got && *got) return;
  vote.passes = got.has_value();
  vote.obstacle = got ? describe_holder(*vote.session, terms.lock) : got.error().text;
  vote.session.reset();
}

Result<Done> refresh(SqlSession& session) {
  const auto answer = session.query("DO 0");
  return answer ? Result<Done>(Done{}) : answer.error();
}

}  // namespace ha
