// SPDX-License-Identifier: MIT
// Runs one history to its end and holds it against what is promised.
//
// - No two servers acknowledge clients' writes in one epoch, where a fence is required and honest,
//   or there is none and revocation or a lease has to do. An epoch begins when a manager opens a
//   server.
// - The same with a lease, whatever the fence, by clocks that differ by 2 %: but for a server that
//   its option file has opened, or whose guard was killed or stood still without a watchdog.
// - Where votes are needed, a manager opens a server only with those of more than half of all.
// - No server is opened without what it threw away with its relay log, nor without an acknowledged
//   write that a healthy server within reach has.
// - A loss that is told as exact is not less than what is lost.
// - A run ends within its deadline and what rolling back may take; one that is refused at once has
//   changed nothing; rejoin changes no server but the node and its new source.
// - A guard does not begin a run again and again that ends in vain.
// - No failover of a primary that no fault has touched, no more takeovers than faults.
// - After the faults, with an operator who runs failover and rejoin, there is one writer that all
//   follow, or a refusal names a command.

#pragma once

#include <string>
#include <vector>

#include "tests/sim/history.h"
#include "tests/sim/world.h"

namespace ha::sim {

struct Verdict {
  std::string violation = {};  // empty: none
  std::uint32_t faults = 0, takeovers = 0, runs = 0;
  std::vector<std::string> timeline = {};
};

enum class Telling { kNothing, kTimeline };

Verdict judge(const History& history, Telling telling = Telling::kNothing);

}  // namespace ha::sim
