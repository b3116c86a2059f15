// SPDX-License-Identifier: MIT
// The checks of _FORTIFY_SOURCE take a jump to another stack for an error.
#undef _FORTIFY_SOURCE
#include "tests/sim/fiber.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdlib>
#include <utility>
#include <vector>

namespace ha::sim {

namespace {

constexpr std::size_t kStackSize = 256 << 10, kGuardSize = 4096;

Fiber* running = nullptr;

char* make_stack() {
  void* const stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) std::abort();
  mprotect(stack, kGuardSize, PROT_NONE);
  return static_cast<char*>(stack);
}

}  // namespace

// A stack on which one body runs after the other: a history needs hundreds, and to begin on a new
// one takes system calls.
struct Fiber::Context {
  ucontext_t first = {};
  jmp_buf inside = {}, outside = {};
  bool begun = false;

  static std::vector<std::unique_ptr<Context>>& free() {
    static std::vector<std::unique_ptr<Context>> contexts;
    return contexts;
  }

  void begin() {
    begun = true;
    getcontext(&first);
    first.uc_stack.ss_sp = make_stack();
    first.uc_stack.ss_size = kStackSize;
    first.uc_link = nullptr;
    makecontext(&first, &Fiber::enter, 0);
    setcontext(&first);
  }
};

Fiber::Fiber(std::function<void()> body) : body_(std::move(body)) {
  if (Context::free().empty()) {
    context_ = std::make_unique<Context>();
    return;
  }
  context_ = std::move(Context::free().back());
  Context::free().pop_back();
}

Fiber::~Fiber() { Context::free().push_back(std::move(context_)); }

// Runs one fiber's body after the other. What is not in memory when it is left is lost.
void Fiber::enter() {
  for (;;) {
    Fiber* volatile const self = running;
    self->body_();
    self->done_ = true;
    if (_setjmp(self->context_->inside) == 0) _longjmp(self->context_->outside, 1);
  }
}

void Fiber::resume() {
  Fiber* const before = std::exchange(running, this);
  if (_setjmp(context_->outside) == 0) {
    if (context_->begun) _longjmp(context_->inside, 1);
    context_->begin();
  }
  running = before;
}

void Fiber::suspend() {
  Fiber* const self = running;
  if (_setjmp(self->context_->inside) == 0) _longjmp(self->context_->outside, 1);
}

}  // namespace ha::sim
