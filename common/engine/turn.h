// SPDX-License-Identifier: MIT
// The handlers of one engine act one at a time, and the last event decides: a handler registers
// what it was started for, waits for its turn, and gives way to what comes later.

#pragma once

#include <optional>
#include <string>

#include "common/deadline.h"
#include "common/engine/arrivals.h"
#include "common/result.h"

namespace ha {

class Turn {
 public:
  // Registers `mine` in a private directory that exists; --reassert stands in the queue
  // unregistered. Waits for no handler that acts, only for others that register.
  static Result<Turn> enter(const std::string& directory, const std::string& engine,
                            const Arrival& mine, const Deadline& deadline);

  Turn(Turn&& other) noexcept;
  Turn& operator=(Turn&&) = delete;
  ~Turn();

  // Waits for the turn; it ends with the object, or with the process. Returns what overtakes `mine`
  // as soon as something does, instead of it. Fails with kRefused when another handler has the turn
  // until the deadline.
  Result<std::optional<Arrival>> wait(const Arrival& mine, const Deadline& deadline) const;

  // What was registered; nothing when that is lost.
  Arrivals arrivals() const;

  // Marks what a process registered as carried out.
  Result<Done> mark_done(const ProcessId& process, const Deadline& deadline) const;

 private:
  Turn(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

// True of an event whose handler has ended before it carried it out: the next one does. A person
// sees the end of a command that was given by hand.
bool was_left(const Arrival& arrival);

}  // namespace ha
