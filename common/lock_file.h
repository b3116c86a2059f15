// SPDX-License-Identifier: MIT
// A file whose lock one process has at a time. It ends with the process, however that ends.

#pragma once

#include <string>

#include "common/open_file.h"
#include "common/result.h"

namespace ha {

class LockFile {
 public:
  // Opens or creates a file, mode 0600; a link is not followed. Fails with kInternal: "cannot open
  // PATH: ...".
  static Result<LockFile> open(const std::string& path);

  // Takes the lock for as long as this, or a copy of its descriptor, is open. Does not wait: false
  // while another has it.
  bool take() const;

  int descriptor() const { return file_.get(); }

 private:
  explicit LockFile(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

// True when a process has the lock of a file; false when there is no such file.
bool is_locked(const std::string& path);

}  // namespace ha
