// SPDX-License-Identifier: MIT
// Commands, split as a shell splits words: quoted again they are the same words.

#include "common/guard.h"
#include "common/process.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  GuardConfig config;
  (void)parse_fail_on(text, config).has_value();
  (void)parse_step(text).has_value();
  const auto words = split_command(text);
  if (!words) return;
  require(!words->empty());
  std::string quoted;
  for (const std::string& word : *words) quoted += quote_word(word) + " ";
  const auto again = split_command(quoted);
  require(again && *again == *words);
}
