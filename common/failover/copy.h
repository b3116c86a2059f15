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
#include <string>

#include "common/clock.h"
#include "common/failover/failover.h"
#include "common/failover/options.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

inline constexpr char kHalfCopy[] = "mysql_ha_half_a_copy";

// Fails when somebody, on whatever machine, copies to this server now.
Result<Done> expect_no_copier(SqlSession& session, const FailoverOptions& options);

// Fails then too, and when a copy to this node was begun and not finished.
Result<Done> expect_whole(SqlSession& session, const FailoverOptions& options,
                          const std::string& node);

// Is called when from now on the node's own data are going to be lost; a failure ends it before.
using CopyBegins = std::function<Result<Done>()>;

// Copies `from` to `to`, which is closed for writes: afterwards it follows nobody, stays closed,
// and has the GTIDs of its data and no others. Returns where the binlog of `from` was. When it
// fails, `to` is as it was, or no whole copy of anything, which the error says.
Result<BinlogPosition> copy_server(const Node& from, const Node& to, const FailoverOptions& options,
                                   const ResyncOptions& resync, const CopyBegins& begins,
                                   Clock& clock, const Say& say);

}  // namespace ha
