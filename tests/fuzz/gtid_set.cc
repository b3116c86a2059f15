// SPDX-License-Identifier: MIT
// Two of MySQL's GTID sets: what is printed is read as the same set, and the algebra of sets holds.

#include "common/mysql/gtid_set.h"

#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto [first, second] = split_in_two(text, "|");
  const auto a = GtidSet::parse(first), b = GtidSet::parse(second);
  if (!a || !b) return;
  const auto again = GtidSet::parse(a->print());
  require(again && *again == *a);
  const GtidSet both = unite(*a, *b), rest = subtract(*a, *b);
  require(contains(both, *a) && contains(both, *b) && contains(*a, rest));
  require(unite(rest, *b) == both);
  require(subtract(rest, *b) == rest);
  require(contains(*b, *a) == rest.empty());
  require(rest.count() <= a->count() && a->count() <= both.count());
  for (const std::string& server : a->servers()) require(contains(*a, a->of_server(server)));
}
