// SPDX-License-Identifier: MIT
// The version with which a server greets, and its words.

#include "common/mysql/version.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const Version version = parse_version(text);
  require(!spelling(version).show_replica_status.empty());
}
