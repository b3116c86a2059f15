// SPDX-License-Identifier: MIT
// Opens files in directories that may belong to other users, whose owner can put a link in at any
// moment. A link is followed only when root, this user or the owner of what it leads to has made
// it: so nobody leads us to a file to which he could not have led us by its own path.

#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "common/result.h"

namespace ha {

// Owns a descriptor, closes it on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// A directory, and what is in it: with openat() and its kin nobody can exchange one for another.
struct Place {
  Descriptor directory;  // O_PATH
  std::string name;      // without slashes
};

// Opens the directory of `path`. The last component is not looked at, and "..", "." or nothing in
// its place is refused. Fails with kMissing, or with kUsage and the reason, as "no such file" or
// which link is not followed and what to type; the text does not name `path`.
Result<Place> open_place(const std::string& path);

// Opens a file as open(2) does, O_CLOEXEC added. A link in the last place is followed by the rule,
// unless `flags` hold O_NOFOLLOW or O_CREAT. Fails as open_place() does.
Result<Descriptor> open_file(const std::string& path, int flags, mode_t mode = 0600);

}  // namespace ha
