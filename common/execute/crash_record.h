// SPDX-License-Identifier: MIT
// What the journals tell of the change after which a node is to return: which node replaced it, and
// what of its own binlog the new primary had.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/run_store.h"
#include "common/failover/plan.h"
#include "common/failover/run.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

// Returns one run of a store by its id.
using ReadRun = std::function<Result<Run>(const std::string& id)>;

// Returns the newest run that tells how `node` is to return: the change in which the present
// primary replaced it, or a resync that has replaced its data. nullopt: the newest change replaced
// another node, so an older one tells nothing any more; or there was none. `ids` are in the order
// in which the runs began. Reads no run that is older than the answer. Pure but for `read`.
Result<std::optional<Run>> find_replacement(const std::string& node,
                                            const std::vector<std::string>& ids,
                                            const ReadRun& read);

// Returns what a run that replaced a node, or its data, tells of it without asking the node. Pure.
CrashRecord record_of(const Run& run);

// Returns what is known of a node whose data were replaced by the plan of that: only how it
// replicates. Pure.
CrashRecord record_of_copy(const Plan& plan);

// What the binlog of the replaced node has after the position up to which the new primary had it.
struct BinlogTail {
  bool lost = false;  // it ends before: the node lacks what it wrote itself
  std::optional<std::uint64_t> transactions = {};  // nullopt: that binlog is gone
};

// Adds to the record of a run what the node's binlog tells; what was rescued from the node's disk
// is not counted. Pure.
CrashRecord add_tail(CrashRecord record, const Run& run, const BinlogTail& tail);

// Finds the crash record of `node` in a store. Without GTIDs the node is asked for the tail of its
// binlog; one that gave no facts is not.
Result<std::optional<CrashRecord>> find_crash_record(Connector& connector, const RunStore& store,
                                                     const std::string& node,
                                                     const Topology& topology,
                                                     const FailoverOptions& options);

}  // namespace ha
