// SPDX-License-Identifier: MIT
// The order of the handlers of one engine: what arrived last decides its role. Pure: reading and
// writing of what has arrived is in common/engine/role_store.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/engine/role_plan.h"
#include "common/result.h"

namespace ha {

// A process, for good: numbers of processes are used again, these three together are not.
struct ProcessId {
  std::string boot = {};    // of which start of the machine; empty: not known
  std::uint64_t ticks = 0;  // when it was started, since then; no clock that can be set
  std::int64_t pid = 0;

  bool operator==(const ProcessId&) const = default;
};

// True unless they are known to be of two starts of the machine.
bool may_be_of_one_boot(const ProcessId& a, const ProcessId& b);

// Returns whether `a` was started after `b`, and true when they are of two starts of the machine,
// whose order is not known.
bool started_after(const ProcessId& a, const ProcessId& b);

// What a handler was started for.
struct Arrival {
  enum class Kind { kEvent, kByHand, kReassert };
  ProcessId process = {};  // the start of the process is the number of the event
  Kind kind = Kind::kEvent;
  Role role = Role::kStandby;
  std::string title = {};  // "activation on CRITICAL HARD"
  bool done = false;       // it was carried out
};

// The newest of each kind that was registered.
struct Arrivals {
  std::optional<Arrival> event = {};
  std::optional<Arrival> by_hand = {};
};

// Puts what says that it was started later than `now`, in ticks, before all others: the machine has
// restarted since, which no other sign shows where the start of the machine is not known.
void place_in_time(Arrivals& arrivals, std::uint64_t now);

// Registers an arrival, unless a later one of its kind is there.
void enter(Arrivals& arrivals, const Arrival& arrival);

// Marks the arrival of this process as carried out; a decision of a person's settles what came
// before it too.
void mark_done(Arrivals& arrivals, const ProcessId& process);

// Returns what overtakes `mine`: a later event or a later decision of a person's. No event
// overtakes an activation by hand, and only an activation overtakes a deactivation, or the role on
// record: a deactivation may find that there is nothing to undo.
std::optional<Arrival> overtaking(const Arrivals& arrivals, const Arrival& mine);

// Fails with kBadData.
Result<Arrivals> parse_arrivals(std::string_view text);
std::string format_arrivals(const Arrivals& arrivals);

}  // namespace ha
