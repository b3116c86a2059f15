// SPDX-License-Identifier: MIT
// One function per node, all at the same time, until the deadline. A call that does not return by
// then is abandoned: its thread goes on while the program prints and leaves by _exit (plugins/
// main.cc), so the work must own or share everything that it touches.

#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "common/deadline.h"
#include "common/machine.h"
#include "common/result.h"

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

// Calls work(0) to work(count - 1), each in a thread of its own, and returns what they returned;
// nullopt for one that had not ended at the deadline, our_own_want() for one that got no thread or
// ran out of memory. `work` is copied and throws nothing else.
template <class T>
std::vector<std::optional<T>> run_each(std::size_t count, const Deadline& deadline,
                                       std::function<T(std::size_t)> work) {
  struct Shared {
    std::function<T(std::size_t)> work;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::optional<T>> results;
    std::size_t pending = 0;
  };
  const auto shared = std::make_shared<Shared>();
  shared->work = std::move(work);
  shared->results.resize(count);
  std::function<T(std::size_t)> done;
  std::unique_lock lock(shared->mutex);
  for (std::size_t i = 0; i < count; ++i) {
    try {
      std::thread([shared, i] {
        std::optional<T> result;
        try {
          result = shared->work(i);
        } catch (const std::bad_alloc&) {
          result = our_own_want<T>("out of memory");
        }
        const std::lock_guard guard(shared->mutex);
        shared->results[i] = std::move(result);
        --shared->pending;
        shared->changed.notify_one();
      }).detach();
      ++shared->pending;
    } catch (const std::system_error&) {
      shared->results[i] = our_own_want<T>("no thread is left");
    }
  }
  shared->changed.wait_until(lock, deadline.when(), [&] { return shared->pending == 0; });
  // What the work holds, such as sessions, is closed by who waits: a thread may be cut off by the
  // end of the program.
  if (shared->pending == 0) done.swap(shared->work);
  // A late one still writes into its place, so the places stay.
  std::vector<std::optional<T>> results(count);
  results.swap(shared->results);
  return results;
}

}  // namespace ha
