// SPDX-License-Identifier: MIT
// The journals of a cluster's runs: a directory of its own, one file for each run, and the lock
// that lets one run be at work at a time.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/env.h"
#include "common/failover/run_history.h"
#include "common/journal.h"
#include "common/mysql/node_address.h"
#include "common/result.h"

namespace ha {

class RunStore {
 public:
  // Opens or creates DIRECTORY/CLUSTER, mode 0700. Fails with kUsage or kInternal.
  static Result<RunStore> open(Files& files, const std::string& directory,
                               const std::string& cluster);

  const std::string& path() const { return path_; }

  // Takes the lock for as long as this lives. Fails with kRefused and the process that holds it.
  Result<Done> lock(Clock& clock);

  // Returns the process that holds the lock, empty when it is free.
  std::string lock_holder() const;

  // Returns the ids of all runs in the order in which they began: each carries its number, after
  // the time, which does not count. Those of 0.1.0 carry none: they come first, by their time.
  Result<std::vector<std::string>> ids() const;

  Result<Run> read(const std::string& id) const;

  // Reads all of them, in that order. Fails as ids() does.
  Result<Runs> runs() const;

  // Reads the newest of them, in that order: as many as find_interrupted() and history_of() need
  // for these nodes. Fails as ids() does.
  Result<Runs> recent_runs(const std::vector<NodeAddress>& nodes) const;

  // Returns an id, "TIME-NUMBER", for a run that begins now, `now_s` seconds since the epoch. Its
  // number is above all others, so the lock must be held. Fails as ids() does.
  Result<std::string> new_id(double now_s) const;

  // Opens the journal of a run, creating it when it is new.
  Result<Journal> journal(const std::string& id) const;

  // Shortens the journal of a run that was resumed many times. The lock must be held.
  Result<Done> shorten(const std::string& id) const;

  // Sets a journal aside that cannot be read, as ID.damaged, and returns its new path.
  Result<std::string> set_aside(const std::string& id) const;

  // Removes the oldest runs until `most` are left. What may still be needed stays: runs that
  // are open, the last changes of each node, and whatever has saved transactions. The lock must be
  // held.
  Result<Done> prune(std::size_t most, const Moment& now) const;

 private:
  std::string path_of(const std::string& id) const;
  // True when the run has left more than its journal, such as transactions of a node.
  bool has_saved_files(const std::string& id) const;

  RunStore(Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  // A journal that was read. Many questions are asked of the same ones, which are long to parse.
  struct Known {
    std::string content;
    Run run;
  };

  Files& files_;
  std::string path_;
  std::unique_ptr<FileLock> lock_ = nullptr;
  mutable std::map<std::string, Known> known_ = {};  // by id
};

}  // namespace ha
