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
};

struct Event {
  Happens what;
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

// A heap of four branches: most of what is in it are limits that nothing waits for any more.
class Events {
 public:
  void add(Time at, Happens what, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0,
           std::uint32_t d = 0) {
    std::uint32_t place = static_cast<std::uint32_t>(events_.size());
    if (free_.empty()) {
      events_.push_back({what, a, b, c, d});
    } else {
      place = free_.back();
      free_.pop_back();
      events_[place] = {what, a, b, c, d};
    }
    heap_.push_back({});
    rise(heap_.size() - 1, {at, order_++, place});
  }

  bool empty() const { return heap_.empty(); }
  Time next_at() const { return heap_.front().at; }

  // Precondition: !empty().
  Event take() {
    const std::uint32_t place = heap_.front().place;
    const Key last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) sink(last);
    free_.push_back(place);
    return events_[place];
  }

 private:
  struct Key {
    Time at;
    std::uint32_t order, place;
    bool operator<(const Key& other) const {
      return at != other.at ? at < other.at : order < other.order;
    }
  };

  // Puts a key at a place that is free, or nearer to the front.
  void rise(std::size_t at, const Key& key) {
    for (; at > 0; at = (at - 1) / 4) {
      const Key& parent = heap_[(at - 1) / 4];
      if (!(key < parent)) break;
      heap_[at] = parent;
    }
    heap_[at] = key;
  }

  // Puts a key at the front, or behind what comes before it.
  void sink(const Key& key) {
    std::size_t at = 0;
    for (std::size_t child = 1; child < heap_.size(); child = 4 * at + 1) {
      const std::size_t end = std::min(child + 4, heap_.size());
      std::size_t least = child;
      for (++child; child < end; ++child)
        if (heap_[child] < heap_[least]) least = child;
      if (!(heap_[least] < key)) break;
      heap_[at] = heap_[least];
      at = least;
    }
    heap_[at] = key;
  }

  std::vector<Key> heap_;
  std::vector<Event> events_;  // by the place in a key
  std::vector<std::uint32_t> free_;
  std::uint32_t order_ = 0;
};

}  // namespace ha::sim
