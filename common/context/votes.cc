// SPDX-License-Identifier: MIT
#include "common/context/votes.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/context/node_locks.h"
#include "common/mysql/session.h"

namespace ha {

namespace {

using Session = std::shared_ptr<SqlSession>;

constexpr double kRetry_s = 0.5;
constexpr double kPoll_s = 0.02;

std::size_t count_sessions(const Ballot& ballot) {
  return static_cast<std::size_t>(
      std::ranges::count_if(ballot, [](const Vote& vote) { return vote.session != nullptr; }));
}

// Asks one voter after the other, as long as there can be a majority.
void ask_all(Ballot& ballot, const VoteTerms& terms, const Clock& clock) {
  for (Vote& vote : ballot)
    if (vote.session && count_sessions(ballot) >= majority_of(ballot.size()))
      ask(vote, terms, clock);
}

// What is known of the voters before they are asked for the first time.
Ballot list_voters(const FailoverOptions& options, const Topology& topology) {
  Ballot ballot;
  for (NodeAddress& voter : voters_of(options)) {
    const Node* const node = find_node(topology, voter.name);
    ballot.push_back({std::move(voter)});
    if (node != nullptr && node->silent()) ballot.back().obstacle = "it gives no answer";
  }
  return ballot;
}

}  // namespace

std::map<std::string, std::string> find_silent_voters(const ProbeEnv& env,
                                                      const FailoverOptions& options,
                                                      const Deadline& deadline) {
  Ballot voters;
  for (const HostPort& place : options.votes) voters.push_back({voter_at(place)});
  std::map<std::string, std::string> silent;
  for (const Vote& vote : open_sessions(env, voters, options, change_terms(options), deadline))
    if (!vote.obstacle.empty()) silent[vote.voter.name] = vote.obstacle;
  return silent;
}

// Shared with the work that keeps the votes, which may outlive the owner. A vote that was lost is
// not taken again: another manager may have acted meanwhile.
struct Votes::State {
  explicit State(VoteTerms some_terms) : terms(std::move(some_terms)) {}

  const VoteTerms terms;
  std::mutex mutex;  // held for moments, never while a server is asked or a session is closed
  Ballot ballot;     // empty: they were given back

  std::size_t size() {
    const std::lock_guard guard(mutex);
    return ballot.size();
  }

  // Returns the vote at place `i`, whose session may be null.
  Vote vote(std::size_t i) {
    const std::lock_guard guard(mutex);
    return i < ballot.size() ? ballot[i] : Vote{};
  }

  // Returns the sessions of all votes, which are given back.
  Ballot release() {
    const std::lock_guard guard(mutex);
    return std::exchange(ballot, {});
  }

  // Records what a voter answered to a statement of `sent_s`. Returns the sessions that are of no
  // use any more: when there is no majority, the rest would only keep other managers from theirs.
  std::vector<Session> record(std::size_t i, double sent_s, const Result<Done>& answer,
                              double now_s) {
    const std::lock_guard guard(mutex);
    std::vector<Session> useless;
    const auto drop = [&](Vote& vote, const std::string& obstacle) {
      if (!vote.session) return;
      useless.push_back(std::exchange(vote.session, nullptr));
      vote.obstacle = obstacle;
    };
    if (i >= ballot.size()) return useless;
    if (answer)
      ballot[i].sent_s = std::max(ballot[i].sent_s, sent_s);
    else
      drop(ballot[i], "its vote was lost: " + answer.error().text);
    if (!find_shortage(ballot, terms, now_s).empty())
      for (Vote& vote : ballot) drop(vote, "its vote was given back");
    return useless;
  }

  // Tells one voter that we are still here, unless it still owes the last answer.
  void refresh_one(std::size_t i, const Clock& clock) {
    const Vote one = vote(i);
    if (!one.session || one.busy->test_and_set()) return;
    const double sent_s = uptime_s(clock);
    const auto answer = refresh(*one.session);
    one.busy->clear();
    record(i, sent_s, answer, uptime_s(clock));
  }

