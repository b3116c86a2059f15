// SPDX-License-Identifier: MIT
// A GlusterFS volume: started, all bricks online, peers connected, nothing in split brain, little
// to heal? Pure.

#pragma once

#include <string>
#include <vector>

#include "common/check_result.h"
#include "common/mount/gluster_xml.h"
#include "common/result.h"

namespace ha {

struct GlusterFacts {
  std::string volume;
  Result<GlusterVolume> info;
  Result<BrickStates> bricks;
  Result<std::vector<GlusterPeer>> peers;
  Result<HealState> heal;
};

struct GlusterLimits {
  // For the entries to heal. With neither they are counted and not judged, and it is no trouble
  // when they cannot be counted.
  Thresholds backlog = {};
  State hung = State::kCritical;  // when the gluster command does not end in time
};

// Judges a volume into an item of its name with the metrics `bricks_online`, `bricks_total`,
// `peers_connected` and `heal_entries`.
Item judge_gluster(const GlusterFacts& facts, const GlusterLimits& limits);

}  // namespace ha
