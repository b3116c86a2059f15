// SPDX-License-Identifier: MIT
// The answers of Icinga 2's API.

#include "common/engine/icinga2_api.h"
#include "common/heartbeat/icinga2_api.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  (void)parse_icinga2_flags(text).has_value();
  (void)parse_icinga2_status(text).has_value();
  (void)parse_icinga2_uptime(text).has_value();
}
