// SPDX-License-Identifier: MIT
// Which mount a path leads to, found out without touching anything that may hang: links are read
// one component at a time, and only where the table says that this machine's kernel alone answers.
// Pure.

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/mount/mountinfo.h"

namespace ha {

struct Location {
  std::optional<Mount> mount;  // that holds the path; unset: the table does not show it
  std::string path;            // with the links resolved that could be

  // The path is on a mount that was made for it: at its point, or within a shared file system.
  bool mounted() const;
};

// Returns a link's target, or nothing when the path is no link, is missing or may not be read.
using ReadLink = std::function<std::optional<std::string>(const std::string& path)>;

// Follows an absolute path. What is missing, or behind something that may hang, is taken as
// written.
Location locate(const MountTable& table, const std::string& path, const ReadLink& read_link);

}  // namespace ha
