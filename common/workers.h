// SPDX-License-Identifier: MIT
// Work that is done at the same time as other work.

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/deadline.h"
#include "common/result.h"

namespace ha {

// Work that was begun beside the caller's. The destructor abandons it if it has not ended.
class Job {
 public:
  virtual ~Job() = default;

  // Waits until the work has ended; false when the deadline passes before.
  virtual bool wait(const Deadline& deadline) = 0;
};

// "All of these at the same time": threads in the system's twin; any order, one after the other, in
// a simulator. No work waits for another of the same call. What the work touches it owns or shares,
// for it may be abandoned.
class Workers {
 public:
  enum class End {
    kDone,
    kLate,      // it had not ended at the deadline and may still be at it
    kNoThread,  // it was not begun: this machine has no thread for it
    kNoMemory,  // it threw std::bad_alloc
  };
  using Work = std::function<void(std::size_t)>;

  virtual ~Workers() = default;

  // Calls work(0) to work(count - 1) and returns how each ended. When all have ended, the work is
  // destroyed before this returns. run_each() of common/parallel.h
  // returns results too.
  virtual std::vector<End> for_all(std::size_t count, const Deadline& deadline, Work work) = 0;

  // Begins one piece of work. Fails with kInternal when this machine has no thread for it.
  virtual Result<std::unique_ptr<Job>> start(std::function<void()> work) = 0;
};

// Each piece of work in a thread of its own. An abandoned one goes on until the program leaves by
// _exit() (plugins/main.cc).
class ThreadWorkers : public Workers {
 public:
  // A thread that has done its work is kept for the next one for `keep_s` seconds: what a program
  // that lives for weeks begins in each of its rounds is done by the same few threads.
  explicit ThreadWorkers(double keep_s = 0);

  std::vector<End> for_all(std::size_t count, const Deadline& deadline, Work work) override;
  Result<std::unique_ptr<Job>> start(std::function<void()> work) override;

 private:
  class Crew;
  const std::shared_ptr<Crew> crew_;
};

}  // namespace ha
