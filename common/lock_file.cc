// SPDX-License-Identifier: MIT
#include "common/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "common/machine.h"

namespace ha {

Result<LockFile> LockFile::open(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() >= 0) return LockFile(std::move(file));
  const int error = errno;
  return Error{Errc::kInternal, fmt::format("cannot open {}: {}{}", path, std::strerror(error),
                                            is_own_want(error) ? kOwnWant : "")};
}

bool LockFile::take() const { return flock(file_.get(), LOCK_EX | LOCK_NB) == 0; }

bool is_locked(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return file.get() >= 0 && flock(file.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace ha
