// SPDX-License-Identifier: MIT
// The connections over which a primary sends its binlog to replicas. It learns of a replica that is
// cut off only after minutes, and some versions of MariaDB let no client in any more when such a
// replica connects again before that (FAULTS OF SERVERS in mysql_ha(1)).

#pragma once

#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/mysql/options.h"
#include "common/mysql/session.h"
#include "common/parallel.h"
#include "common/result.h"

namespace ha {

// Which replicas are gone, and which answer.
struct ReplicaAddresses {
  std::vector<NodeAddress> gone = {}, there = {};
};

// Ends those to replicas that are gone, on a MariaDB that waits for acknowledgements; an address
// that belongs to one that answers, too, is left alone. Returns how many were ended.
Result<int> end_binlog_dumps(SqlSession& session, Resolver& network,
                             const ReplicaAddresses& replicas);

// Does that on a primary that acknowledges nothing without a replica, beside the caller and in a
// session of its own. Fails when no thread is free.
Result<Pending<Result<int>>> begin_end_of_binlog_dumps(const Env& env,
                                                       const ClusterOptions& cluster,
                                                       const std::string& node,
                                                       const ReplicaAddresses& replicas);

}  // namespace ha
