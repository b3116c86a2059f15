// SPDX-License-Identifier: MIT
// Which process this is, and whether another one is still there (proc(5)).

#pragma once

#include "common/engine/arrivals.h"

namespace ha {

// Where /proc does not tell, the ticks are those of now.
ProcessId this_process();

// The time since the machine started, in the ticks of ProcessId.
std::uint64_t ticks_now();

// False when it has ended, or cannot be seen from here.
bool is_running(const ProcessId& process);

}  // namespace ha
