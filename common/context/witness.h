// SPDX-License-Identifier: MIT
// Asks third parties whether we are the ones who are cut off.

#pragma once

#include <vector>

#include "common/address.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/policy.h"

namespace ha {

// Connects by TCP to all witnesses at the same time (port 22 where none is given); returns for each
// whether it was reached, which one that refuses the connection is too.
std::vector<bool> reach_witnesses(const Env& env, const std::vector<HostPort>& witnesses,
                                  const Deadline& deadline);

// Returns what that says of us; kNotAsked without witnesses.
Witnesses judge_witnesses(const std::vector<bool>& reached);

}  // namespace ha
