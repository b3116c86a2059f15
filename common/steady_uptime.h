// SPDX-License-Identifier: MIT
// The uptime of this machine by one clock for the life of a process: where it cannot be read for
// once, another clock tells how much has passed since, and where it could not be read at first it
// is never known. A lease that is counted by two clocks ends at any time.

#pragma once

#include <mutex>
#include <optional>

namespace ha {

class SteadyUptime {
 public:
  // Returns it, never less than before. `read_s`: as it was read just now; nullopt: it was not.
  // `other_s`: by another clock, which goes on while the machine sleeps. From any thread.
  std::optional<double> advance(std::optional<double> read_s, double other_s);

 private:
  struct Point {
    double uptime_s, other_s;
  };
  std::mutex mutex_;
  bool begun_ = false;
  std::optional<Point> last_ = {};
};

}  // namespace ha
