// SPDX-License-Identifier: MIT
// The time of day and the passing of time, as a seam: tests have a clock that they turn, a
// simulator one that jumps. All functions may be called from several threads at the same time.

#pragma once

#include <atomic>

#include "common/moment.h"

namespace ha {

class Clock {
 public:
  virtual ~Clock() = default;

  // Seconds since the epoch, by the wall clock, which may be set.
  virtual double now_s() const = 0;

  // Seconds since a moment that does not change while the program runs; never set back. Deadlines
  // are measured by it.
  virtual double monotonic_s() const = 0;

  // Waits; false when the wait was ended early because the program is to stop.
  virtual bool sleep(double seconds) = 0;

  // Waits that long even when the program is to stop: what is polled for then is still to be seen.
  virtual void pause(double seconds) = 0;

  // True when the program is to stop.
  virtual bool stopping() = 0;

  // From here on a signal to end (SIGTERM and the like) means stop, and ends the program no more.
  virtual void heed_stop_signals() {}

  // This moment by both clocks; a clock that knows no uptime names no boot.
  virtual Moment moment() const { return {now_s()}; }
};

// Returns this moment by the system's clocks.
Moment system_moment();

// The system's clock. It must outlive whatever was abandoned (common/env.h).
class SystemClock : public Clock {
 public:
  double now_s() const override;
  double monotonic_s() const override;
  bool sleep(double seconds) override;
  void pause(double seconds) override;
  bool stopping() override;
  // SIGTERM, SIGINT and, unless it is ignored, SIGHUP.
  void heed_stop_signals() override;
  Moment moment() const override { return system_moment(); }

 private:
  std::atomic<bool> heeds_ = false, stopped_ = false;
};

}  // namespace ha
