// SPDX-License-Identifier: MIT
// The heap of the simulator, which has one thread and is gone in a moment: a quarter of a history's
// time went to a heap for many threads. Blocks of one size stand in pages of their own and are used
// again, the last that was freed first. Sanitizers bring a heap that finds mistakes.
#ifndef __SANITIZE_ADDRESS__

#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t kGrain = 16, kClasses = 256;  // blocks of 16 to 4080 bytes
constexpr std::size_t kPage = 64 << 10, kPages = 1 << 16;

struct Free {
  Free* next;
};

char* arena = nullptr;
std::size_t used_pages = 0;
std::array<Free*, kClasses> lists = {};
std::array<std::uint8_t, kPages> class_of_page = {};

// Makes a page of blocks of a class; null: the arena is full.
Free* add_page(std::size_t size_class) {
  if (arena == nullptr) {
    void* const all = mmap(nullptr, kPage * kPages, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) std::abort();
    arena = static_cast<char*>(all);
  }
  if (used_pages == kPages) return nullptr;
  char* const page = arena + kPage * used_pages;
  class_of_page[used_pages++] = static_cast<std::uint8_t>(size_class);
  const std::size_t size = size_class * kGrain;
  Free* list = nullptr;
  for (std::size_t at = kPage / size * size; at >= size; at -= size)
    list = ::new (page + at - size) Free{list};
  return list;
}

void* take(std::size_t size) {
  const std::size_t size_class = size == 0 ? 1 : (size + kGrain - 1) / kGrain;
  if (size_class < kClasses) {
    Free*& list = lists[size_class];
    if (list == nullptr) list = add_page(size_class);
    if (list != nullptr) {
      Free* const block = list;
      list = block->next;
      return block;
    }
  }
  void* const block = std::malloc(size);
  if (block == nullptr) std::abort();
  return block;
}

void give(void* block) {
  const auto place =
      reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(arena);
  if (arena == nullptr || place >= kPage * kPages) return std::free(block);
  Free*& list = lists[class_of_page[place / kPage]];
  list = ::new (block) Free{list};
}

}  // namespace

void* operator new(std::size_t size) { return take(size); }
void operator delete(void* block) noexcept { give(block); }
void operator delete(void* block, std::size_t) noexcept { give(block); }

#endif
