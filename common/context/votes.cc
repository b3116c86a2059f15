// SPDX-License-Identifier: MIT
#include "common/context/votes.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/context/node_locks.h"
#include "common/mysql/server_identity.h"
#include "common/mysql/session.h"
#include "common/mysql/variables.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

using Session = std::shared_ptr<SqlSession>;

constexpr double kRetry_s = 0.5;
constexpr double kRefresh_s = 2.5;
constexpr unsigned kAnswer_s = 4;  // with kRefresh_s before it, well within the lease
// When a vote that was given may be given again at the latest.
constexpr double kForgotten_s = kVoteLease_s + kVoteMargin_s;
// For this long a vote is certain.
constexpr double kCertain_s = kVoteLease_s - kVoteMargin_s;

// One voter, and its vote as long as it is ours.
struct Vote {
  NodeAddress voter;
  std::string obstacle = {};  // why its vote is not ours
  bool passes = false;        // the obstacle, within kForgotten_s
  Session session = {};       // null: its vote is not ours
  std::string server = {};    // its identity
  double sent_s = 0;          // when the last statement was sent that it answered: uptime_s()
};
using Ballot = std::vector<Vote>;

// A host that slept has not refreshed a vote either.
double uptime_s(const Clock& clock) {
  const Moment now = clock.moment();
  return now.boot.empty() ? clock.monotonic_s() : now.uptime_s;
}

NodeAddress voter_at(const HostPort& place) {
  return {format_host_port(place), place.host, place.port};
}

// Returns all voters, in an order that is the same for managers that call them the same.
std::vector<NodeAddress> voters_of(const FailoverOptions& options) {
  std::vector<NodeAddress> voters = options.cluster.nodes;
  for (const HostPort& place : options.votes) voters.push_back(voter_at(place));
  std::ranges::sort(voters, {}, [](const NodeAddress& one) {
    return format_host_port({one.host, one.port});
  });
  return voters;
}

std::size_t majority_of(const Ballot& ballot) { return ballot.size() / 2 + 1; }

std::size_t count_sessions(const Ballot& ballot) {
  return static_cast<std::size_t>(
      std::ranges::count_if(ballot, [](const Vote& vote) { return vote.session != nullptr; }));
}

// Returns why there is no majority at this moment, empty when there is one.
std::string find_shortage(const Ballot& ballot, double now_s) {
  std::size_t votes = 0;
  std::vector<std::string> missing;
  for (const Vote& vote : ballot)
    if (vote.session && now_s - vote.sent_s < kCertain_s)
      ++votes;
    else
      missing.push_back(
          fmt::format("{}: {}", vote.voter.name,
                      vote.session ? "its last answer is older than " + format_duration(kCertain_s)
                                   : vote.obstacle));
  if (votes >= majority_of(ballot)) return "";
  return fmt::format(
      "a change needs the votes of {} of {} servers, and this manager can have {}: {}",
      majority_of(ballot), ballot.size(), votes == 0 ? "none" : std::to_string(votes),
      join(missing, "; "));
}

// Returns an error's text without the address that its voter's name tells.
std::string text_of(const Error& error, const MysqlOptions& login) {
  const std::string label = server_label(login) + ": ";
  return error.text.starts_with(label) ? error.text.substr(label.size()) : error.text;
}

// Reads who the voter is, and whether it can know to whom it gave its vote.
Result<Done> examine(SqlSession& session, Vote& vote) {
  const auto identity = read_server_identity(session);
  if (!identity) return identity.error();
  vote.server = identity->id;
  const auto status = read_variables(session, "SHOW GLOBAL STATUS LIKE 'Uptime'");
  if (!status) return status.error();
  const auto uptime = status->find("uptime");
  const double age_s = uptime == status->end() ? -1 : parse_number(uptime->second).value_or(-1);
  // It counts by the wall clock, which may have been set since.
  constexpr double kTenYears_s = 3e8;
  if (age_s >= kForgotten_s && age_s < kTenYears_s) return Done{};
  vote.passes = true;
  vote.obstacle = fmt::format("it was started just now and votes {} after its start",
                              format_duration(kForgotten_s));
  return Done{};
}

// Connects to a voter, in a session that ends with the lease.
Vote open_session(const ProbeEnv& env, Vote vote, const FailoverOptions& options) {
  vote.sent_s = uptime_s(env.clock);
  MysqlOptions login = options_for(vote.voter, options.cluster.mysql, options.probe_timeout_s);
  login.answer_timeout_s = kAnswer_s;
  auto session = env.connector.connect(login);
  if (!session) {
    vote.obstacle = text_of(session.error(), login);
    return vote;
  }
  const auto set = (*session)->query(fmt::format("SET SESSION wait_timeout = {}", kVoteLease_s));
  const auto known = set ? examine(**session, vote) : Result<Done>(set.error());
  if (!known) vote.obstacle = text_of(known.error(), login);
  if (vote.obstacle.empty()) vote.session = std::move(*session);
  return vote;
}

// Connects to those voters that have no obstacle, all at the same time.
Ballot open_sessions(const ProbeEnv& env, const Ballot& voters, const FailoverOptions& options,
                     const Deadline& deadline) {
  auto answers =
      run_each<Vote>(env.workers, voters.size(), deadline, [env, voters, options](std::size_t i) {
        return voters[i].obstacle.empty() ? open_session(env, voters[i], options) : voters[i];
      });
  Ballot ballot = voters;
  for (std::size_t i = 0; i < ballot.size(); ++i)
    if (answers[i])
      ballot[i] = std::move(*answers[i]);
    else
      ballot[i].obstacle = "it gives no answer in time";
  return ballot;
}

