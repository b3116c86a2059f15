// SPDX-License-Identifier: MIT
// A moment by two clocks: the wall's, which an operator may set, and the machine's own, which no
// user can. Plain values.

#pragma once

#include <optional>
#include <string>

namespace ha {

struct Moment {
  double now_s = 0;       // since the epoch, by the wall clock
  double uptime_s = 0;    // since this boot of the machine, its sleep included
  std::string boot = {};  // names this boot; empty: neither it nor the uptime is known

  bool operator==(const Moment&) const = default;
};

// Returns the seconds from `then` to `now`: by the uptime within one boot, else by the wall clock.
// nullopt when only the wall clock tells and it has been set back.
inline std::optional<double> age_of(const Moment& then, const Moment& now) {
  if (!then.boot.empty() && then.boot == now.boot && now.uptime_s >= then.uptime_s)
    return now.uptime_s - then.uptime_s;
  if (now.now_s < then.now_s) return std::nullopt;
  return now.now_s - then.now_s;
}

}  // namespace ha
