// SPDX-License-Identifier: MIT
// check_mysql_split_brain: over all nodes, is there exactly one writer, and does everybody have the
// same history?

#pragma once

#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/cluster/node_options.h"
#include "common/deadline.h"
#include "common/mysql/memory_file.h"
#include "common/mysql/topology.h"
#include "common/mysql/write_probe.h"

namespace ha {

struct SplitBrainLimits {
  unsigned allowed_writers = 1;
  State unreachable = State::kWarning;
  Thresholds errant = {};  // beside the WARNING that any errant transaction is
};

CheckResult evaluate(const Topology& topology, const SplitBrainLimits& limits);

// Reads every node at the same time; what does not answer is a fact. What is seen is remembered in
// `file` for a failover; why it is not, is a remark among the notes of the cluster. `write` is
// asked of the writers.
Topology gather(const ProbeEnv& env, ClusterOptions& cluster, const MemoryFile& file,
                const WriteProbe& write, const Deadline& deadline);

}  // namespace ha