// One server has one vote, under whatever names it is known.
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
  // Sessions of our own account are shown without a privilege.
  const auto host =
      query_value(session, "SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = " + *holder);
  return fmt::format("another manager has its vote (connection {}{})", *holder,
                     host ? " from " + sanitize(*host) : "");
}

// Asks a voter for its vote.
void ask(Vote& vote, const std::string& lock, const Clock& clock) {
  vote.sent_s = uptime_s(clock);
  const auto got = take_node_lock(*vote.session, lock, 0);
  if (got && *got) return;
  vote.passes = got.has_value();
  vote.obstacle = got ? describe_holder(*vote.session, lock) : got.error().text;
  vote.session.reset();
}

// Asks one voter after the other, as long as there can be a majority.
void ask_all(Ballot& ballot, const std::string& lock, const Clock& clock) {
  for (Vote& vote : ballot)
    if (vote.session && count_sessions(ballot) >= majority_of(ballot)) ask(vote, lock, clock);
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
  for (const Vote& vote : open_sessions(env, voters, options, deadline))
    if (!vote.obstacle.empty()) silent[vote.voter.name] = vote.obstacle;
  return silent;
}

namespace {

// When a voter was told that we are still here, or why its vote is not ours any more.
struct Refreshment {
  double sent_s = 0;
  std::string error = {};
};
using Refreshments = std::vector<std::optional<Refreshment>>;  // by voter; nullopt: no answer yet

// Tells the voters that we are still here, all at the same time.
Refreshments refresh(const ProbeEnv& env, const std::vector<std::weak_ptr<SqlSession>>& sessions) {
  return run_each<Refreshment>(env.workers, sessions.size(),
                               Deadline::after(env.clock, kAnswer_s + kRetry_s),
                               [&clock = env.clock, sessions](std::size_t i) -> Refreshment {
                                 const Session session = sessions[i].lock();
                                 if (!session) return {};
                                 const double sent_s = uptime_s(clock);
                                 const auto answer = session->query("DO 0");
                                 return {sent_s, answer ? "" : answer.error().text};
                               });
}

}  // namespace

// Shared with the work that keeps the votes, which may outlive the owner. A vote that was lost is
// not taken again: another manager may have acted meanwhile.
struct Votes::State {
  std::mutex mutex;  // held for moments, never while a server is asked or a session is closed
  Ballot ballot;     // empty: they were given back

  std::vector<std::weak_ptr<SqlSession>> sessions() {
    const std::lock_guard guard(mutex);
    std::vector<std::weak_ptr<SqlSession>> all;
    for (const Vote& vote : ballot) all.emplace_back(vote.session);
    return all;
  }

  // Returns the sessions of all votes, which are given back.
  Ballot release() {
    const std::lock_guard guard(mutex);
    return std::exchange(ballot, {});
  }

  // Records what the voters answered. Returns the sessions that are of no use any more: when there
  // is no majority, the rest would only keep other managers from theirs.
  std::vector<Session> record(const Refreshments& answers, double now_s) {
    const std::lock_guard guard(mutex);
    std::vector<Session> useless;
    const auto drop = [&](Vote& vote, const std::string& obstacle) {
      if (!vote.session) return;
      useless.push_back(std::exchange(vote.session, nullptr));
      vote.obstacle = obstacle;
    };
    for (std::size_t i = 0; i < ballot.size() && i < answers.size(); ++i) {
      if (!answers[i]) continue;
      if (answers[i]->error.empty())
        ballot[i].sent_s = std::max(ballot[i].sent_s, answers[i]->sent_s);
      else
        drop(ballot[i], "its vote was lost: " + answers[i]->error);
    }
    if (!find_shortage(ballot, now_s).empty())
      for (Vote& vote : ballot) drop(vote, "its vote was given back");
    return useless;
  }

  // Keeps the votes until they are given back.
  void keep(const ProbeEnv& env) {
    for (auto all = sessions(); !all.empty(); all = sessions()) {
      const Refreshments answers = refresh(env, all);
      record(answers, uptime_s(env.clock));
      env.clock.pause(kRefresh_s);
    }
  }
};

Votes::Votes(std::shared_ptr<State> state, std::unique_ptr<Job> keeper, const Clock& clock)
    : state_(std::move(state)), keeper_(std::move(keeper)), clock_(clock) {}

Votes::~Votes() { state_->release(); }

Result<Votes::Taken> Votes::take(const ProbeEnv& env, const FailoverOptions& options,
                                 const Topology& topology, const Deadline& deadline) {
  const Deadline patience = deadline.from_now(std::min(deadline.remaining_s(), kForgotten_s));
  const std::string lock = options.vote_lock();
  Ballot voters = list_voters(options, topology);
  for (bool waited = false;; waited = true) {
    Ballot ballot = open_sessions(env, voters, options, patience.from_now(options.probe_timeout_s));
    refuse_twins(ballot);
    ask_all(ballot, lock, env.clock);
    const std::string shortage = find_shortage(ballot, uptime_s(env.clock));
    if (shortage.empty()) {
      const auto state = std::make_shared<State>();
      state->ballot = std::move(ballot);
      auto keeper = env.workers.start([state, env] { state->keep(env); });
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

Result<Done> Votes::confirm() const {
  const std::lock_guard guard(state_->mutex);
  const std::string shortage = find_shortage(state_->ballot, uptime_s(clock_));
  if (!shortage.empty()) return Error{Errc::kRefused, shortage};
  return Done{};
}

}  // namespace ha
