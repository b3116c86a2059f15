// SPDX-License-Identifier: MIT
// check_engine_pair: over all nodes, is exactly one monitoring engine active?

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/check_result.h"
#include "common/deadline.h"
#include "common/heartbeat/facts.h"
#include "common/heartbeat/spec.h"
#include "common/result.h"

namespace ha {

// One value of --engine.
struct EngineSpec {
  std::string name;
  HeartbeatSpec heartbeat;  // finished
  bool cold = false;        // as a standby it does not run at all
  bool shared = false;      // its like in the zone is active at the same time and shares its work
};

// Parses NAME=PRESET@PLACE[,KEY=VALUE]...[,cold|,shared]. PLACE is HOST[:PORT] or a socket's path,
// a file or a URL, as the preset asks for; empty: the server of `common`. A KEY is a long option
// name of check_heartbeat; a backslash takes a comma into a value. `common` holds what is not said
// here.
Result<EngineSpec> parse_engine(std::string_view text, const HeartbeatSpec& common);

struct EngineFacts {
  std::string name;
  std::string preset;
  bool cold = false;
  bool shared = false;
  Thresholds limits;                 // of the age
  Result<HeartbeatFacts> heartbeat;  // kUnreachable: it did not answer, and may be active
};

// `expected` is the engine that should be active; empty: any.
CheckResult evaluate(const std::vector<EngineFacts>& engines, const std::string& expected);

// Reads all heartbeats at the same time; an engine that has not answered at the deadline is
// unreachable.
std::vector<EngineFacts> gather(const std::vector<EngineSpec>& engines, const Deadline& deadline);

}  // namespace ha
