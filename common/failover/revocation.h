// SPDX-License-Identifier: MIT
// Whether a primary that cannot be reached can be kept from acknowledging writes without touching
// it: under lossless semi-sync it acknowledges nothing once so many of the replicas that
// acknowledge have stopped receiving that fewer are left than it waits for. Its settings are those
// that were last seen; nothing can tell that they were not changed since. Pure.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/failover/takeover.h"

namespace ha {

// For how long the settings of a silent primary are believed, in seconds.
inline constexpr double kSettingsAge_s = 86400;

// A channel to the primary, by the places of the node and of its channel.
struct Receiver {
  std::size_t node = 0, channel = 0;

  bool operator==(const Receiver&) const = default;
};

struct Revocation {
  // Which settings or facts are missing, with what to type; empty: when the receivers have stopped,
  // the primary can acknowledge nothing.
  std::string missing = {};
  std::vector<Receiver> receivers = {};  // all that can be stopped
  std::string text = {};                 // why it can acknowledge nothing then, for people

  bool possible() const { return missing.empty(); }
};

// Judges it for the primary of `takeover`, by what is remembered of it.
Revocation judge_revocation(const Takeover& takeover);

}  // namespace ha
