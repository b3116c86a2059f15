// SPDX-License-Identifier: MIT
// What is going to happen in a simulated world, by time; what happens at the same time, in the
// order in which it was planned.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/sim/time.h"

namespace ha::sim {

enum class Happens : std::uint8_t {
  kWake,             // a manager's fiber goes on; a: fiber, b: its wait
  kStatement,        // a statement arrives at its server; a: session
  kEventArrives,     // the next event of a binlog reaches a receiver; a: replica, b: connection
  kAcknowledged,     // a semi-sync acknowledgement arrives; a: source, b: replica, c: connection,
                     // d: place in the binlog
  kApply,            // an applier is ready with a transaction; a: replica, b: generation
  kReceiverTries,    // a receiver connects; a: replica, b: generation
  kReceiverGivesUp,  // a receiver has heard nothing for too long; a: replica, b: connection
  kSemiSyncTimeout,  // a: source, b: write
  kClientWrites,     // a: client
  kWriteArrives,     // a: client, b: write
  kReplyArrives,     // a: client, b: write
  kFault,            // a: place in the history's faults
  kFaultEnds,        // likewise
  kManagerStarts,    // a: manager
  kFence,            // a server is fenced; a: server
  kSessionEnds,      // the server notices that a session's client is gone; a: session
  kGuardStarts,      // beside a server; a: node
  kWatchdog,         // a host's may not have been fed in time; a: host
  kHostBoots,        // after its watchdog has reset it; a: node
  kServerStarts,     // after it was killed; a: node
};

struct Event {
  Time at;
  std::uint32_t order;
  Happens what;
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

class Events {
 public:
  void add(Time at, Happens what, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0,
           std::uint32_t d = 0) {
    heap_.push_back({at, order_++, what, a, b, c, d});
    std::push_heap(heap_.begin(), heap_.end(), Later());
  }

  bool empty() const { return heap_.empty(); }
  Time next_at() const { return heap_.front().at; }

  // Precondition: !empty().
  Event take() {
    std::pop_heap(heap_.begin(), heap_.end(), Later());
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.order > b.order;
    }
  };

  std::vector<Event> heap_;
  std::uint32_t order_ = 0;
};

}  // namespace ha::sim
