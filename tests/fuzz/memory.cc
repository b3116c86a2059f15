// SPDX-License-Identifier: MIT
// What is remembered of a cluster: what is read can be written and read again as the same.

#include "common/mysql/memory_file.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto memory = parse_memory(std::string(text));
  if (!memory) return;
  const std::string written = memory_to_json(*memory);
  const auto again = parse_memory(written);
  require(again && memory_to_json(*again) == written);
}
