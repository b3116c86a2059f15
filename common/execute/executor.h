// SPDX-License-Identifier: MIT
// Carries out a plan, step by step, and tells the journal before and after each. It survives being
// killed at any point: a later run resumes from the journal or rolls back what was done.
//
// Until the new primary is opened, a step that fails, a deadline or a request to stop lead back:
// what was done is rolled back in reverse order. From the opening on there is only forward: a step
// that fails is a warning, and the rest is done all the same.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/deadline.h"
#include "common/execute/outcome.h"
#include "common/failover/run.h"
#include "common/journal.h"
#include "common/result.h"
#include "common/workers.h"

namespace ha {

struct StepResult {
  std::string text = {};     // a few words for people
  RunFacts facts = {};       // what later steps and later runs need to know
  std::string warning = {};  // it is done, but; empty: no warning
};

// What the steps of a plan do to the world.
class Actions {
 public:
  virtual ~Actions() = default;

  // Carries out one step and reads back that it holds; doing it twice is no harm. `known` is what
  // the steps before found. Called from several threads, one for each node at a time.
  virtual Result<StepResult> perform(const Step& step, const RunFacts& known,
                                     const Deadline& deadline) = 0;
};

class Executor {
 public:
  // `log` gets a line for each step. A call of `actions` that does not return in time is abandoned,
  // so the program must end by _exit.
  Executor(std::shared_ptr<Actions> actions, Journal& journal, Clock& clock, Workers& workers,
           std::function<void(const std::string&)> log)
      : actions_(std::move(actions)),
        journal_(journal),
        clock_(clock),
        workers_(workers),
        log_(std::move(log)) {}

  // Begins a run: writes the plan into the journal.
  Result<Done> begin(const Plan& plan);

  // Takes up a run that was begun before: its journal begins with this plan.
  void resume(Plan plan) { plan_ = std::move(plan); }

  // Takes the locks of the nodes for a run that is taken up again. Fails with kRefused and which
  // node's another run has; nodes that do not answer have none to give.
  Result<Done> take_locks(const Deadline& deadline) const;

  // Carries out what the journal of this run does not show as done.
  RunOutcome carry_out(const Deadline& deadline);

  // Rolls back what the journal shows as begun and ends the run; `why` says what for.
  RunOutcome roll_back(std::string why);

 private:
  struct Group {
    std::size_t begin = 0, end = 0;  // places in the plan's steps
  };

  // What the journal tells.
  Run run() const { return replay_run("", plan_, journal_.records()); }
  std::vector<Group> open_groups(const Run& run) const;
  // Carries out steps at the same time and notes it in `run`; returns why the run cannot continue,
  // if it cannot.
  std::optional<std::string> perform(Run& run, const Group& group, const Deadline& deadline);
  // Writes how a step ended; returns why the run cannot continue, if it cannot.
  std::optional<std::string> record_result(Run& run, const Step& step,
                                           const Result<StepResult>& result);
  // Remembers that a step failed without which the run continues.
  void add_failure(const Step& step, std::string line);
  // Performs one step, which writes nothing into the journal.
  Result<StepResult> call(const Step& step, const RunFacts& known, const Deadline& limit) const;
  // Returns why a step cannot be rolled back; empty: it is.
  std::string undo(const Step& step, const RunFacts& known) const;
  RunOutcome finish(RunEnd end, std::string text);
  void record_facts(Run& run, const Step& step, const StepResult& result);
  JournalRecord record(std::string event, const Step& step, std::string text = {}) const;
  // Returns the records that are to be written, `more` at their end.
  std::vector<JournalRecord> take_pending(std::vector<JournalRecord> more);
  Result<Done> flush(std::vector<JournalRecord> more = {});

  std::shared_ptr<Actions> actions_;
  Journal& journal_;
  Clock& clock_;
  Workers& workers_;
  std::function<void(const std::string&)> log_;
  Plan plan_ = {};
  std::vector<JournalRecord> pending_ = {};  // to be written before the next step begins
  std::vector<std::string> warnings_ = {};
  std::string stuck_ = {};
  bool contradicted_ = false;  // what a step has read speaks against the plan
  std::set<std::string> not_repointed_ = {};
};

}  // namespace ha
