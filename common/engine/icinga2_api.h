// SPDX-License-Identifier: MIT
// The flags of one Icinga 2 node through its REST API. The ApiUser needs
// permissions = [ "status/query", "objects/modify/IcingaApplication" ].

#pragma once

#include <string>
#include <string_view>

#include "common/deadline.h"
#include "common/engine/engine.h"
#include "common/http/icinga2.h"
#include "common/result.h"

namespace ha {

// Reads the flags (GET /v1/status/IcingaApplication). Fails as icinga2_request() does.
Result<EngineFlags> read_icinga2_flags(const Icinga2Api& api, const Deadline& deadline);

// Sends {"attrs":{...}} to the node's IcingaApplication; fails likewise.
Result<Done> set_icinga2_attributes(const Icinga2Api& api, const std::string& body,
                                    const Deadline& deadline);

// Reads the flags from the answer's body; fails with kBadData.
Result<EngineFlags> parse_icinga2_flags(std::string_view body);

}  // namespace ha
