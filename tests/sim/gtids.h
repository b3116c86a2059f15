// SPDX-License-Identifier: MIT
// The transactions that a simulated server has, by the server that numbered them. Not the product's
// GtidSet: a mistake of that one must not hide in both.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ha::sim {

inline constexpr std::size_t kMostNodes = 6;

class Gtids {
 public:
  using Interval = std::pair<std::uint32_t, std::uint32_t>;  // first and last

  void add(std::size_t server, std::uint32_t number) {
    auto& list = of_[server];
    std::size_t i = list.size();
    while (i > 0 && list[i - 1].first > number) --i;
    if (i > 0 && list[i - 1].second >= number) return;
    const bool left = i > 0 && list[i - 1].second + 1 == number;
    const bool right = i < list.size() && list[i].first == number + 1;
    if (left && right) {
      list[i - 1].second = list[i].second;
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (left) {
      list[i - 1].second = number;
    } else if (right) {
      list[i].first = number;
    } else {
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(i), {number, number});
    }
  }

  bool has(std::size_t server, std::uint32_t number) const {
    for (const Interval& one : of_[server])
      if (one.first <= number && number <= one.second) return true;
    return false;
  }

  // Returns the greatest number of a server; 0: it has none.
  std::uint32_t last(std::size_t server) const {
    return of_[server].empty() ? 0 : of_[server].back().second;
  }

  // True when every transaction that `server` has numbered in `other` is here, too.
  bool covers(std::size_t server, const Gtids& other) const {
    for (const Interval& one : other.of_[server])
      for (std::uint32_t n = one.first; n <= one.second; ++n)
        if (!has(server, n)) return false;
    return true;
  }

  void add_all(const Gtids& other) {
    for (std::size_t s = 0; s < kMostNodes; ++s)
      for (const Interval& one : other.of_[s])
        for (std::uint32_t n = one.first; n <= one.second; ++n) add(s, n);
  }

  void clear() {
    for (auto& list : of_) list.clear();
  }

  // Prints as MySQL does; `uuid` gives a server's.
  template <class Uuid>
  std::string print(Uuid uuid) const {
    std::string text;
    for (std::size_t s = 0; s < kMostNodes; ++s) {
      if (of_[s].empty()) continue;
      if (!text.empty()) text += ",\n";
      text += uuid(s);
      for (const Interval& one : of_[s]) {
        text += ":" + std::to_string(one.first);
        if (one.second != one.first) text += "-" + std::to_string(one.second);
      }
    }
    return text;
  }

 private:
  std::array<std::vector<Interval>, kMostNodes> of_;
};

}  // namespace ha::sim
