// SPDX-License-Identifier: MIT
// Whether a server is read-only because the guard beside it has closed it for want of votes: kept
// in a file (GuardFiles), for the time when the votes are had again.
//
// The file is written after the closing, not before: a guard that is killed between the two leaves
// none, and a disk that hangs delays no closing.

#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "common/context/guard_files.h"
#include "common/execute/own_server.h"

namespace ha {

// Moments are those of uptime_s(). All functions may be called from several threads.
class ClosingRecord {
 public:
  // Goes on with what an earlier guard of this node has left, at `now_s`.
  ClosingRecord(GuardFiles files, const std::string& node, double now_s);

  // The guard has closed the server.
  void begin(double now_s);
  // The server was asked at `asked_s` and took writes.
  void note_writable(double asked_s);
  // The server has ended, or another primary was seen.
  void end();

  // Writes or removes the file, when that has become necessary. Blocks as long as the server and
  // the disk do. To be called again and again, by one thread; fails when it could not be done now.
  Result<Done> keep(const OwnServer& own, double now_s);

 private:
  std::optional<double> closed_since() const;

  GuardFiles files_;
  mutable std::mutex mutex_;                 // of what follows
  std::optional<double> closed_since_ = {};  // nullopt: it is not closed, or not by the guard
  // Of keep() alone.
  std::optional<double> written_ = {};  // closed_since_ of what is in the file
  bool removed_ = false;                // there is no file
};

}  // namespace ha
