// SPDX-License-Identifier: MIT
#include "common/heartbeat/facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

double proven_skew(double sent_s, double received_s, double there_s) {
  if (there_s > received_s) return received_s - there_s;
  return std::max(0.0, sent_s - there_s);
}

namespace {

HeartbeatJudgement judge_age(const HeartbeatFacts& facts, const Thresholds& limits, double age_s) {
  const State state = judge(limits, age_s);
  if (facts.other_age_s && judge(limits, *facts.other_age_s) != state)
    return {State::kUnknown,
            fmt::format("the heartbeat of {} is {} old or {}: its local time came twice at the end "
                        "of summer time (--state-dir remembers which it is)",
                        facts.writer, format_duration(age_s), format_duration(*facts.other_age_s)),
            std::nullopt};
  return {state,
          fmt::format("{} wrote its {}heartbeat {} ago{}", facts.writer,
                      state == State::kOk ? "" : "last ", format_duration(age_s),
                      facts.role.empty() ? "" : " (" + facts.role + ")"),
          age_s};
}

HeartbeatJudgement judge_life(const HeartbeatFacts& facts, const Thresholds& limits) {
  std::optional<double> age;
  if (facts.age_s && *facts.age_s >= -kMaxFuture_s) age = std::max(0.0, *facts.age_s);
  if (!facts.stopped.empty())
    return {State::kCritical, fmt::format("{} {}", facts.writer, facts.stopped), age};
  if (!facts.age_s)
    return {State::kCritical, fmt::format("no heartbeat of {}: {}", facts.writer, facts.absence),
            age};
  if (age) return judge_age(facts, limits, *age);
  return {State::kUnknown,
          fmt::format("the heartbeat of {} is {} in the future, the clocks differ", facts.writer,
                      format_duration(-*facts.age_s)),
          age};
}

}  // namespace

HeartbeatJudgement judge_heartbeat(const HeartbeatFacts& facts, const Thresholds& limits) {
  HeartbeatJudgement beat = judge_life(facts, limits);
  if (beat.state != State::kOk && !facts.advice.empty()) beat.text += "; " + facts.advice;
  const auto add = [&beat](State least, const std::string& text) {
    if (text.empty()) return;
    beat.state = worst(beat.state, least);
    beat.text += "; " + text;
  };
  add(State::kWarning, facts.conflict);
  add(State::kUnknown, facts.memory_trouble);
  return beat;
}

}  // namespace ha
