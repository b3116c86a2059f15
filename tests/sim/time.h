// SPDX-License-Identifier: MIT
// The simulated time: microseconds since a history's beginning.

#pragma once

#include <cstdint>

namespace ha::sim {

using Time = std::int64_t;

inline constexpr Time kMillisecond = 1000, kSecond = 1'000'000, kNever = INT64_MAX / 4;

}  // namespace ha::sim
