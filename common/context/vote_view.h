// SPDX-License-Identifier: MIT
// Who votes, and to whom the votes for changing a cluster are given at this moment (votes.h), for
// people and for checks. Nothing is asked for: a look takes no vote.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/address.h"
#include "common/cluster/node_options.h"
#include "common/deadline.h"
#include "common/env.h"

namespace ha {

struct VoterView {
  std::string name = {};
  std::string trouble = {};     // why it gives no answer; empty: it answers
  std::string connection = {};  // that has its vote; empty: none has
  std::string host = {};        // from which that one came; empty: not known
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

// Looks at all voters at the same time: the nodes, and the servers of `votes`; at none when there
// are no such servers. `lock` is the name of the lock that is a vote.
VoteView look_at_votes(const ProbeEnv& env, const ClusterOptions& cluster,
                       const std::vector<HostPort>& votes, const std::string& lock,
                       const Deadline& deadline);

// Returns who votes and who has the votes, in one sentence for people; empty without voters.
std::string describe_votes(const VoteView& view);

}  // namespace ha
