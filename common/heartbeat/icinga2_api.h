// SPDX-License-Identifier: MIT
// Icinga 2 keeps no stamp: that its API answers is its heartbeat, as old as the answer took.

#pragma once

#include <optional>
#include <string_view>

#include "common/deadline.h"
#include "common/heartbeat/facts.h"
#include "common/heartbeat/spec.h"
#include "common/result.h"

namespace ha {

// Asks GET /v1/status/IcingaApplication (permission status/query). Fails as icinga2_request() does,
// and with kUsage for a login that cannot be used.
Result<HeartbeatFacts> read_icinga2_api(const HeartbeatSpec& spec, const Deadline& deadline);

struct Icinga2Node {
  HeartbeatFacts facts;                        // without age and skew
  std::optional<double> program_start_s = {};  // epoch, by its clock
};

// Reads the answer's body; fails with kBadData.
Result<Icinga2Node> parse_icinga2_status(std::string_view body);

// Reads the seconds since its start from the answer to GET /v1/status/CIB.
std::optional<double> parse_icinga2_uptime(std::string_view body);

}  // namespace ha
