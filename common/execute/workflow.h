// SPDX-License-Identifier: MIT
// What the workflows of all commands have in common: the state of one command, and carrying out a
// plan as a new run.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/cluster/options.h"
#include "common/context/observation.h"
#include "common/context/run_store.h"
#include "common/context/votes.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/execute/executor.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"

namespace ha {

// How long a workflow waits between two looks at something that is about to change.
inline constexpr double kMoment_s = 0.1;

// The state of one command that is at work.
struct Workflow {
  const Env env;
  const FailoverOptions& options;
  const Log& log;
  Deadline deadline;
  RunStore store;                       // locked for as long as this lives
  std::optional<Run> interrupted = {};  // an earlier run of which something was left to do
  bool settled = false;                 // it was resumed or rolled back, and nothing of it is left
  Observation view = {};                // as of the last probe
  std::shared_ptr<const Votes> votes = nullptr;  // null: none are needed, or not yet
  std::shared_ptr<LeaseSlot> lease = std::make_shared<LeaseSlot>();  // of the new primary

  void probe() { view = observe(env, options); }
};

// Takes the lock of the cluster and reads its journals. Fails with the words of the refusal.
Result<Workflow> begin_workflow(const Env& env, const FailoverOptions& options, const Log& log);

// Takes the votes for changing the cluster, where votes are configured and not yet ours. Returns
// whether the cluster was probed again, because another manager may have acted meanwhile. Fails
// with kRefused.
Result<bool> take_votes(Workflow& workflow);

// Carries out a plan as a new run, or refuses a plan that is not possible.
RunReport carry_out(Workflow& workflow, Plan plan);

// Returns what carries out the steps of a plan, as the run `id`.
Executor make_executor(const Workflow& workflow, Journal& journal, const Plan& plan,
                       const std::string& id);

// Remembers the new primary of a run that has ended, if it made one, and reports the run.
RunReport end_run(const Workflow& workflow, const Plan& plan, const std::string& id,
                  const RunOutcome& run);

// Returns the session of a node; null: it gave no answer, or no more than the first.
SqlSession* find_session(const Observation& view, const std::string& name);

// Returns that a node gave its facts and then no more answers; empty for one that gave none.
std::string describe_silence(const Observation& view, const std::string& name);

}  // namespace ha
