// SPDX-License-Identifier: MIT
// What every harness has in common. A harness is one file: it defines fuzz(), which gives one input
// to one parser of foreign text, and requires what must hold whatever the text is. The sanitizers
// require the rest. Run by libFuzzer, see tests/fuzz/run.

#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ha {

// Defined by each harness. `text` has exactly the bytes of the input, so that a read beyond its end
// is a finding.
void fuzz(std::string_view text);

// Ends the run with a finding unless `holds`.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

// Splits an input for parsers of two texts; the second is empty without a separator.
inline std::pair<std::string_view, std::string_view> split_in_two(std::string_view text,
                                                                  std::string_view separator) {
  const std::size_t at = text.find(separator);
  if (at == text.npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + separator.size())};
}

// A file in memory for parsers that open their text themselves.
class TextFile {
 public:
  TextFile()
      : fd_(memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(fd_)) {}
  ~TextFile() { close(fd_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  const std::string& hold(std::string_view text) {
    require(ftruncate(fd_, 0) == 0);
    require(pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return path_;
  }

 private:
  int fd_;
  std::string path_;
};

}  // namespace ha

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ha::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
