// SPDX-License-Identifier: MIT
// The journals of a cluster's runs: a directory of its own, one file for each run, and the lock
// that lets one run be at work at a time.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/failover/run.h"
#include "common/journal.h"
#include "common/result.h"

namespace ha {

class RunStore {
 public:
  // Opens or creates DIRECTORY/CLUSTER, mode 0700. Fails with kUsage or kInternal.
  static Result<RunStore> open(const std::string& directory, const std::string& cluster);

  RunStore(RunStore&& other) noexcept;
  RunStore& operator=(RunStore&&) = delete;
  ~RunStore();

  const std::string& path() const { return path_; }

  // Takes the lock for as long as this lives. Fails with kRefused and who holds it.
  Result<Done> lock();

  // Returns who holds the lock, empty when it is free.
  std::string lock_holder() const;

  // Returns the ids of all runs, oldest first; they sort by time.
  Result<std::vector<std::string>> ids() const;

  Result<Run> read(const std::string& id) const;

  // Returns the newest run if something of it is left to do or to take back, and nobody has
  // acknowledged it.
  Result<std::optional<Run>> unfinished() const;

  // Returns the newest failover that opened a new primary, unless it is acknowledged.
  Result<std::optional<Run>> last_failover() const;

  // Returns the newest failover or switchover that opened a new primary, unless it is acknowledged.
  Result<std::optional<Run>> last_change() const;

  // Returns an id for a run that begins now, `now_s` seconds since the epoch.
  std::string new_id(double now_s) const;

  // Opens the journal of a run, creating it when it is new.
  Result<Journal> journal(const std::string& id) const;

 private:
  Result<std::optional<Run>> last_opened(const std::vector<std::string>& commands) const;

  explicit RunStore(std::string path) : path_(std::move(path)) {}

  std::string path_;
  int lock_ = -1;
};

}  // namespace ha
