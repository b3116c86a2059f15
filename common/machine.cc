// SPDX-License-Identifier: MIT
#include "common/machine.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace ha {

bool is_own_want(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
         error == EADDRNOTAVAIL;
}

bool lacks_resources() {
  constexpr std::size_t kAnswer = 256u << 10;
  void* const memory = std::malloc(kAnswer);
  std::free(memory);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return memory == nullptr || fd < 0;
}

}  // namespace ha
