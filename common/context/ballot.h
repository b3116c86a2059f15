// SPDX-License-Identifier: MIT
// The voters of a cluster, which are the nodes and the servers of --vote, and what of their votes
// one manager has. Two things are voted on: who may change the cluster (common/context/votes.h),
// and beside which node the primary's lease is (common/context/lease_watch.h).
//
// A vote is a lock by name on the voter (GET_LOCK), held by a session whose wait_timeout is the
// lease: the server ends it that long after the holder's last statement, however the holder ended.
// A voter that was restarted has forgotten to whom it gave its vote, and is not asked before a
// lease and the margin have passed.

#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/cluster/options.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// What is voted on.
struct VoteTerms {
  std::string purpose;  // for people: "a change" needs the votes of ...
  std::string lock;     // its name on each voter
  std::string beside;   // a lock beside it that tells for which node; empty: none
  int lease_s;          // for which a voter keeps a vote after its holder's last statement
  double margin_s;      // how far our clock and a server's timer may differ, and the time to act

  // For this long a vote is certain.
  double certain_s() const { return lease_s - margin_s; }
  // When a vote that was given may be given again at the latest.
  double forgotten_s() const { return lease_s + margin_s; }
  // How often a holder says that it is still there.
  double refresh_s() const { return certain_s() / 4; }
  // How long a voter may take for an answer, in whole seconds.
  unsigned answer_s() const;
};

// Returns the terms of the votes for changing the cluster, and of the primary's for that node.
VoteTerms change_terms(const FailoverOptions& options);
VoteTerms lease_terms(const FailoverOptions& options, std::string_view node);

// One voter, and its vote as long as it is ours.
struct Vote {
  NodeAddress voter;
  std::string obstacle = {};                    // why its vote is not ours
  bool passes = false;                          // the obstacle, within VoteTerms::forgotten_s()
  std::shared_ptr<SqlSession> session = {};     // null: its vote is not ours
  std::shared_ptr<std::atomic_flag> busy = {};  // set while a statement of the session runs
  std::string server = {};                      // its identity
  double sent_s = 0;  // when the last statement was sent that it answered: uptime_s()
};
using Ballot = std::vector<Vote>;

// Returns seconds since the boot of this machine, its sleep included: a host that slept has not
// refreshed a vote either.
double uptime_s(const Clock& clock);

// Returns a server of --vote as a voter.
NodeAddress voter_at(const HostPort& place);

// Returns all voters, in an order that is the same for managers that call them the same.
std::vector<NodeAddress> voters_of(const FailoverOptions& options);

// Returns how many votes are more than half.
inline std::size_t majority_of(std::size_t voters) { return voters / 2 + 1; }

// Returns why there is no majority at `now_s`, empty when there is one. A vote counts from when the
// last statement was sent that its voter answered, for as long as it is certain.
std::string find_shortage(const Ballot& ballot, const VoteTerms& terms, double now_s);

// Connects to a voter, in a session that ends with the lease. Without an obstacle then it may be
// asked for its vote.
Vote open_session(const ProbeEnv& env, Vote vote, const FailoverOptions& options,
                  const VoteTerms& terms);

// Connects to those voters that have no obstacle, all at the same time.
Ballot open_sessions(const ProbeEnv& env, const Ballot& voters, const FailoverOptions& options,
                     const VoteTerms& terms, const Deadline& deadline);

// Gives a vote of a server that has another one already, under whatever name, an obstacle.
void refuse_twins(Ballot& ballot);

// Takes a vote in our session: its lock, which is waited for in the server's own queue for up to
// `wait_s` seconds, and the one beside it. False: another session has one of them, and we neither.
Result<bool> take_vote(SqlSession& session, const VoteTerms& terms, int wait_s);

// Asks a voter for its vote. One that has given it to another manager has an obstacle then.
void ask(Vote& vote, const VoteTerms& terms, const Clock& clock);

// Returns who has a lock, for people.
std::string describe_holder(SqlSession& session, const std::string& lock);

// Tells a voter that we are still here. Fails when its vote is not ours any more.
Result<Done> refresh(SqlSession& session);

}  // namespace ha
