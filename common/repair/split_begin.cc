// SPDX-License-Identifier: MIT
#include "common/repair/split_begin.h"

#include <cstdint>
#include <istream>
#include <string>

#include "common/execute/binlog_text.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr int kFormatDescription = 15;

// The time that a statement sets: "SET TIMESTAMP=1764532572/*!*/;".
std::optional<long long> time_of_statement(std::string_view line) {
  constexpr std::string_view kBeginning = "SET TIMESTAMP=";
  if (!line.starts_with(kBeginning)) return std::nullopt;
  line.remove_prefix(kBeginning.size());
  return parse_integer(line.substr(0, line.find_first_not_of("0123456789")));
}

}  // namespace

std::optional<long long> time_of_event(std::string_view base64) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kNeeded = 8;  // the first six bytes
  if (base64.size() < kNeeded) return std::nullopt;
  std::uint64_t bits = 0;
  for (const char c : base64.substr(0, kNeeded)) {
    const std::size_t digit = kDigits.find(c);
    if (digit == kDigits.npos) return std::nullopt;
    bits = bits << 6 | digit;
  }
  const auto byte = [bits](int place) {
    return static_cast<long long>(bits >> (8 * (5 - place)) & 0xff);
  };
  if (byte(4) == kFormatDescription) return std::nullopt;
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

std::optional<long long> first_write(std::istream& text) {
  bool begun = false;
  std::string line;
  for (bool event = false; std::getline(text, line); event = line == "BINLOG '") {
    begun = begun || (!line.starts_with('#') && begins_transaction(line));
    if (!begun) continue;
    const auto time = event ? time_of_event(line) : time_of_statement(line);
    if (time) return time;
  }
  return std::nullopt;
}

}  // namespace ha
