// SPDX-License-Identifier: MIT
// Workers (common/workers.h) whose work returns something: one function per node, all at the same
// time, until the deadline. A call that does not return by then is abandoned, so the work must own
// or share everything that it touches.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "common/deadline.h"
#include "common/machine.h"
#include "common/result.h"
#include "common/workers.h"

namespace ha {

// What stands for a call that this machine could not make, or had no memory to finish. It says
// nothing of whom the call was to ask. nullopt for a type that cannot say so.
template <class T>
std::optional<T> our_own_want(const char* what) {
  if constexpr (std::is_constructible_v<T, Error>)
    return T(Error{Errc::kInternal, std::string(what) + kOwnWant});
  else
    return std::nullopt;
}

// Calls work(0) to work(count - 1), all at the same time, and returns what they returned; nullopt
// for one that had not ended at the deadline, our_own_want() for one that got no thread or ran out
// of memory. `work` is copied and throws nothing else.
template <class T>
std::vector<std::optional<T>> run_each(Workers& workers, std::size_t count,
                                       const Deadline& deadline,
                                       std::function<T(std::size_t)> work) {
  struct Shared {
    std::function<T(std::size_t)> work;
    std::vector<std::optional<T>> results;
  };
  const auto shared = std::make_shared<Shared>();
  shared->work = std::move(work);
  shared->results.resize(count);
  const auto ends = workers.for_all(
      count, deadline, [shared](std::size_t i) { shared->results[i] = shared->work(i); });
  std::vector<std::optional<T>> results(count);
  // A late one still writes into its place, so the places stay.
  for (std::size_t i = 0; i < count; ++i) {
    if (ends[i] == Workers::End::kDone) results[i] = std::move(shared->results[i]);
    if (ends[i] == Workers::End::kNoMemory) results[i] = our_own_want<T>("out of memory");
    if (ends[i] == Workers::End::kNoThread) results[i] = our_own_want<T>("no thread is left");
  }
  return results;
}

// The same by threads.
template <class T>
std::vector<std::optional<T>> run_each(std::size_t count, const Deadline& deadline,
                                       std::function<T(std::size_t)> work) {
  ThreadWorkers workers;
  return run_each<T>(workers, count, deadline, std::move(work));
}

// Work that was begun beside the caller's and returns a T. Abandoned with its last copy.
template <class T>
class Pending {
 public:
  static Result<Pending> begin(Workers& workers, std::function<T()> work) {
    Pending pending;
    auto job =
        workers.start([result = pending.result_, work = std::move(work)] { *result = work(); });
    if (!job) return job.error();
    pending.job_ = std::move(*job);
    return pending;
  }

  // True when the work has ended before the deadline.
  bool wait(const Deadline& deadline) const { return job_->wait(deadline); }

  // Returns what the work returned, which has ended; our_own_want() when it ran out of memory.
  std::optional<T> result() const { return *result_ ? *result_ : our_own_want<T>("out of memory"); }

 private:
  std::shared_ptr<std::optional<T>> result_ = std::make_shared<std::optional<T>>();
  std::shared_ptr<Job> job_ = nullptr;
};

}  // namespace ha
