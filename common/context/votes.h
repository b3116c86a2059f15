// SPDX-License-Identifier: MIT
// The votes for changing a cluster that several managers watch, which may be cut off from each
// other. A manager acts only while it has the votes of more than half of all voters, reachable or
// not, so at most one acts at a time. Voters are the nodes and the servers of --vote.
//
// A vote is a lock by name on the voter (GET_LOCK), held by a session whose wait_timeout is the
// lease: the server ends it that long after the manager's last statement, however the manager
// ended. A voter that was restarted has forgotten to whom it gave its vote, and is not asked before
// a lease and the margin have passed.

#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/cluster/options.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/mysql/topology.h"
#include "common/result.h"
#include "common/workers.h"

namespace ha {

inline constexpr int kVoteLease_s = 10;
// How far our clock and a server's timer may differ, and the time to act.
inline constexpr double kVoteMargin_s = 1;

// Returns why servers of --vote would not vote at this moment, by their names. Changes nothing.
std::map<std::string, std::string> find_silent_voters(const ProbeEnv& env,
                                                      const FailoverOptions& options,
                                                      const Deadline& deadline);

class Votes {
 public:
  struct Taken {
    std::unique_ptr<Votes> votes;
    bool waited;  // another manager had a vote, or a voter was started just now
  };

  // Takes the votes of a majority and keeps them until this ends, or until they are none any more.
  // While too few can be had because another manager has one, or a voter was started just now,
  // tries again for a lease and the margin. Nodes that gave `topology` no answer are not asked at
  // first. Fails with kRefused and which votes are missing, and why.
  static Result<Taken> take(const ProbeEnv& env, const FailoverOptions& options,
                            const Topology& topology, const Deadline& deadline);
  ~Votes();
  Votes(const Votes&) = delete;
  Votes& operator=(const Votes&) = delete;

  // Fails with kRefused when no majority is certain any more: a vote counts from when the last
  // statement was sent that its voter answered, until the margin before the lease's end.
  Result<Done> confirm() const;

 private:
  struct State;
  Votes(std::shared_ptr<State> state, std::unique_ptr<Job> keeper, const Clock& clock);

  const std::shared_ptr<State> state_;
  const std::unique_ptr<Job> keeper_;
  const Clock& clock_;
};

}  // namespace ha
