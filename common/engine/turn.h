// SPDX-License-Identifier: MIT
// The handlers of one engine act one at a time, and the last event decides: a handler registers
// what it was started for, waits for its turn, and gives way to what comes later.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/deadline.h"
#include "common/engine/arrivals.h"
#include "common/lock_file.h"
#include "common/result.h"

namespace ha {

class Turn {
 public:
  // Registers `mine` in a private directory that exists; --reassert stands in the queue
  // unregistered, and so does what cannot be written. Waits for no handler that acts, only for
  // others that register.
  static Result<Turn> enter(const std::string& directory, const std::string& engine,
                            const Arrival& mine, const Deadline& deadline);

  // Takes the turn unless another handler has it; it ends with the object, or with the process.
  bool take() const { return lock_.take(); }

  // Why `mine` is not registered, though it should be.
  const std::optional<Error>& unregistered() const { return unregistered_; }

  // What was registered; nothing when that is lost.
  Arrivals arrivals() const;

  const std::string& path() const { return path_; }  // without its ending

  // Marks what a process registered as carried out.
  Result<Done> mark_done(const ProcessId& process, const Deadline& deadline) const;

 private:
  Turn(std::string path, LockFile lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  LockFile lock_;
  std::optional<Error> unregistered_ = {};
};

// Returns the last of what overtakes `mine` in any of the queues.
std::optional<Arrival> overtaking(const std::vector<Turn>& turns, const Arrival& mine);

// Waits for all of the turns, one after the other. Returns what overtakes `mine` as soon as
// something does, instead of it. Fails with kRefused when another handler has one of them until the
// deadline.
Result<std::optional<Arrival>> wait_for_turns(const std::vector<Turn>& turns, const Arrival& mine,
                                              const Deadline& deadline);

// True of an event whose handler has ended before it carried it out: the next one does. A person
// sees the end of a command that was given by hand.
bool was_left(const Arrival& arrival);

}  // namespace ha
