// SPDX-License-Identifier: MIT
// Numbers that look random and are the same on every machine: splitmix64 (Steele, Lea, Flood 2014),
// integers only, for the distributions of the standard library differ from one to the next.

#pragma once

#include <cstdint>

namespace ha::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Returns a number from `low` to `high`, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }

  // True `percent` times of a hundred.
  bool chance(int percent) { return static_cast<int>(next() % 100) < percent; }

  // Returns a generator of its own: what it draws changes nothing of what this one draws next.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace ha::sim
