// SPDX-License-Identifier: MIT
// Programs of the operator's, such as hooks and the fence: what they are told, how long they may
// take, and what their end means.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/deadline.h"
#include "common/failover/step.h"
#include "common/mysql/topology.h"
#include "common/process.h"

namespace ha {

// Returns how long a step's program may take. What a failover can do without leaves the rest of it
// half of the time: ssh that hangs on a host which is half dead must not keep everybody waiting.
Deadline program_deadline(const Step& step, const Deadline& deadline);

// Returns how a program of the operator's ended and what it printed last, for people: ssh prints
// the other side's banner first.
std::string describe_end(const std::vector<std::string>& argv, const ProcessOutcome& outcome);

// Tells a program of the operator's which node has this role: HA_ROLE_NODE, _HOST and _PORT.
void describe_node(Command& command, std::string_view role, const Node& node);

// The environment's name of what the fence command is asked for: off, or status.
inline constexpr char kFenceAction[] = "HA_FENCE_ACTION";

// What a fence command says by its exit code, as MHA's scripts do, which people have.
enum class FenceEnd {
  kFenced,    // 0
  kAccepted,  // 10: nothing is proven, the operator accepts that
  kFailed,
};
FenceEnd read_fence(const ProcessOutcome& outcome);

}  // namespace ha
