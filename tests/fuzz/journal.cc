// SPDX-License-Identifier: MIT
// The journal of a run: its lines, the run that they tell of, and the plan in its first record.

#include "common/journal.h"

#include "common/failover/run.h"
#include "common/posix_files.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  static TextFile file;
  PosixFiles files;
  const auto records = Journal::read(files, file.hold(text));
  if (!records) return;
  const auto shorter = condense(*records);
  require(shorter.size() <= records->size());
  const auto run = read_run("1", *records);
  if (!run) return;
  const auto plan = plan_from_json(plan_to_json(run->plan));
  require(plan.has_value());
}
