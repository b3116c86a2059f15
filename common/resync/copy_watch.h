// SPDX-License-Identifier: MIT
// Watches a copying: reports how far it is, and ends it when its time is over.

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/deadline.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/parallel.h"

namespace ha {

class CopyWatch {
 public:
  // Returns how far something is, for people; empty: it is not known.
  using Progress = std::function<std::string()>;

  // The copying may take `timeout_s` from now. `each_time` is called whenever it goes on.
  CopyWatch(const Env& env, const Log& log, double timeout_s, std::function<void()> each_time);

  const Deadline& deadline() const { return deadline_; }
  double elapsed_s() const { return timeout_s_ - deadline_.remaining_s(); }

  // Reports the progress now and then; false when the copying is to end, for the reason of ended().
  // To be called about once a second.
  bool go_on(const Progress& progress);

  // Why the copying is to end; nullopt: it goes on.
  const std::optional<Error>& ended() const { return ended_; }

  // Waits for work that was begun beside ours; false when the copying is to end before.
  template <class T>
  bool await(const Pending<T>& work, const Progress& progress) {
    while (!work.wait(deadline_.from_now(kSecond)))
      if (!go_on(progress)) return false;
    return true;
  }

  // Does work beside ours. It is abandoned when the copying is to end: the program leaves by _exit,
  // and the server notices.
  Result<Done> attend(std::function<Result<Done>()> work, const Progress& progress);

 private:
  static constexpr double kSecond = 1, kReport_s = 5;

  const Env env_;
  const Log& log_;
  const double timeout_s_;
  const Deadline deadline_;
  const std::function<void()> each_time_;
  Deadline next_report_;
  std::optional<Error> ended_ = {};
};

}  // namespace ha
