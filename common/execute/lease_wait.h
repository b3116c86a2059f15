// SPDX-License-Identifier: MIT
// Waits for the end of the lease of a primary that is to be replaced, and tells what came of it.

#pragma once

#include <string>

#include "common/context/lease_watch.h"
#include "common/execute/workflow.h"

namespace ha {

// Watches the voters until the guard of `primary` has lost its votes, at most for as long as that
// takes when it is heard no more, and the deadline of the workflow leaves. Without a lease nothing
// is watched. `vigil` has watched before, and also tells until when a guard whose sessions have
// ended may count on its lease; null: there is none.
LeaseWord await_lease(const Workflow& workflow, const std::string& primary,
                      const LeaseVigil* vigil);

}  // namespace ha
