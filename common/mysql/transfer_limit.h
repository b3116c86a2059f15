// SPDX-License-Identifier: MIT
// Bounds what the client library takes from a server in one call: bytes, and time in all. The
// library itself buffers whatever comes, and its own timeout begins anew with each byte.

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace ha {

// Returns the descriptor of a session's connection, -1 when there is none; `mysql` is its MYSQL,
// whose tag the two libraries spell differently.
int socket_of(void* mysql);

class TransferLimit {
 public:
  enum class Excess { kNone, kBytes, kTime };

  // Holds for the calls that this thread makes on `mysql` while it lives. `seconds` 0: no limit.
  // One at a time in a thread. Oracle's library does not report its transfers: with it
  // only check() holds.
  TransferLimit(void* mysql, std::size_t bytes, unsigned seconds);
  ~TransferLimit();
  TransferLimit(const TransferLimit&) = delete;
  TransferLimit& operator=(const TransferLimit&) = delete;

  // Allows so many bytes from here on.
  void allow(std::size_t bytes) { left_ = bytes; }

  // Ends the connection when the time is over.
  void check();

  // Ends the connection: nothing that the server still sends is taken.
  void cut(Excess excess);

  // Why the connection was ended.
  Excess excess() const { return excess_; }
  unsigned seconds() const { return seconds_; }

 private:
  static void after_read(const void* mysql, std::size_t size);

  // The library's callback has no argument of ours.
  static thread_local TransferLimit* current_;
  void* mysql_;  // MYSQL
  std::size_t left_;
  unsigned seconds_;
  std::optional<std::chrono::steady_clock::time_point> end_ = {};
  Excess excess_ = Excess::kNone;
};

}  // namespace ha
