// SPDX-License-Identifier: MIT
#include "common/parallel.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <new>
#include <set>
#include <thread>

#include "tests/fakes/deadline_in.h"

namespace ha {
namespace {

TEST(ParallelTest, EveryResultStandsAtItsPlace) {
  const auto results =
      run_each<std::size_t>(20, deadline_in(10), [](std::size_t i) { return i * i; });
  ASSERT_EQ(results.size(), 20u);
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i], i * i);
  EXPECT_TRUE(run_each<int>(0, deadline_in(10), [](std::size_t) { return 0; }).empty());
}

TEST(ParallelTest, AllRunAtTheSameTime) {
  // Each waits for all the others; one after the other they would never end.
  constexpr int kCount = 8;
  const auto arrived = std::make_shared<std::atomic<int>>(0);
  const auto results = run_each<bool>(kCount, deadline_in(10), [arrived](std::size_t) {
    for (++*arrived; *arrived < kCount;) std::this_thread::yield();
    return true;
  });
  for (const auto& result : results) EXPECT_TRUE(result.has_value());
}

TEST(ParallelTest, OneThatHangsIsAbandonedAtTheDeadline) {
  const auto release = std::make_shared<std::atomic<bool>>(false);
  const Deadline deadline = deadline_in(0.2);
  const auto results = run_each<int>(3, deadline, [release](std::size_t i) {
    while (i == 1 && !*release) std::this_thread::yield();
    return 7;
  });
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(results[0], 7);
  EXPECT_FALSE(results[1].has_value());
  EXPECT_EQ(results[2], 7);
  *release = true;
  // The thread must not outlive this program's statics: it holds the other reference until it ends.
  while (release.use_count() > 1) std::this_thread::yield();
}

// A session that only a thread still held would be cut off by the end of the program.
TEST(ParallelTest, WhatTheWorkHeldIsTheCallersWhenAllAreDone) {
  for (int round = 0; round < 200; ++round) {
    const auto session = std::make_shared<int>(round);
    run_each<int>(3, deadline_in(10), [session](std::size_t) { return *session; });
    ASSERT_EQ(session.use_count(), 1) << "round " << round;
  }
}

TEST(ParallelTest, AJobIsWaitedForAndAbandoned) {
  const auto release = std::make_shared<std::atomic<bool>>(false);
  ThreadWorkers workers;
  const auto job = workers.start([release] {
    while (!*release) std::this_thread::yield();
  });
  ASSERT_TRUE(job);
  EXPECT_FALSE((*job)->wait(deadline_in(0.01)));
  *release = true;
  EXPECT_TRUE((*job)->wait(deadline_in(10)));
  EXPECT_TRUE((*job)->wait(deadline_in(0)));
}

// Begins some work and waits for it; returns the thread that did it.
pid_t thread_of_job(Workers& workers) {
  const auto thread = std::make_shared<pid_t>();
  const auto job = workers.start([thread] { *thread = gettid(); });
  EXPECT_TRUE(job && (*job)->wait(deadline_in(10)));
  return *thread;
}

TEST(ParallelTest, AThreadIsKeptForTheNextWork) {
  ThreadWorkers workers(600);
  // It waits for more a moment after its work has ended.
  const Deadline deadline = deadline_in(10);
  for (std::set<pid_t> seen; seen.insert(thread_of_job(workers)).second && !deadline.passed();)
    std::this_thread::yield();
  EXPECT_FALSE(deadline.passed());

  // One that hangs keeps none of the others waiting.
  const auto release = std::make_shared<std::atomic<bool>>(false);
  const auto hanging = workers.start([release] {
    while (!*release) std::this_thread::yield();
  });
  thread_of_job(workers);
  *release = true;
  EXPECT_TRUE((*hanging)->wait(deadline_in(10)));
}

TEST(ParallelTest, AThreadThatIsKeptForNothingEnds) {
  const auto count = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = count();
  ThreadWorkers workers(0.01);
  thread_of_job(workers);
  const Deadline deadline = deadline_in(10);
  while (count() > before && !deadline.passed()) std::this_thread::yield();
  EXPECT_FALSE(deadline.passed());
}

TEST(ParallelTest, WantOfMemoryIsOurs) {
  const auto results = run_each<Result<int>>(2, deadline_in(10), [](std::size_t i) {
    if (i == 1) throw std::bad_alloc();
    return Result<int>(7);
  });
  ASSERT_TRUE(results[0] && results[1]);
  EXPECT_EQ(**results[0], 7);
  EXPECT_EQ(results[1]->error().code, Errc::kInternal);
  EXPECT_EQ(results[1]->error().text, "out of memory (an error of this machine)");

  const auto mute =
      run_each<int>(1, deadline_in(10), [](std::size_t) -> int { throw std::bad_alloc(); });
  EXPECT_FALSE(mute[0].has_value());
}

TEST(ParallelTest, WantOfThreadsIsOurs) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit memory = {1, 1};
    setrlimit(RLIMIT_AS, &memory);
    pthread_attr_t large;  // a stack that no thread before has left
    pthread_attr_init(&large);
    pthread_attr_setstacksize(&large, 64 << 20);
    pthread_setattr_default_np(&large);
    const auto results =
        run_each<Result<int>>(1, deadline_in(10), [](std::size_t) { return Result<int>(7); });
    _exit(results[0] && results[0]->error().text == "no thread is left (an error of this machine)"
              ? 0
              : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace ha
