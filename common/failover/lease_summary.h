// SPDX-License-Identifier: MIT
// Which guards run, and which of them has the lease of the primary, as the voters tell at this
// moment, for people and for checks. Pure.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ha {

// What the voters that answer tell of the guard beside one node.
struct GuardSighting {
  std::string node = {};
  std::size_t voters = 0;  // to which it is connected
  std::size_t votes = 0;   // of the lease that it has
};

struct LeaseSummary {
  std::size_t voters = 0;     // 0: there is no lease
  std::size_t answering = 0;  // of these
  std::size_t needed = 0;     // a majority
  std::vector<GuardSighting> guards = {};
  // For which the guard with the majority may still be unheard until its server takes no writes.
  std::optional<double> left_s = {};

  // The node whose guard has a majority of the votes; empty: none is known to have it.
  std::string holder() const;
  // True when no guard can have a majority, whatever the voters that do not answer would say.
  bool is_free() const;
  // True when the voters that answer tell which guard has the lease, or that none has.
  bool is_known() const { return is_free() || !holder().empty(); }
  // The nodes whose guards are connected to no voter that answers; none when no voter answers.
  std::vector<std::string> missing_guards() const;
};

// Returns who has the lease, for how long, and which guards do not run, in one sentence for people;
// empty without a lease.
std::string describe_lease(const LeaseSummary& summary);

}  // namespace ha
