// SPDX-License-Identifier: MIT
// Resumes or rolls back a run that was interrupted, as resume.h decides.

#pragma once

#include <optional>

#include "common/execute/workflow.h"

namespace ha {

// Deals with the interrupted run on the present view, and remembers in `settled` whether a new plan
// may be made.
RunReport resume_interrupted(Workflow& workflow);

// Probes the nodes for a command that plans one change; an interrupted run is dealt with first.
// Returns the outcome when the command ends here.
std::optional<FailoverOutcome> prepare_change(Workflow& workflow);

}  // namespace ha
