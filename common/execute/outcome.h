// SPDX-License-Identifier: MIT
// How a command ends, in the words that an operator reads: from the plan and from what has become
// of its steps. Pure.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/failover/plan.h"
#include "common/failover/run.h"

namespace ha {

// The exit codes of mysql_ha; usage errors, 3, never come from here.
enum class FailoverEnd { kDone = 0, kWarnings = 1, kRefused = 2 };

struct FailoverOutcome {
  FailoverEnd end = FailoverEnd::kRefused;
  std::string text = {};                  // one sentence
  std::vector<std::string> details = {};  // lines for people: warnings, rejected candidates
  std::string run_id = {};                // empty: nothing was begun
  std::string failed = {}, successor = {};
  PlanCommand command = PlanCommand::kNothing;  // of the plan that was carried out
};

// How the steps of a plan ended.
struct RunOutcome {
  RunEnd end = RunEnd::kUnfinished;  // kUnfinished: it may be open, a later run has to resume
  std::string text = {};             // why, in one sentence
  std::vector<std::string> warnings = {};
  RunFacts facts = {};                    // what the steps found
  std::vector<std::string> remains = {};  // effects that were not rolled back, nor can be
  // The node that has ended the run: it could not apply what it received, or not follow in time.
  std::string stuck = {};
  std::set<std::string> not_repointed = {};  // nodes that do not follow the new primary
  bool contradicted = false;                 // the nodes have changed since the plan was made
};

// What has become of a plan.
struct RunReport {
  FailoverOutcome outcome = {};
  bool complete = false;                // it has done all that it could, perhaps with warnings
  std::optional<Rejection> stuck = {};  // the node that has ended the run, which is rolled back
  std::set<std::string> not_repointed = {};
  bool contradicted = false;  // the run is rolled back: the nodes have changed
};

// Returns the outcome of a command that is refused before it has a plan.
FailoverOutcome refuse(std::string text);

// Returns the outcome of a plan that is not carried out, with the rejected candidates and, unless
// `text` names a command, with what to type.
FailoverOutcome refuse_plan(const Plan& plan, std::string text);

// Returns why a plan was made: "db1 does not answer".
std::string describe_cause(const Plan& plan);

// Reports how the steps of a plan, which were carried out as the run `id`, have ended.
RunReport report_run(const Plan& plan, const std::string& id, const RunOutcome& run);

}  // namespace ha
