// SPDX-License-Identifier: MIT
// The names of locks, apart from the parsing of options: what carries out a failover needs them.
#include <fmt/format.h>

#include <cstdint>

#include "common/cluster/options.h"

namespace ha {

std::string FailoverOptions::name_lock(char kind, std::string_view node) const {
  // FNV-1a of 32 bits.
  std::uint32_t hash = 2166136261u;
  for (const char c : node) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return fmt::format("{}:{}{:08x}", node_lock(), kind, hash);
}

std::vector<std::string> FailoverOptions::session_locks() const {
  std::vector<std::string> locks = {vote_lock()};
  if (lease.lease_s == 0) return locks;
  locks.push_back(lease_lock());
  for (const NodeAddress& node : cluster.nodes) locks.push_back(guard_lock(node.name));
  return locks;
}

}  // namespace ha
