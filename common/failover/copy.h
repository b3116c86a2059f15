// SPDX-License-Identifier: MIT
// Replaces everything that one server has by a copy of another's: with MySQL's clone plugin, by a
// logical dump, which is complete on our disk before anything of the server is touched, or by a
// command that replaces its files.
//
// For as long as a node holds no whole copy there is a file NODE.copying in the store, and, unless
// its files are being replaced, a database kHalfCopy on it for managers on other machines. Nobody
// may let it replicate.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/failover/failover.h"
#include "common/failover/options.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

inline constexpr char kHalfCopy[] = "mysql_ha_half_a_copy";

// The sessions with the nodes of a cluster; null: no answer.
using NodeSessions = std::vector<std::shared_ptr<SqlSession>>;

// Fails when somebody, on whatever machine, copies to this node now. `session` is the node's; while
// it is restarted for a copy only the other nodes' sessions tell.
Result<Done> expect_no_copier(const Node& node, SqlSession& session, const NodeSessions& all);

// Fails then too, and when a copy to this node was begun and not finished.
Result<Done> expect_whole(const Node& node, SqlSession& session, const NodeSessions& all,
                          const FailoverOptions& options);

// Who is copied to whom. The primary is asked too, so that of two copiers on different machines,
// one of which has the node restarted, only one is at work.
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
Result<Done> check_copy(const CopyTask& task, const FailoverOptions& options,
                        const ResyncOptions& resync, Clock& clock, const Say& say);

// Copies `from` to `to`, which is closed for writes: afterwards it follows nobody, stays closed,
// and has the GTIDs of its data and no others. When it fails, `to` is as it was, or no whole copy
// of anything, which the error says.
Result<CopyResult> copy_server(const CopyTask& task, const FailoverOptions& options,
                               const ResyncOptions& resync, const CopyBegins& begins, Clock& clock,
                               const Say& say);

// Removes the dumps and the password files of copyings that were killed. Precondition: the resync
// store is locked.
void remove_leftovers_of_copies(const std::string& store);

}  // namespace ha
