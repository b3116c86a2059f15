// SPDX-License-Identifier: MIT
// Asks the gluster command of a server of the pool about volumes. It tells root only.

#pragma once

#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/cli.h"
#include "common/deadline.h"
#include "common/mount/gluster.h"

namespace ha {

struct GlusterOptions {
  std::vector<std::string> volumes = {};
  bool heal = false;
  Thresholds backlog = {};

  // Returns what judges the entries to heal: nothing, unless that was asked for.
  Thresholds judged() const;
};

// Adds --gluster-volume, --heal and its limits.
void add_gluster_options(Cli& cli, GlusterOptions& options);

// Asks for all volumes, and for everything about each, at the same time. A transaction of another
// client, for which gluster refuses to answer, is waited for.
std::vector<GlusterFacts> query_gluster(const std::vector<std::string>& volumes,
                                        const Deadline& deadline);

}  // namespace ha
