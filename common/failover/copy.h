// SPDX-License-Identifier: MIT
// Replaces everything that one server has by a copy of another's: with MySQL's clone plugin, or by
// a logical dump, which is complete on our disk before anything of the server is touched.
//
// A server whose copy was begun and not finished holds a database of the name kHalfCopy. Nobody may
// let it replicate.

#pragma once

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

// True when a copy to this server was begun and not finished.
Result<bool> is_half_copied(SqlSession& session);

// Fails when somebody, on whatever machine, copies to this server now.
Result<Done> expect_no_copier(SqlSession& session, const FailoverOptions& options);

// Copies `from` to `to`, which is closed for writes: afterwards it follows nobody, stays closed,
// and has the GTIDs of its data and no others. Returns where the binlog of `from` was. When it
// fails, `to` is as it was, or half a copy, or (MySQL, cloning) stopped or empty; the error says
// which.
Result<BinlogPosition> copy_server(const Node& from, const Node& to, const FailoverOptions& options,
                                   const ResyncOptions& resync, const std::string& directory,
                                   Clock& clock, const Say& say);

}  // namespace ha
