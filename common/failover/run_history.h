// SPDX-License-Identifier: MIT
// What the runs of this machine tell of the cluster: which of them was interrupted, which node was
// made the primary, which was fenced. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/failover/policy.h"
#include "common/failover/run.h"
#include "common/moment.h"
#include "common/result.h"

namespace ha {

// All runs in the order in which they began; an error stands for a journal that cannot be read.
// The functions below fail with the error of the newest of these that they come to.
using Runs = std::vector<Result<Run>>;

// Returns the number that an id carries; 0: none, it is of 0.1.0.
std::int64_t number_of_run(const std::string& id);

// True when a run that could not be rolled back was tried for some minutes: it holds nothing up any
// more.
bool is_given_up(const Run& run, const Moment& now);

// Returns the newest run of which something is left to do or to roll back, unless a later one has
// opened a new primary. One that is given up does not count.
Result<std::optional<Run>> find_interrupted(const Runs& runs, const Moment& now);

// Returns the newest failover that opened a new primary, unless it is acknowledged.
Result<std::optional<Run>> find_last_failover(const Runs& runs);

// Returns what all of them tell.
Result<RunHistory> history_of(const Runs& runs, const Moment& now);

// Runs are long to read, and kept by the hundred. This tells how many of the newest are enough for
// the functions above.
class HistoryReach {
 public:
  // `nodes` are those of which the history is to tell.
  explicit HistoryReach(const std::set<std::string>& nodes) : unchanged_(nodes), unjudged_(nodes) {}

  // Takes the next older run. Returns whether those before it have nothing to add.
  bool add(const Run& run);

 private:
  std::set<std::string> unchanged_;  // nodes that no change so far has replaced or promoted
  std::set<std::string> unjudged_;   // nodes of which none has told whether they are fenced
  bool has_failover_ = false, has_numbered_opening_ = false;
};

}  // namespace ha
