// SPDX-License-Identifier: MIT
// The sessions of a merge, in pairs that work at the same time. The loser's can write nothing, and
// its first holds the lock that keeps a resync from copying to it. Each of the winner's holds a
// lock of those that another merge needs all of: a lock that is lost takes the session with it that
// would write, and a commit that outlives its merge keeps the next one away.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/merge/merge_options.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

struct MergeSessions {
  std::shared_ptr<SqlSession> loser, winner;
  std::string from, to;          // names of the nodes
  std::uint64_t most_bytes = 0;  // of a statement that the winner takes
};

// Logs in to both nodes and takes the locks there unless `effect` is to count. Fails with
// kRefused when another merge, or a resync of the loser, has one of them.
Result<std::vector<MergeSessions>> open_merge_sessions(const Env& env,
                                                       const FailoverOptions& options,
                                                       const Node& from, const Node& to,
                                                       MergeEffect effect);

// Logs in to the winner alone, with one session that takes all of its locks.
Result<MergeSessions> open_winner_session(const Env& env, const FailoverOptions& options,
                                          const Node& to, MergeEffect effect);

}  // namespace ha
