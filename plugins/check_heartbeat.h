// SPDX-License-Identifier: MIT
// check_heartbeat: is the engine on that node still writing its heartbeat?

#pragma once

#include <optional>
#include <string>

#include "common/check_result.h"
#include "common/heartbeat/facts.h"
#include "common/result.h"

namespace ha {

// The process that --process names.
struct ProcessFacts {
  std::string pattern;
  std::optional<int> pid = {};  // unset: none is seen
  bool all_seen = true;         // false: there may be one that is hidden from us
};

struct EngineFacts {
  Result<HeartbeatFacts> heartbeat;
  std::optional<ProcessFacts> process = {};  // unset: --process was not given
};

// Judges the heartbeat, or the failure to read it, and the process. `preset` stands in the facts of
// JSON.
CheckResult evaluate(const EngineFacts& facts, const Thresholds& limits, const std::string& preset);

}  // namespace ha
