// SPDX-License-Identifier: MIT
#pragma once

namespace ha {

// The largest single row, which the client library takes whole, and the longest statement.
inline constexpr unsigned long kMaxPacket = 64ul << 20;

}  // namespace ha
