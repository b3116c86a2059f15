// SPDX-License-Identifier: MIT
// The head of the file in which Nagios 2 to 4, Naemon and Icinga 1 publish their status: the block
// `info` and the block of the program, which Nagios 2 calls `program` and all others
// `programstatus` (xdata/xsddefault.c). The rest, one block per host and service, is not read.
//
// These engines write a new file and rename it into place, so a reader sees a whole one; they
// unlink it when they are stopped, and leave it when they are killed.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/engine/engine.h"
#include "common/result.h"

namespace ha {

// A value that is missing or no number is unset.
struct StatusDat {
  std::optional<std::int64_t> created = {};        // epoch seconds: when the file was written
  std::optional<std::int64_t> program_start = {};  // epoch seconds
  std::optional<std::int64_t> pid = {};
  EngineFlags flags = {};
  std::string version = {};
  // False when the text ends before the program's block does: half written, cut, or no status file.
  bool complete = false;
};

// Parses the head of a status file; never fails, see `complete`.
StatusDat parse_status_dat(std::string_view text);

// Says which write of a file this is: it changes when the engine replaces the file.
struct FileVersion {
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;

  bool operator==(const FileVersion&) const = default;
};

struct StatusDatFile {
  StatusDat status;
  FileVersion version;
};

// Reads and parses a status file, at most its first 64 KiB. Fails with kMissing when it does not
// exist, kUsage when it may not be read or is no regular file.
Result<StatusDatFile> read_status_dat(const std::string& path);

}  // namespace ha
