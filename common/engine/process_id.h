// SPDX-License-Identifier: MIT
// Which process this is, and whether another one is still there (proc(5)).

#pragma once

#include "common/engine/arrivals.h"

namespace ha {

// Where /proc does not tell, the ticks are those of now.
ProcessId this_process();

// False when it has ended, or cannot be seen from here.
bool is_running(const ProcessId& process);

}  // namespace ha
