// SPDX-License-Identifier: MIT
// The view that a decision is made on: the topology as it is now, and what the journal and the
// witnesses say of the moment.

#pragma once

#include <memory>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/run_store.h"
#include "common/env.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"

namespace ha {

struct Observation {
  Topology topology;
  std::vector<std::shared_ptr<SqlSession>> sessions = {};  // of the nodes; null: no facts
  Context context = {};
};

// Probes all nodes and asks the witnesses at the same time, within --probe-timeout; a node that is
// alive and cannot be read is asked again until then. What was seen of one writer is remembered.
Observation observe(const Env& env, const FailoverOptions& options);

// Adds what the journals tell of the nodes. Fails when one that counts cannot be read.
Result<Done> add_history(const RunStore& store, const std::vector<NodeAddress>& nodes,
                         const Moment& now, Context& context);

}  // namespace ha
