// SPDX-License-Identifier: MIT
// When a guard was last certain of a majority of votes, kept in a file (GuardFiles), so that the
// guard after it gives the server no more time than it had itself, and knows which process to end
// where the server hangs.

#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/context/guard_files.h"

namespace ha {

class MajorityRecord {
 public:
  MajorityRecord(GuardFiles files, std::string node, int lease_s)
      : files_(std::move(files)), node_(std::move(node)), lease_s_(lease_s) {}

  // Returns what the guard before this one has left, its moment as recall_majority() counts it;
  // nullopt: there was none in this boot of the machine. Before the first keep().
  std::optional<LastMajority> recall(const Moment& now);

  // What a guard knows of its server now.
  struct State {
    std::optional<double> majority_s = {};  // nullopt: there is none
    bool closed = false;  // it was seen to be read-only, or to have ended, since there was one
    std::optional<ServerProcess> server = {};
  };
  // Writes the file when something else is to be in it; not before there was a majority. To be
  // called by one thread.
  Result<Done> keep(const State& state, const Moment& now);

 private:
  GuardFiles files_;
  const std::string node_;
  const int lease_s_;
  std::optional<LastMajority> kept_ = {};  // what the file has
};

}  // namespace ha