  // Keeps the votes until they are given back. A voter that is slow keeps no other one waiting.
  static void keep(const std::shared_ptr<State>& state, const ProbeEnv& env) {
    while (const std::size_t count = state->size()) {
      env.workers.for_all(
          count, Deadline::after(env.clock, state->terms.refresh_s()),
          [state, &clock = env.clock](std::size_t i) { state->refresh_one(i, clock); });
      env.clock.pause(state->terms.refresh_s());
    }
  }
};

Votes::Votes(std::shared_ptr<State> state, std::unique_ptr<Job> keeper, Clock& clock)
    : state_(std::move(state)), keeper_(std::move(keeper)), clock_(clock) {}

Votes::~Votes() { state_->release(); }

Result<Votes::Taken> Votes::take(const ProbeEnv& env, const FailoverOptions& options,
                                 const VoteTerms& terms, const Topology& topology,
                                 const Deadline& deadline) {
  const Deadline patience =
      deadline.from_now(std::min(deadline.remaining_s(), terms.forgotten_s()));
  Ballot voters = list_voters(options, topology);
  for (bool waited = false;; waited = true) {
    Ballot ballot =
        open_sessions(env, voters, options, terms, patience.from_now(options.probe_timeout_s));
    refuse_twins(ballot);
    ask_all(ballot, terms, env.clock);
    const std::string shortage = find_shortage(ballot, terms, uptime_s(env.clock));
    if (shortage.empty()) {
      const auto state = std::make_shared<State>(terms);
      state->ballot = std::move(ballot);
      auto keeper = env.workers.start([state, env] { State::keep(state, env); });
      if (!keeper) return keeper.error();
      return Taken{std::unique_ptr<Votes>(new Votes(state, std::move(*keeper), env.clock)), waited};
    }
    const bool passes = std::ranges::any_of(ballot, &Vote::passes);
    ballot.clear();
    if (!passes || patience.passed() || !env.clock.sleep(kRetry_s))
      return Error{Errc::kRefused, shortage};
    // A node that was silent before may be there by now.
    voters = list_voters(options, {});
  }
}

namespace {

// Uses the session of a vote, which its keeper uses as well. False: it is not ours any more.
bool use(const Vote& vote, Clock& clock, const Deadline& deadline,
         const std::function<void(SqlSession&)>& work) {
  if (!vote.session) return false;
  while (vote.busy->test_and_set()) {
    if (deadline.passed()) return false;
    clock.pause(kPoll_s);
  }
  work(*vote.session);
  vote.busy->clear();
  return true;
}

// Returns the guard's connection to a voter; empty: there is none.
std::string find_guard(SqlSession& session, const std::string& guard_lock) {
  const auto guard = node_lock_holder(session, guard_lock);
  return guard ? *guard : "";
}

// True when a connection waits for a lock.
bool waits(SqlSession& session, const std::string& connection) {
  const auto state = read_connection(session, "STATE", connection);
  return state && *state == "User lock";
}

}  // namespace

Result<Done> Votes::hand_over(const std::string& guard_lock, const Deadline& deadline) {
  Ballot ballot;
  {
    const std::lock_guard guard(state_->mutex);
    ballot = state_->ballot;
  }
  std::size_t guards = 0, handed = 0;
  for (Vote& vote : ballot) {
    vote.passes = false;  // the guard is there, and does not have it yet
    use(vote, clock_, deadline,
        [&](SqlSession& session) { vote.passes = !find_guard(session, guard_lock).empty(); });
    guards += vote.passes;
  }
  const std::size_t majority = majority_of(ballot.size());
  for (; guards >= majority && handed < guards && !deadline.passed(); clock_.pause(kPoll_s))
    for (Vote& vote : ballot)
      if (vote.passes)
        use(vote, clock_, deadline, [&](SqlSession& session) {
          const std::string guard = find_guard(session, guard_lock);
          if (guard.empty() || !waits(session, guard)) return;
          // The name first: the guard takes it as soon as it has the vote.
          const bool freed = release_node_lock(session, state_->terms.beside) &&
                             release_node_lock(session, state_->terms.lock);
          vote.passes = !freed;
          handed += freed;
        });
  give_back();
  if (guards < majority)
    return Error{Errc::kMissing, "no guard is connected to most of the voters"};
  if (handed < majority)
    return Error{Errc::kTimedOut,
                 fmt::format("its guard has taken {} of {} votes", handed, ballot.size())};
  return Done{};
}

void Votes::give_back() {
  const Deadline moment = Deadline::after(clock_, kRetry_s);
  for (const Vote& vote : state_->release())
    use(vote, clock_, moment, [&](SqlSession& session) {
      for (const std::string& lock : {state_->terms.lock, state_->terms.beside})
        if (!lock.empty() && !release_node_lock(session, lock)) return;
    });
}

void end_holders(const ProbeEnv& env, const FailoverOptions& options, const VoteTerms& terms,
                 const Topology& topology, const Deadline& deadline) {
  std::vector<NodeAddress> voters = voters_of(options);
  std::erase_if(voters, [&](const NodeAddress& voter) {
    const Node* const node = find_node(topology, voter.name);
    return node != nullptr && node->silent();
  });
  env.workers.for_all(voters.size(), deadline, [env, options, terms, voters](std::size_t i) {
    MysqlOptions login = options_for(voters[i], options.cluster.mysql, options.probe_timeout_s);
    login.answer_timeout_s = terms.answer_s();
    const auto session = env.connector.connect(login);
    if (!session) return;
    const auto holder = node_lock_holder(**session, terms.lock);
    // One that has ended by itself is no holder any more.
    if (holder && !holder->empty() && (*session)->query("KILL CONNECTION " + *holder)) return;
  });
}

Result<Done> Votes::confirm() const {
  const std::lock_guard guard(state_->mutex);
  const std::string shortage = find_shortage(state_->ballot, state_->terms, uptime_s(clock_));
  if (!shortage.empty()) return Error{Errc::kRefused, shortage};
  return Done{};
}

}  // namespace ha
