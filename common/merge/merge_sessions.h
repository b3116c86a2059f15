// SPDX-License-Identifier: MIT
// The two sessions of a merge. The loser's can write nothing, and holds the lock that keeps a
// resync from copying to it; the winner's holds the lock that keeps other merges away, so a lock
// that is lost takes the session with it that would write.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

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
Result<MergeSessions> open_merge_sessions(const Env& env, const FailoverOptions& options,
                                          const Node& from, const Node& to, MergeEffect effect);

}  // namespace ha
