// SPDX-License-Identifier: MIT
// What was last seen of a cluster, for the time when one of its nodes is silent. Plain values.
// Only a probe that saw a writer makes it, so a cluster in trouble does not overwrite it.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/mysql/server_facts.h"

namespace ha {

struct SeenChannel {
  std::string name = {};      // empty: the default channel
  std::string source = {};    // the node that it follows; empty: a server outside the cluster
  std::string address = {};   // HOST:PORT by which the replica names it
  ReplicationThread io = {};  // the receiver
  std::optional<double> io_since_s = {};  // since the epoch: when it was first seen in this state
  BinlogPosition read = {};               // received, in the source's binlog
  bool uses_gtid = false;
};

struct SeenNode {
  double seen_s = 0;         // since the epoch; 0: never
  std::string address = {};  // HOST:PORT of the node as the operator named it
  Version version = {};
  std::uint32_t server_id = 0;
  std::string server_uuid = {};  // empty where there is none (MariaDB)
  std::optional<bool> read_only = {};
  SemiSync semi_sync = {};
  double semi_sync_s = 0;  // since the epoch: when that was read; 0: it may have changed since
  std::optional<BinlogScope> binlog_scope = {};
  std::vector<std::string> addresses = {};  // HOST:PORT by which replicas have named it
  std::vector<SeenChannel> channels = {};

  bool is_replica() const { return read_only == true && !channels.empty(); }
};

struct Memory {
  std::string primary = {};  // the node that was the only writer; empty: none was ever seen
  double seen_s = 0;         // since the epoch: when it was
  std::map<std::string, SeenNode> nodes = {};  // by name

  // Returns what was last seen of a node; null: nothing.
  const SeenNode* find(const std::string& node) const {
    const auto found = nodes.find(node);
    return found == nodes.end() ? nullptr : &found->second;
  }
};

struct Node;
struct Topology;

// True for a writer that was a replica when it was last seen and follows no server now: it was made
// the primary since, perhaps by hand, so that no journal records it. Pure.
bool was_promoted(const Memory& earlier, const Node& node);

// Returns what is known after a probe: everything that was read, and of silent nodes what was known
// before. Roles are known only from the view of one writer: without one nothing changes, and
// several are noted as writable and no more. The primary's role goes on to the writer unless the
// primary before it is silent, no replica receives from the writer, and the writer was no replica
// when it was last seen. Nodes that are none of the topology are forgotten. Pure; `now_s` is in
// seconds since the epoch.
Memory remember(const Memory& earlier, const Topology& topology, double now_s);

// Returns what is known after a run that has made `primary` the primary at `now_s`, whatever the
// next probe shows. Its facts may be those from before the run, but must be there. Pure.
Memory with_primary(const Memory& earlier, const Node& primary, double now_s);

// Returns as what a node was last seen: "as the primary", "as a replica of db1", "read-only,
// following no server"; empty when it never was.
std::string describe_seen(const Memory& memory, const std::string& node);

}  // namespace ha
