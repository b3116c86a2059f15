// SPDX-License-Identifier: MIT
// The file of the loser's rows that were not brought to the winner: SQL that people can read and
// the mysql client can apply, each row with the reason in front. It is made with the first row.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/env.h"
#include "common/result.h"

namespace ha {

class UnmergedRows {
 public:
  // `heading` is the file's first line, a comment.
  UnmergedRows(Files& files, std::string path, std::string heading)
      : files_(files), path_(std::move(path)), heading_(std::move(heading)) {}

  const std::string& path() const { return path_; }
  bool empty() const { return size_ == 0; }

  // Keeps other threads from what follows.
  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  // Appends statements, which are on the disk then.
  Result<Done> append(std::string_view sql);

  // Cuts off what was appended after the file had `size` bytes.
  std::uint64_t size() const { return size_; }
  Result<Done> cut_to(std::uint64_t size);

 private:
  std::mutex mutex_;
  Files& files_;
  const std::string path_, heading_;
  std::unique_ptr<AppendFile> file_ = nullptr;
  std::uint64_t size_ = 0;
};

}  // namespace ha
