// SPDX-License-Identifier: MIT
// --config and --extra-opts.

#include "common/ini.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto entries = parse_ini(text, "file");
  if (!entries) return;
  for (const IniEntry& entry : *entries) require(!entry.key.empty());
}
