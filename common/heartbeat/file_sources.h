// SPDX-License-Identifier: MIT
// Heartbeats that are files. The file is touched in a child process only: on a dead mount the child
// hangs in the kernel where no signal reaches it, and we must still end in time.

#pragma once

#include <string>

#include "common/heartbeat/facts.h"
#include "common/heartbeat/spec.h"
#include "common/result.h"

namespace ha {

struct FileHead {
  bool exists = false;
  double modified_s = 0;  // epoch seconds
  std::string content;    // at most kMaxFileHead bytes
};

inline constexpr std::size_t kMaxFileHead = 64 << 10;

// Reads the beginning of a regular file. Fails with kUnreachable when the file system does (stale
// handle, broken mount), kUsage when the file may not be read. Waits as long as the child does,
// which dies with us.
Result<FileHead> read_file_head(const std::string& path);

// Nagios 2 to 4, Naemon, Icinga 1: `created` of the status file. Fails with kBadData when the file
// is no status file.
Result<HeartbeatFacts> read_status_dat_heartbeat(const HeartbeatSpec& spec);

// Any file that a program touches: its modification time.
Result<HeartbeatFacts> read_file_heartbeat(const HeartbeatSpec& spec);

}  // namespace ha
