// SPDX-License-Identifier: MIT
// What makes text from outside harmless, and what splits it.

#include "common/text.h"

#include <algorithm>

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const std::string clean = sanitize(text);
  require(sanitize(clean) == clean);
  require(std::ranges::none_of(clean,
                               [](unsigned char c) { return c < ' ' || c == 0x7F || c == '|'; }));
  require(shorten(clean, 20).size() <= 20);
  require(join(split(text, ','), ",") == text);
  for (const std::string& word : split_words(text)) require(!word.empty());
  split_values(text);
  trim(text);
  is_file_name(text);
  if (const auto number = parse_number(text)) format_duration(*number), format_number(*number);
  parse_integer(text);
}
