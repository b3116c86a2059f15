// SPDX-License-Identifier: MIT
// The time of day and the passing of time, as a seam: tests have a clock that they turn, a
// simulator one that jumps. All functions may be called from several threads at the same time.

#pragma once

#include <atomic>
#include <vector>

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

  // Waits as sleep() does, and no longer than until one of these descriptors has something to be
  // read, such as the end of its connection, or a signal has come that is heeded.
  virtual bool sleep_until_readable(const std::vector<int>&, double seconds) {
    return sleep(seconds);
  }

  // From here on a signal to end (SIGTERM and the like) means stop, and ends the program no more.
  virtual void heed_stop_signals() {}

  // Before that: SIGHUP is to mean that the files of options are read again.
  virtual void heed_reload_signal() {}

  // True when that was asked for since the last call.
  virtual bool take_reload() { return false; }

  // This moment by both clocks; a clock that knows no uptime names no boot.
  virtual Moment moment() const { return {now_s()}; }
};

// Returns this moment by the system's clocks.
Moment system_moment();

// The system's clock. It must outlive whatever was abandoned (common/env.h).
class SystemClock : public Clock {
 public:
  SystemClock() = default;
  ~SystemClock() override;
  SystemClock(const SystemClock&) = delete;
  SystemClock& operator=(const SystemClock&) = delete;

  double now_s() const override;
  double monotonic_s() const override;
  bool sleep(double seconds) override;
  void pause(double seconds) override;
  bool stopping() override;
  bool sleep_until_readable(const std::vector<int>& descriptors, double seconds) override;
  // SIGTERM, SIGINT and, unless it is ignored or means a reload, SIGHUP.
  void heed_stop_signals() override;
  void heed_reload_signal() override { reloads_ = true; }
  bool take_reload() override;
  Moment moment() const override { return system_moment(); }

 private:
  std::atomic<bool> heeds_ = false, stopped_ = false, reloads_ = false;
  int signals_ = -1;  // a descriptor that can be read when one of the heeded signals is there
};

}  // namespace ha
