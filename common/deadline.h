// SPDX-License-Identifier: MIT
// The one budget of a run. Waits that can be bounded ask the Deadline; what cannot be (a resolver,
// a TLS handshake inside a library) is ended by the hard stop (common/hard_stop.h).

#pragma once

#include "common/clock.h"

namespace ha {

class Deadline {
 public:
  // Returns the deadline that passes `seconds` from now by `clock`, which must outlive it.
  static Deadline after(const Clock& clock, double seconds);

  // Returns another deadline by the same clock, which passes `seconds` from now.
  Deadline from_now(double seconds) const { return after(*clock_, seconds); }

  // Returns an earlier one, which leaves a moment for judging and printing: the hard stop at this
  // one would cut it off.
  Deadline before_report() const;

  // Seconds left, 0 when it has passed.
  double remaining_s() const;
  bool passed() const { return remaining_s() <= 0; }

  const Clock& clock() const { return *clock_; }

 private:
  Deadline(const Clock& clock, double when_s) : clock_(&clock), when_s_(when_s) {}
  const Clock* clock_;
  double when_s_;  // by its monotonic time
};

}  // namespace ha
