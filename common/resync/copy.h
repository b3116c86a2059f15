// SPDX-License-Identifier: MIT
// Replaces everything that one server has by a copy of another's: with MySQL's clone plugin, by a
// logical dump, which is complete on our disk before anything of the server is touched, or by a
// command that replaces its files. What marks a node meanwhile stands in copy_mark.h.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/mysql/topology.h"
#include "common/result.h"
#include "common/resync/copy_options.h"

namespace ha {

// Which node is copied to which. The primary is asked too, so that of two copiers on different
// machines, one of which has the node restarted, only one is at work.
struct CopyTask {
  Node from, to, primary;
  std::string run_id = {};  // names the files of this copying
};

struct CopyResult {
  BinlogPosition position;                 // of the data in the binlog of `from`
  std::vector<std::string> warnings = {};  // what could not be compared
};

// Is called when from now on the node's own data are going to be lost; a failure ends it before.
using CopyBegins = std::function<Result<Done>()>;

// Fails when a method cannot be used or the account may not do what it needs on either side, or may
// not read everything. Changes nothing.
Result<Done> check_copy(const Env& env, const CopyTask& task, const FailoverOptions& options,
                        const ResyncOptions& resync, const Log& log);

// Copies `from` to `to`, which is closed for writes: afterwards it follows no server, stays closed,
// and has the GTIDs of its data and no others. When it fails, `to` is as it was, or no complete
// copy of anything, which the error says.
Result<CopyResult> copy_server(const Env& env, const CopyTask& task, const FailoverOptions& options,
                               const ResyncOptions& resync, const CopyBegins& begins,
                               const Log& log);

// Removes the dumps and the password files of copyings that were killed. Precondition: the resync
// store is locked.
void remove_leftovers_of_copies(Files& files, const std::string& store);

}  // namespace ha
