// SPDX-License-Identifier: MIT
#include "common/heartbeat/facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

HeartbeatJudgement judge_heartbeat(const HeartbeatFacts& facts, const Thresholds& limits) {
  std::optional<double> age;
  if (facts.age_s && *facts.age_s >= -kMaxFuture_s) age = std::max(0.0, *facts.age_s);
  if (!facts.stopped.empty())
    return {State::kCritical, fmt::format("{} {}", facts.writer, facts.stopped), age};
  if (!facts.age_s)
    return {State::kCritical, fmt::format("no heartbeat of {}: {}", facts.writer, facts.absence),
            age};
  if (!age)
    return {State::kUnknown,
            fmt::format("the heartbeat of {} is {} in the future, the clocks differ", facts.writer,
                        format_duration(-*facts.age_s)),
            age};
  const State state = judge(limits, *age);
  return {state,
          fmt::format("{} wrote its {}heartbeat {} ago{}", facts.writer,
                      state == State::kOk ? "" : "last ", format_duration(*age),
                      facts.role.empty() ? "" : " (" + facts.role + ")"),
          age};
}

}  // namespace ha
