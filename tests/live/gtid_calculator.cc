// SPDX-License-Identifier: MIT
// Answers questions on GTID sets for the live tests, which compare the answers with a server's:
// reads lines "A|B" and prints for each "is B in A|A without B|A and B|transactions in A", or the
// error.

#include <fmt/format.h>

#include <iostream>

#include "common/mysql/gtid_set.h"

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t bar = line.find('|');
    const auto a = ha::GtidSet::parse(line.substr(0, bar));
    const auto b = ha::GtidSet::parse(line.substr(bar + 1));
    if (a && b)
      fmt::print("{:d}|{}|{}|{}\n", contains(*a, *b), subtract(*a, *b).print(),
                 unite(*a, *b).print(), a->count());
    else
      fmt::print("error: {}\n", (a ? b : a).error().text);
  }
}
