// SPDX-License-Identifier: MIT
#include "common/execute/duties.h"

#include <utility>

namespace ha {

void Duties::add(std::function<bool()> is_due, std::function<void()> work) {
  duties_.push_back({std::move(is_due), std::move(work)});
}

bool Duties::begin_due() {
  const Deadline now = Deadline::after(clock_, 0);
  bool busy = false;
  for (Duty& duty : duties_) {
    if (duty.job && duty.job->wait(now)) duty.job.reset();
    if (!duty.job && duty.is_due())
      if (auto job = workers_.start(duty.work)) duty.job = std::move(*job);
    busy = busy || duty.job;
  }
  return busy;
}

}  // namespace ha
