// SPDX-License-Identifier: MIT
// How an NFS mount has fared since it was made: /proc/self/mountstats, which the kernel answers
// without asking the server. Its format is that of nfs-utils' mountstats(8). Pure.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ha {

struct NfsStats {
  std::string point;
  std::uint64_t age_s = 0;
  std::uint64_t operations = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t round_trip_ms = 0;  // of all operations together
  std::uint64_t unanswered = 0;     // requests sent less answers received, over all connections
};

// Returns the NFS mounts of the table in its order.
std::vector<NfsStats> parse_mountstats(std::string_view text);

// Returns one line for -v.
std::string describe(const NfsStats& stats);

}  // namespace ha
