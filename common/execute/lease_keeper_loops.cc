// SPDX-License-Identifier: MIT
// The loops of a LeaseKeeper: one that decides, and one that begins what is due.
#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "common/context/ballot.h"
#include "common/execute/duties.h"
#include "common/execute/lease_keeper.h"

namespace ha {

namespace {

constexpr double kDuty_s = 0.2;      // between two times to see what is due
constexpr double kLook_s = 0.4;      // between two looks at the server
constexpr double kRecord_s = 1;      // between two times to see what is to be on disk
constexpr double kDecision_s = 0.2;  // between two decisions, and no more than a part of the margin
constexpr int kOfMargin = 5;

}  // namespace

// At the end of the guard each session is ended, which gives all of its locks back.
Duties LeaseKeeper::list_duties() {
  Duties duties(env_.clock, env_.workers);
  const auto self = shared_from_this();
  for (Seat& seat : seats_)
    duties.add(
        [self, &seat] {
          return self->stopping_ ? seat.session != nullptr
                                 : self->has_work(seat, uptime_s(self->env_.clock));
        },
        [self, &seat] {
          if (self->stopping_) return seat.session.reset();
          self->tend(static_cast<std::size_t>(&seat - self->seats_.data()));
        });
  const auto every = [self](double seconds) {
    return [self, seconds, next_s = 0.0]() mutable {
      const double now_s = self->env_.clock.monotonic_s();
      if (self->stopping_ || now_s < next_s) return false;
      next_s = now_s + seconds;
      return true;
    };
  };
  duties.add(every(kLook_s), [self] { self->look(); });
  // A majority of now is on disk at once, and a closing.
  const auto every_change = [self, late = every(kRecord_s),
                             seen = std::pair(std::optional<double>(), false)]() mutable {
    const std::lock_guard guard(self->mutex_);
    const auto before = std::exchange(seen, std::pair(self->majority_s_, self->closed_));
    return late() || (seen != before && !self->stopping_);
  };
  duties.add(every_change, [self] { self->remember(); });
  return duties;
}

Result<Done> LeaseKeeper::start() {
  const auto self = shared_from_this();
  const auto decide = [self] {
    const double turn_s = std::min(kDecision_s, self->limits_.margin_s / kOfMargin);
    for (; !self->stopping_; self->env_.clock.pause(turn_s)) try {
        self->judge();
      } catch (const std::bad_alloc&) {
        // The next turn may get memory; without one the server would never be closed.
      }
  };
  const auto work = [self] {
    Duties duties = self->list_duties();
    while (duties.begin_due() || !self->stopping_) self->env_.clock.pause(kDuty_s);
  };
  using Loop = std::pair<std::unique_ptr<Job>&, std::function<void()>>;
  for (const auto& [job, loop] : {Loop(judging_, decide), Loop(tending_, work)}) {
    auto started = env_.workers.start(loop);
    if (!started) {
      stopping_ = true;
      return started.error();
    }
    job = std::move(*started);
  }
  return Done{};
}

void LeaseKeeper::stop(const Deadline& deadline) {
  stopping_ = true;
  // A disk or a voter that hangs is no reason to take this host down.
  const bool judged = !judging_ || judging_->wait(deadline);
  if (watchdog_ && judged) {
    if (const auto disarmed = watchdog_->disarm(); !disarmed) log_(disarmed.error().text);
    watchdog_.reset();
  }
  if (tending_) tending_->wait(deadline);
  judging_.reset();
  tending_.reset();
}

}  // namespace ha
