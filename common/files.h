// SPDX-License-Identifier: MIT
// Small files: configuration that is read whole, state that is replaced whole.

#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "common/result.h"

namespace ha {

inline constexpr std::size_t kMaxFileSize = 1 << 20;

// Reads a regular file or a pipe ("-": standard input) whole. Fails with kMissing when it does not
// exist, kUsage when it may not be read or is larger than `most` bytes.
Result<std::string> read_file(const std::string& path, std::size_t most = kMaxFileSize);

// Returns a user's name, or the number of one that has none.
std::string user_name(unsigned uid);

// Creates a directory with mode 0700 (not its parents) unless it is there; fails when it cannot be
// made, belongs to another user or others may write to it or exchange it, and says what to type
// then (with kThisCommand of common/commands.h). What is in it can then be opened by its path.
Result<Done> make_private_directory(const std::string& path);

// Likewise, but fails with kMissing when it is not there.
Result<Done> check_private_directory(const std::string& path);

// Replaces `path` atomically with `content`: after a crash there is the old file or the new one, on
// disk. The owner of the directory cannot have another file changed (common/open_file.h). Fails
// with the path and the reason.
Result<Done> write_file_atomic(const std::string& path, std::string_view content,
                               mode_t mode = 0600);

// The same without waiting for the disk: after a crash of the machine there may be neither.
Result<Done> write_passing_file(const std::string& path, std::string_view content);

// Waits until the name of a file that was made is on disk: a sync of the file promises its content
// alone. Fails as write_file_atomic() does.
Result<Done> sync_name(const std::string& path);

// Writes all of `content` to a descriptor; false, with errno, when not all could be written.
bool write_all(int fd, std::string_view content);

}  // namespace ha
