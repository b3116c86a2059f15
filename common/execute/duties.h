// SPDX-License-Identifier: MIT
// Work that comes again and again. Each piece is begun beside the caller's when it is due, and not
// again before it has ended: none waits for another one that hangs.

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/clock.h"
#include "common/deadline.h"
#include "common/workers.h"

namespace ha {

class Duties {
 public:
  // `clock` must outlive this.
  Duties(Clock& clock, Workers& workers) : clock_(clock), workers_(workers) {}

  // Work that owns or shares what it touches, for it may be abandoned. `is_due` is asked while it
  // is not at work.
  void add(std::function<bool()> is_due, std::function<void()> work);

  // Begins what is due; what gets no thread is asked for again the next time. Returns whether
  // anything is at work. Blocks for nothing.
  bool begin_due();

 private:
  struct Duty {
    std::function<bool()> is_due;
    std::function<void()> work;
    std::unique_ptr<Job> job = nullptr;  // null: it is not at work
  };

  Clock& clock_;
  Workers& workers_;
  std::vector<Duty> duties_ = {};
};

}  // namespace ha
