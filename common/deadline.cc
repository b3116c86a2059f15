// SPDX-License-Identifier: MIT
#include "common/deadline.h"

#include <algorithm>

namespace ha {

Deadline Deadline::after(const Clock& clock, double seconds) {
  return Deadline(clock, clock.monotonic_s() + seconds);
}

Deadline Deadline::before_report() const {
  const double left = remaining_s();
  return from_now(left - std::min(0.2, left / 10));
}

double Deadline::remaining_s() const { return std::max(0.0, when_s_ - clock_->monotonic_s()); }

}  // namespace ha
