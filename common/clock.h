// SPDX-License-Identifier: MIT
// The time of day and the passing of time, as a seam: tests have a clock that they turn.

#pragma once

#include "common/moment.h"

namespace ha {

class Clock {
 public:
  virtual ~Clock() = default;

  // Seconds since the epoch.
  virtual double now_s() const = 0;

  // Waits; false when the wait was ended early because the program is to stop.
  virtual bool sleep(double seconds) = 0;

  // True when the program is to stop.
  virtual bool stopping() = 0;

  // This moment by both clocks; a clock that knows no uptime names no boot.
  virtual Moment moment() const { return {now_s()}; }
};

// Returns this moment by the system's clocks.
Moment system_moment();

// The system's clock. SIGTERM, SIGINT and, unless it is ignored, SIGHUP, blocked from the
// construction on, mean stop.
class SystemClock : public Clock {
 public:
  SystemClock();
  double now_s() const override;
  bool sleep(double seconds) override;
  bool stopping() override;
  Moment moment() const override { return system_moment(); }

 private:
  bool stopped_ = false;
};

}  // namespace ha
