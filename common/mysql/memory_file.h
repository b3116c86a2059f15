// SPDX-License-Identifier: MIT
// The file in which a cluster's memory is kept: DIRECTORY/CLUSTER/memory.json. Whatever is wrong
// with it, the memory is then empty and the reason is told: nothing depends on it but decisions
// about nodes that are silent, and they are refused without it.

#pragma once

#include <string>
#include <vector>

#include "common/env.h"
#include "common/mysql/memory.h"
#include "common/mysql/node_address.h"
#include "common/result.h"

namespace ha {

struct Node;
struct Topology;

// What is kept, and why it is not whole.
struct Recollection {
  Memory memory = {};        // as it is on disk
  std::string trouble = {};  // why it could not be read or written; empty: it could
};

class MemoryFile {
 public:
  // Both directories must be the user's own and writable by no other. DIRECTORY is made by the
  // installation or by the first run; CLUSTER is made here.
  MemoryFile(Files& files, const std::string& directory, const std::string& cluster);

  // Reads what is remembered of `nodes`. A node whose address is not the remembered one is another
  // server, of which nothing is known.
  Recollection read(const std::vector<NodeAddress>& nodes) const;

  // Replaces the file when a probe has seen anything new, at `now_s` seconds since the epoch, or
  // when what it holds is older than a few seconds. `known.memory` stays what is on disk.
  void update(Recollection& known, const Topology& topology, double now_s) const;

  // Replaces the file after a run that has made `primary` the primary, as with_primary() does.
  void record_primary(Recollection& known, const Node& primary, double now_s) const;

 private:
  void write(Recollection& known, Memory memory) const;

  Files& files_;
  std::string directory_, path_;
};

// Converts a memory to one line of JSON and back. The way back fails with kBadData for anything
// that did not come from here.
std::string memory_to_json(const Memory& memory);
Result<Memory> parse_memory(const std::string& json);

}  // namespace ha
