// SPDX-License-Identifier: MIT
// A directory of the test's own, removed with all that is in it.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace ha {

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "ha-test-XXXXXX").string();
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

  // Creates a file and returns its path.
  std::string file(std::string_view name, std::string_view content) const {
    std::ofstream(path(name)) << content;
    return path(name);
  }

 private:
  std::string path_;
};

}  // namespace ha
