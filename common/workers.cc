// SPDX-License-Identifier: MIT
#include "common/workers.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

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
    const std::lock_guard guard(mutex);
    ends[i] = end;
    --pending;
    changed.notify_one();
  }
};

// False when there is no thread. The mutex is held.
bool begin(const std::shared_ptr<Shared>& shared, std::size_t i) {
  try {
    std::thread([shared, i] { shared->perform(i); }).detach();
  } catch (const std::system_error&) {
    return false;
  }
  ++shared->pending;
  return true;
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

std::vector<Workers::End> ThreadWorkers::for_all(std::size_t count, const Deadline& deadline,
                                                 Work work) {
  const auto shared = std::make_shared<Shared>();
  shared->work = std::move(work);
  shared->ends.resize(count, End::kLate);
  Work done;
  std::unique_lock lock(shared->mutex);
  for (std::size_t i = 0; i < count; ++i)
    if (!begin(shared, i)) shared->ends[i] = End::kNoThread;
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
  const std::lock_guard guard(shared->mutex);
  if (!begin(shared, 0)) return Error{Errc::kInternal, std::string("no thread is left") + kOwnWant};
  return std::unique_ptr<Job>(std::make_unique<ThreadJob>(shared));
}

}  // namespace ha
