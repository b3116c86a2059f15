// SPDX-License-Identifier: MIT
// Deadlines by the clock on the wall, for what really takes time.

#pragma once

#include "common/deadline.h"

namespace ha {

// Returns the deadline that passes `seconds` from now.
inline Deadline deadline_in(double seconds) {
  static const SystemClock clock;
  return Deadline::after(clock, seconds);
}

}  // namespace ha
