// SPDX-License-Identifier: MIT
// Reads numbers and bytes from the front of a binary text. What is beyond its end reads as 0 and
// empty, and is told by ok(). Pure.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ha {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::string_view bytes(std::uint64_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view front = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return front;
  }

  // Each reads a number of at most eight bytes.
  std::uint64_t little(unsigned count) {
    std::uint64_t number = 0;
    unsigned shift = 0;
    for (const char byte : bytes(count)) {
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(byte)) << shift;
      shift += 8;
    }
    return number;
  }
  std::uint64_t big(unsigned count) {
    std::uint64_t number = 0;
    for (const char byte : bytes(count)) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
  }

  // Reads a number whose first byte tells how long it is, as MySQL's protocol has them.
  std::uint64_t packed() {
    const std::uint64_t first = little(1);
    if (first < 251) return first;
    if (first == 252) return little(2);
    if (first == 253) return little(3);
    if (first == 254) return little(8);
    ok_ = false;
    return 0;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ha
