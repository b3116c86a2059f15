// SPDX-License-Identifier: MIT
// The loop of a LeaseKeeper, which decides and begins what is due.
#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "common/context/ballot.h"
#include "common/execute/duties.h"
#include "common/execute/lease_keeper.h"

namespace ha {

namespace {

constexpr double kLook_s = 0.4;    // between two looks at the server
constexpr double kRecord_s = 1;    // between two times to see what is to be on disk
constexpr double kTurn_s = 0.2;    // between two decisions, and no more than a part of the margin
constexpr double kEnding_s = 0.1;  // between two looks whether all sessions have ended
constexpr int kOfMargin = 5;

}  // namespace

// At the end of the guard each session is ended, which gives all of its locks back.
Duties LeaseKeeper::list_duties() {
  Duties duties(env_.clock, env_.workers);
  const auto self = shared_from_this();
  for (Seat& seat : seats_)
    duties.add(
        [self, &seat] {
          return self->stopping_ ? seat.session != nullptr : self->has_work(seat, self->judged_s_);
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
  const auto duties = std::make_shared<Duties>(list_duties());
  auto started = env_.workers.start([self = shared_from_this(), duties] {
    const double turn_s = std::min(kTurn_s, self->limits_.margin_s / kOfMargin);
    for (; !self->stopping_; self->env_.clock.pause(turn_s)) try {
        self->judge();
        duties->begin_due();
      } catch (const std::bad_alloc&) {
        // The next turn may get memory; without one the server would never be closed.
      }
    // First: a disk or a voter that hangs is no reason to take this host down.
    self->disarm();
    for (bool busy = true; busy; self->env_.clock.pause(kEnding_s)) try {
        busy = duties->begin_due();
      } catch (const std::bad_alloc&) {
        // Sessions that stay open would keep the votes.
      }
  });
  if (!started) return started.error();
  loop_ = std::move(*started);
  return Done{};
}

void LeaseKeeper::disarm() {
  if (!watchdog_) return;
  const auto disarmed = watchdog_->disarm();
  if (!disarmed) return say(disarmed.error().text);
  watchdog_.reset();
}

void LeaseKeeper::stop(const Deadline& deadline) {
  stopping_ = true;
  if (!loop_) return disarm();
  loop_->wait(deadline);
  loop_.reset();
}

}  // namespace ha
