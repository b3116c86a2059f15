// SPDX-License-Identifier: MIT
#include "common/execute/duties.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "tests/fakes/fake_env.h"

namespace ha {
namespace {

// Whose work ends when the test says so.
class SlowWorkers : public Workers {
 public:
  std::vector<End> for_all(std::size_t count, const Deadline&, Work) override {
    return std::vector<End>(count, End::kNoThread);
  }
  Result<std::unique_ptr<Job>> start(std::function<void()> work) override {
    if (no_thread) return Error{Errc::kInternal, "no thread is left"};
    work();
    return std::unique_ptr<Job>(std::make_unique<SlowJob>(ended));
  }
  bool no_thread = false;
  std::shared_ptr<bool> ended = std::make_shared<bool>(true);

 private:
  struct SlowJob : Job {
    explicit SlowJob(std::shared_ptr<bool> some_end) : end(std::move(some_end)) {}
    bool wait(const Deadline&) override { return *end; }
    std::shared_ptr<bool> end;
  };
};

TEST(DutiesTest, WhatIsDueIsBegunWhenItHasEndedAndHasAThread) {
  FakeClock clock;
  SlowWorkers workers;
  Duties duties(clock, workers);
  bool due = false;
  int begun = 0;
  duties.add([&] { return due; }, [&] { ++begun; });
  const struct {
    bool is_due, has_ended, no_thread;
    int begun;
    bool at_work;
  } turns[] = {
      {false, true, false, 0, false}, {true, false, false, 1, true},
      {true, false, false, 1, true},                                 // it is at work
      {false, true, false, 1, false}, {true, true, true, 1, false},  // nobody is there to do it
      {true, true, false, 2, true},
  };
  for (const auto& turn : turns) {
    due = turn.is_due;
    *workers.ended = turn.has_ended;
    workers.no_thread = turn.no_thread;
    EXPECT_EQ(duties.begin_due(), turn.at_work);
    EXPECT_EQ(begun, turn.begun);
  }
}

}  // namespace
}  // namespace ha
