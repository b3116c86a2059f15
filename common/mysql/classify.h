// SPDX-License-Identifier: MIT
// Judges a topology: which named troubles it is in. Pure.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/mysql/topology.h"
#include "common/mysql/verdict.h"

namespace ha {

struct Finding {
  Verdict verdict;
  std::vector<std::size_t> nodes;  // that it is about; empty: all
  std::string text;                // names them
};

struct Assessment {
  std::vector<Finding> findings;          // empty: healthy
  std::uint64_t errant_transactions = 0;  // at least
  std::size_t diverged = 0;               // nodes with a history of their own
};

// Finds every trouble, in the order of Verdict.
Assessment classify(const Topology& topology, std::size_t allowed_writers);

}  // namespace ha
