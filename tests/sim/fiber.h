// SPDX-License-Identifier: MIT
// A call that can be left in the middle and gone on with later, in one thread: the managers are
// synchronous code, and each of their waits is a suspend(). Switching costs no system call.

#pragma once

#include <functional>
#include <memory>

namespace ha::sim {

class Fiber {
 public:
  // `body` throws nothing.
  explicit Fiber(std::function<void()> body);
  // Precondition: it is done.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs it until it suspends or ends. Not from within a fiber.
  void resume();

  // Leaves the running fiber; returns when it is resumed.
  static void suspend();

  bool done() const { return done_; }

 private:
  struct Context;
  static void enter();

  std::function<void()> body_;
  std::unique_ptr<Context> context_;
  bool done_ = false;
};

}  // namespace ha::sim
