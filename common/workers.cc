// SPDX-License-Identifier: MIT
#include "common/workers.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "common/machine.h"

namespace ha {

namespace {

using Seconds = std::chrono::duration<double>;

// What the threads of one call share with the one that waits for them.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  Workers::Work work;
  std::vector<Workers::End> ends;
  std::size_t pending = 0;

  // The work by the thread at place `i`.
  void perform(std::size_t i) {
    Workers::End end = Workers::End::kDone;
    try {
      work(i);
    } catch (const std::bad_alloc&) {
      end = Workers::End::kNoMemory;
    }
    std::unique_lock lock(mutex);
    ends[i] = end;
    const bool last = --pending == 0;
    // A thread that is woken with the mutex taken would only wait again.
    lock.unlock();
    if (last) changed.notify_one();
  }
};

// What one thread does next; empty: nothing.
struct Piece {
  std::shared_ptr<Shared> shared = {};
  std::size_t place = 0;
};

// Signals that ask the program to stop or to read its options again are for its main thread, which
// may come to block them when a kept thread is there already.
void leave_signals_to_others() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

class ThreadJob : public Job {
 public:
  explicit ThreadJob(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  bool wait(const Deadline& deadline) override {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, Seconds(deadline.remaining_s()),
                                     [this] { return shared_->pending == 0; });
  }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

// The threads of ThreadWorkers, each of which shares it.
class ThreadWorkers::Crew : public std::enable_shared_from_this<Crew> {
 public:
  explicit Crew(double keep_s) : keep_s_(keep_s) {}

  // Gives a piece of work to a thread; false when there is none. shared->mutex is held.
  bool give(const std::shared_ptr<Shared>& shared, std::size_t place) {
    if (!hand_over({shared, place}) && !hire({shared, place})) return false;
    ++shared->pending;
    return true;
  }

 private:
  // A thread that waits. It may have its piece, and be gone, before it is told.
  struct Idle {
    std::condition_variable given = {};
    Piece piece = {};
  };

  // The last one that began to wait is the first to work again, so that the others can end.
  bool hand_over(Piece piece) {
    std::unique_lock lock(mutex_);
    if (idle_.empty()) return false;
    const std::shared_ptr<Idle> next = std::move(idle_.back());
    idle_.pop_back();
    next->piece = std::move(piece);
    lock.unlock();
    next->given.notify_one();
    return true;
  }

  bool hire(Piece piece) {
    try {
      std::thread([crew = shared_from_this(), piece = std::move(piece)]() mutable {
        crew->serve(std::move(piece));
      }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  // All that one thread does.
  void serve(Piece piece) {
    if (keep_s_ > 0) leave_signals_to_others();
    std::shared_ptr<Idle> self;
    while (piece.shared) {
      piece.shared->perform(piece.place);
      // What the work holds is let go before the wait.
      piece = {};
      if (keep_s_ > 0) piece = wait(self);
    }
  }

  // Waits for the next piece of work; none: the thread is to end.
  Piece wait(std::shared_ptr<Idle>& self) {
    std::unique_lock lock(mutex_);
    try {
      if (!self) self = std::make_shared<Idle>();
      idle_.push_back(self);
    } catch (const std::bad_alloc&) {
      return {};
    }
    if (!self->given.wait_for(lock, Seconds(keep_s_),
                              [&] { return self->piece.shared != nullptr; }))
      std::erase(idle_, self);
    return std::exchange(self->piece, {});
  }

  const double keep_s_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Idle>> idle_ = {};
};

ThreadWorkers::ThreadWorkers(double keep_s) : crew_(std::make_shared<Crew>(keep_s)) {}

std::vector<Workers::End> ThreadWorkers::for_all(std::size_t count, const Deadline& deadline,
                                                 Work work) {
  const auto shared = std::make_shared<Shared>();
  shared->work = std::move(work);
  shared->ends.resize(count, End::kLate);
  Work done;
  std::unique_lock lock(shared->mutex);
  for (std::size_t i = 0; i < count; ++i)
    if (!crew_->give(shared, i)) shared->ends[i] = End::kNoThread;
  shared->changed.wait_for(lock, Seconds(deadline.remaining_s()),
                           [&] { return shared->pending == 0; });
  // What the work holds, such as sessions, is closed by who waits: a thread may be cut off by the
  // end of the program.
  if (shared->pending == 0) done.swap(shared->work);
  return shared->ends;
}

Result<std::unique_ptr<Job>> ThreadWorkers::start(std::function<void()> work) {
  const auto shared = std::make_shared<Shared>();
  shared->work = [work = std::move(work)](std::size_t) { work(); };
  shared->ends.resize(1, End::kLate);
  // Before the work begins: what is begun is never without its Job for want of memory.
  std::unique_ptr<Job> job = std::make_unique<ThreadJob>(shared);
  const std::lock_guard guard(shared->mutex);
  if (!crew_->give(shared, 0))
    return Error{Errc::kInternal, std::string("no thread is left") + kOwnWant};
  return job;
}

}  // namespace ha
