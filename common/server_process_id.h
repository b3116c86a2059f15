// SPDX-License-Identifier: MIT
// Which process a database server of this machine is.

#pragma once

#include <cstdint>
#include <memory>

namespace ha {

class Descriptor;

// The process of a database server on this machine.
struct ServerProcess {
  int id = 0;
  std::uint64_t started = 0;  // in clock ticks since the boot: ids are given again
  double age_s = 0;           // when it was found
  // By which the system knows it, whatever becomes of its id; null: the system has none.
  std::shared_ptr<const Descriptor> handle = nullptr;

  bool operator==(const ServerProcess& other) const {
    return id == other.id && started == other.started;
  }
};

}  // namespace ha
