// SPDX-License-Identifier: MIT
// Reads what both servers say of the tables of a merge, and plans all of them before the first row
// is moved.

#pragma once

#include <string>
#include <vector>

#include "common/merge/merge_options.h"
#include "common/merge/merge_sessions.h"
#include "common/merge/span_finder.h"
#include "common/merge/table_plan.h"
#include "common/result.h"

namespace ha {

struct PlannedTable {
  TablePlan plan = {};
  TimeBounds bounds = {};
};

struct PlannedTables {
  std::vector<PlannedTable> tables = {};
  std::vector<std::string> warnings = {}, notes = {};
};

// Fails with why one of them cannot be merged.
Result<PlannedTables> plan_tables(const MergeSessions& sessions, const MergeOptions& merge);

}  // namespace ha
