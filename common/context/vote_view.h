// SPDX-License-Identifier: MIT
// Who votes, and to whom the votes for changing a cluster (votes.h) and those of the primary's
// lease (lease_watch.h) are given at this moment, for people and for checks. Nothing is asked for:
// a look takes no vote.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/lease_watch.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/lease_summary.h"

namespace ha {

struct VoterView {
  std::string name = {};
  std::string trouble = {};     // why it gives no answer; empty: it answers
  std::string connection = {};  // that has its vote; empty: none has
  std::string host = {};        // from which that one came; empty: not known
  // What it tells of the lease; nullopt: nothing, or there is no lease.
  std::optional<LeaseReading> lease = {};
};

struct VoteView {
  std::vector<VoterView> voters = {};  // empty: no votes are needed

  std::size_t needed() const;
  std::size_t answering() const;
  std::size_t given() const;
  // The host whose connections have a majority of the votes; empty: no host has, or several hosts
  // have it together.
  std::string majority_host() const;
};

// Looks at all voters at the same time: the nodes, and the servers of --vote; at none when no votes
// are needed.
VoteView look_at_votes(const ProbeEnv& env, const FailoverOptions& options,
                       const Deadline& deadline);

// Returns who votes and who has the votes, in one sentence for people; empty without voters.
std::string describe_votes(const VoteView& view);

// Returns what the voters tell of the lease of a node; nothing without a lease. Pure.
LeaseWord tell_lease(const VoteView& view, const FailoverOptions& options, const std::string& node);

// Returns what the voters tell of the lease and of the guards of all nodes. Pure.
LeaseSummary summarize_lease(const VoteView& view, const FailoverOptions& options);

}  // namespace ha
