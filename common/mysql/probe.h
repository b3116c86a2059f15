// SPDX-License-Identifier: MIT
// Reads a whole topology: all nodes at the same time, within one budget. Histories are read twice
// where they differ: a replica that was read after its writer seems to be ahead of it, unless the
// writer is asked once more.

#pragma once

#include <memory>
#include <vector>

#include "common/deadline.h"
#include "common/env.h"
#include "common/mysql/node_address.h"
#include "common/mysql/options.h"
#include "common/mysql/session.h"
#include "common/mysql/topology.h"
#include "common/mysql/write_probe.h"

namespace ha {

// What a node that is alive and cannot be read is asked.
enum class Unreadable { kOnce, kAgain };

// Of which nodes it is asked what set read_only last: of none; of those that may be a primary that
// was restarted and is read-only since, which are no replicas or have some; of all.
enum class Origins { kNone, kOfRestarted, kAll };

struct ProbeOptions {
  Memory memory = {};  // of the cluster, to link channels by
  Unreadable unreadable = Unreadable::kOnce;
  Origins origins = Origins::kNone;
  WriteProbe write = {};  // of the nodes that take writes; probe_nodes() makes none
};

// Reads every node with the same account and TLS settings. A node that does not answer before the
// deadline is left behind, so the program must end by _exit; a little of the time is kept back for
// the caller to print. An error of our own, such as no free descriptor, says nothing of a node
// (Reach::kNotAsked). With kAgain a node that is alive and cannot be read, or was not asked, is
// asked again until the deadline.
Topology probe_topology(const ProbeEnv& env, const std::vector<NodeAddress>& nodes,
                        const MysqlOptions& options, const Deadline& deadline,
                        const ProbeOptions& how = {});

// The same for programs that manage the nodes: also the sessions, null where there are no facts and
// where a second reading had no answer in time.
struct Probe {
  Topology topology;
  std::vector<std::shared_ptr<SqlSession>> sessions;
};
Probe probe_nodes(const ProbeEnv& env, const std::vector<NodeAddress>& nodes,
                  const MysqlOptions& options, const Deadline& deadline,
                  const ProbeOptions& how = {});

// Writes to the nodes that take writes, all at the same time; nothing without a table, or when more
// nodes take writes than the probe allows. One that refuses or does not answer in time takes none
// from then on, with the reason among its obstacles. Its session may hang, and is of no use any
// more.
void probe_writes(Workers& workers, Probe& probe, const WriteProbe& how, const Deadline& deadline);

}  // namespace ha
