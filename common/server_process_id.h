// SPDX-License-Identifier: MIT
// Which process a database server of this machine is. Plain values.

#pragma once

#include <cstdint>

namespace ha {

// The process of a database server on this machine.
struct ServerProcess {
  int id = 0;
  std::uint64_t started = 0;  // in clock ticks since the boot: ids are given again
  double age_s = 0;           // when it was found

  bool operator==(const ServerProcess& other) const {
    return id == other.id && started == other.started;
  }
};

}  // namespace ha
