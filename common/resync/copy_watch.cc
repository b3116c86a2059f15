// SPDX-License-Identifier: MIT
#include "common/resync/copy_watch.h"

#include <algorithm>
#include <utility>

#include "common/execute/failure.h"

namespace ha {

CopyWatch::CopyWatch(const Env& env, const Log& log, double timeout_s,
                     std::function<void()> each_time)
    : env_(env),
      log_(log),
      timeout_s_(timeout_s),
      deadline_(Deadline::after(env.clock, timeout_s)),
      each_time_(std::move(each_time)),
      next_report_(deadline_.from_now(kReport_s)) {}

bool CopyWatch::go_on(const Progress& progress) {
  if (env_.clock.stopping()) ended_ = failure("asked to stop");
  if (deadline_.passed()) ended_ = failure("--copy-timeout has passed");
  if (ended_) return false;
  each_time_();
  if (!next_report_.passed()) return true;
  // Ever more seldom: it is also mailed.
  next_report_ = deadline_.from_now(std::max(kReport_s, elapsed_s() / 20));
  if (const std::string text = progress(); !text.empty()) log_(text);
  return true;
}

Result<Done> CopyWatch::attend(std::function<Result<Done>()> work, const Progress& progress) {
  const auto pending = Pending<Result<Done>>::begin(env_.workers, std::move(work));
  if (!pending) return pending.error();
  if (!await(*pending, progress)) return *ended_;
  return *pending->result();
}

}  // namespace ha
