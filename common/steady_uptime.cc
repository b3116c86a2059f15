// SPDX-License-Identifier: MIT
#include "common/steady_uptime.h"

#include <algorithm>
#include <utility>

namespace ha {

std::optional<double> SteadyUptime::advance(std::optional<double> read_s, double other_s) {
  const std::lock_guard guard(mutex_);
  if (!std::exchange(begun_, true)) {
    if (read_s) last_ = {*read_s, other_s};
    return read_s;
  }
  if (!last_) return std::nullopt;
  const double now_s = read_s.value_or(last_->uptime_s + other_s - last_->other_s);
  last_ = {std::max(now_s, last_->uptime_s), other_s};
  return last_->uptime_s;
}

}  // namespace ha
