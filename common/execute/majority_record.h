// SPDX-License-Identifier: MIT
// When a guard was last certain of a majority of votes, kept in a file (GuardFiles), so that the
// guard after it gives the server no more time than it had itself.

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

  // Returns when the guard before this one was last certain, as recall_majority() counts it;
  // nullopt: there was none in this boot of the machine.
  std::optional<double> recall(const Moment& now) const;

  // Writes the file when it has another moment; not without one. To be called by one thread.
  Result<Done> keep(std::optional<double> majority_s, const Moment& now);

 private:
  GuardFiles files_;
  const std::string node_;
  const int lease_s_;
  std::optional<double> kept_s_ = {};  // on disk
};

}  // namespace ha
