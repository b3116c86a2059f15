// SPDX-License-Identifier: MIT
#include "common/footprint.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace ha {

namespace {

// Drops the pages of an object's code and constants, which nothing writes to: those that are used
// again come back from the cache of its file.
int drop_unwritten(dl_phdr_info* object, std::size_t, void*) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + part.p_vaddr + part.p_memsz;
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void keep_footprint_small() {
  mallopt(M_ARENA_MAX, 1);
  give_back_memory();
}

void give_back_memory() {
  malloc_trim(0);
  dl_iterate_phdr(drop_unwritten, nullptr);
}

}  // namespace ha
