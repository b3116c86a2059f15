// SPDX-License-Identifier: MIT
// Option files of MySQL's and MariaDB's clients.

#include "common/mysql/defaults_file.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  static TextFile file;
  const auto read = read_defaults_file(file.hold(text), "client");
  if (!read) require(read.error().code == Errc::kUsage);
}
