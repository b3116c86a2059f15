// SPDX-License-Identifier: MIT
// One shared directory: what was seen of it, and the judgement. Pure.

#pragma once

#include <optional>
#include <string>

#include "common/check_result.h"
#include "common/mount/locate.h"
#include "common/mount/probe_answer.h"
#include "common/mount/share_spec.h"

namespace ha {

struct ShareFacts {
  ShareSpec spec;
  Location location;
  std::size_t malformed_lines = 0;         // of the table of mounts
  std::optional<ProbeAnswer> answer = {};  // unset: was not probed
  std::string owner = {};                  // its "USER:GROUP", where an owner is demanded
};

struct ShareLimits {
  Thresholds latency = {}, usage = {};
  State hung = State::kCritical;
};

// Judges a directory into an item of its path, with the metrics `latency` and `used`.
Item judge_share(const ShareFacts& facts, const ShareLimits& limits);

}  // namespace ha
