// SPDX-License-Identifier: MIT
// The votes of a majority (common/context/ballot.h) that one run has. Managers may be cut off from
// each other: one acts only while it has the votes of more than half of all voters, reachable or
// not, so at most one acts at a time.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/cluster/options.h"
#include "common/context/ballot.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/mysql/topology.h"
#include "common/result.h"
#include "common/workers.h"

namespace ha {

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
                            const VoteTerms& terms, const Topology& topology,
                            const Deadline& deadline);
  ~Votes();
  Votes(const Votes&) = delete;
  Votes& operator=(const Votes&) = delete;

  // Hands the votes of a primary over to the guard that is connected under `guard_lock` and waits
  // for them: no other manager gets one between. Fails with kMissing when there is no such guard,
  // kTimedOut when it does not take a majority of them. No vote is ours then.
  Result<Done> hand_over(const std::string& guard_lock, const Deadline& deadline);

  // Gives the votes back, so that others can have them at once.
  void give_back();

  // Fails with kRefused when no majority is certain any more: a vote counts from when the last
  // statement was sent that its voter answered, until the margin before the lease's end.
  Result<Done> confirm() const;

 private:
  struct State;
  Votes(std::shared_ptr<State> state, std::unique_ptr<Job> keeper, Clock& clock);

  const std::shared_ptr<State> state_;
  const std::unique_ptr<Job> keeper_;
  Clock& clock_;
};

// The votes of a primary that a run has, from the step that takes them to the one that hands them
// over.
struct LeaseSlot {
  std::mutex mutex;
  std::unique_ptr<Votes> votes = {};  // null: none
};

// Ends the sessions of other managers that have a vote: of a primary that takes no writes any more.
// Nodes that gave `topology` no answer are not asked.
void end_holders(const ProbeEnv& env, const FailoverOptions& options, const VoteTerms& terms,
                 const Topology& topology, const Deadline& deadline);

}  // namespace ha
