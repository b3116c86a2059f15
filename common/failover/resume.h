// SPDX-License-Identifier: MIT
// Decides what becomes of a run that was interrupted: its journal and a new view in, resume, roll
// back or refuse out. Pure.

#pragma once

#include <optional>
#include <string>

#include "common/failover/run.h"

namespace ha {

struct Resume {
  enum class Kind {
    kResume,    // go on where it ended
    kRollBack,  // undo what it did
    kRefuse,    // only people can tell
  };
  Kind kind = Kind::kRefuse;
  std::string reason = {};  // why it is rolled back or refused
  bool not_opened = false;  // it was about to open the new primary and did not get so far
  // True when nothing of the run is left to do after that, so a new plan may be made.
  bool settles = false;
};

// Decides on a run that is open. `age_s` is the time since its last record; nullopt: not known.
Resume decide_resume(const Run& run, const Topology& topology, const Policy& policy,
                     const Context& context, std::optional<double> age_s);

// Returns what the next run does with it, as a plan that has the run's hash: the steps that are
// left, or those that undo what was done, or the refusal.
Plan plan_resume(const Run& run, const Resume& resume);

}  // namespace ha
