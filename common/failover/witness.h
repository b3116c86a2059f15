// SPDX-License-Identifier: MIT
// Asks third parties whether we are the ones who are cut off.

#pragma once

#include <vector>

#include "common/address.h"
#include "common/deadline.h"
#include "common/failover/policy.h"

namespace ha {

// Connects by TCP to all witnesses at the same time (port 22 where none is given). One that accepts
// or refuses the connection is reached; kNotAsked without witnesses.
Witnesses ask_witnesses(const std::vector<HostPort>& witnesses, const Deadline& deadline);

}  // namespace ha
