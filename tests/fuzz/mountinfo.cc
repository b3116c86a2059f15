// SPDX-License-Identifier: MIT
// /proc/self/mountinfo, and the search for the mount of a path.

#include "common/mount/mountinfo.h"

#include "common/mount/locate.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const MountTable table = parse_mountinfo(text);
  const auto no_link = [](const std::string&) -> std::optional<std::string> { return {}; };
  const auto a_link = [](const std::string&) { return std::optional<std::string>("../b/./c//"); };
  locate(table, "/a/b/../c", no_link);
  locate(table, "/a/b", a_link);
  if (!table.mounts.empty()) locate(table, "/" + table.mounts.back().point, a_link);
  for (const Mount& mount : table.mounts) may_hang(mount);
}
