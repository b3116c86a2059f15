// SPDX-License-Identifier: MIT
// Icinga 2 keeps no stamp: that its API answers is its heartbeat, as old as the answer took.

#pragma once

#include <string_view>

#include "common/deadline.h"
#include "common/heartbeat/facts.h"
#include "common/heartbeat/spec.h"
#include "common/result.h"

namespace ha {

// Asks GET /v1/status (permission status/query). Fails as http_request() does, and with
// kAccessDenied, kPrivilege, kRefused (5xx) or kBadData for other answers.
Result<HeartbeatFacts> read_icinga2_api(const HeartbeatSpec& spec, const Deadline& deadline);

// Reads the answer's body, which took `seconds` and arrived at `now_s` (epoch) by our clock.
Result<HeartbeatFacts> parse_icinga2_status(std::string_view body, double seconds, double now_s);

}  // namespace ha
