// SPDX-License-Identifier: MIT
// The files of this machine.

#pragma once

#include "common/env.h"

namespace ha {

class PosixFiles : public Files {
 public:
  FileInfo info(const std::string& path) override;
  Result<std::string> read(const std::string& path, std::size_t most) override;
  Result<std::unique_ptr<std::istream>> open(const std::string& path) override;
  Result<Done> write_atomic(const std::string& path, std::string_view content,
                            mode_t mode) override;
  Result<Done> write_passing(const std::string& path, std::string_view content) override;
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  Result<Done> rename(const std::string& from, const std::string& to) override;
  Result<Done> remove(const std::string& path) override;
  Result<Done> remove_all(const std::string& path) override;
  Result<Done> link(const std::string& target, const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<Done> make_private_directory(const std::string& path) override;
  Result<Done> check_private_directory(const std::string& path) override;
  Result<Done> check_replaceable(const std::string& path) override;
  std::string user() override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  std::string lock_holder(const std::string& path) override;
};

}  // namespace ha
