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

// Stacks are used again: a history needs some dozens, one after the other.
std::vector<char*>& free_stacks() {
  static std::vector<char*> stacks;
  return stacks;
}

char* take_stack() {
  if (!free_stacks().empty()) {
    char* const stack = free_stacks().back();
    free_stacks().pop_back();
    return stack;
  }
  void* const stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) std::abort();
  mprotect(stack, kGuardSize, PROT_NONE);
  return static_cast<char*>(stack);
}

Fiber* running = nullptr;

}  // namespace

struct Fiber::Context {
  char* stack = nullptr;
  ucontext_t first = {}, caller = {};
  jmp_buf inside = {}, outside = {};
};

Fiber::Fiber(std::function<void()> body)
    : body_(std::move(body)), context_(std::make_unique<Context>()) {}

Fiber::~Fiber() {
  if (context_->stack != nullptr) free_stacks().push_back(context_->stack);
}

void Fiber::enter() {
  Fiber* const self = running;
  self->body_();
  self->done_ = true;
  _longjmp(self->context_->outside, 1);
}

void Fiber::resume() {
  Fiber* const before = std::exchange(running, this);
  if (_setjmp(context_->outside) == 0) {
    if (begun_) _longjmp(context_->inside, 1);
    begun_ = true;
    context_->stack = take_stack();
    getcontext(&context_->first);
    context_->first.uc_stack.ss_sp = context_->stack;
    context_->first.uc_stack.ss_size = kStackSize;
    context_->first.uc_link = nullptr;
    makecontext(&context_->first, &Fiber::enter, 0);
    setcontext(&context_->first);
  }
  running = before;
}

void Fiber::suspend() {
  Fiber* const self = running;
  if (_setjmp(self->context_->inside) == 0) _longjmp(self->context_->outside, 1);
}

}  // namespace ha::sim
