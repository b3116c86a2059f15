// SPDX-License-Identifier: MIT
// Two of MariaDB's binlog states or positions.

#include "common/mysql/mariadb_gtid.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto [first, second] = split_in_two(text, "|");
  const auto a = MariadbGtids::parse(first), b = MariadbGtids::parse(second);
  if (!a || !b) return;
  const auto again = MariadbGtids::parse(a->print());
  require(again && *again == *a);
  const MariadbGtids both = unite(*a, *b), rest = subtract(*a, *b);
  require(contains(both, *a) && contains(both, *b) && contains(*a, rest));
  require(contains(*b, *a) == rest.empty());
  require((a->count_beyond(*b) == 0) == rest.empty());
  a->newest();
}
