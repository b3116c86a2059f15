// SPDX-License-Identifier: MIT
// One run of a failover, a switchover or a return as its journal tells it: the plan, which steps
// were begun and finished, and how it ended. Pure.
//
// The records, all with a "time" (seconds since the epoch), and where they are known an "uptime"
// (seconds since the boot) and the "boot":
//   begin         command, primary, candidate, plan (JSON)
//   step-begins   number
//   step-done     number, text, and the facts that it found under their own names
//   step-failed   number, text
//   rolling-back  from here on there is no way forward
//   undone        number, text; undo-failed likewise
//   resumed       by a later process; "times": it stands for so many of them
//   not-opened    it has seen that the new primary was not opened after all
//   end           outcome, text
//   copy-begins   of a resync: from here on what the node had is lost
//   copy-ended    text
//   acknowledged

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/failover/plan.h"
#include "common/failover/run_facts.h"
#include "common/journal_record.h"
#include "common/moment.h"
#include "common/result.h"

namespace ha {

enum class StepState { kOpen, kBegun, kDone, kFailed, kUndone };

// How a run ended.
enum class RunEnd {
  kUnfinished,
  kDone,
  kWarnings,  // done, but something of it has failed
  kUndone,    // nothing was opened and everything is as it was
  kFailed,    // nothing was opened, but something could not be rolled back
};

// Returns "done", "warnings", "undone", "failed" or "unfinished".
std::string_view run_end_name(RunEnd end);

struct Run {
  std::string id = {};
  Plan plan = {};
  Moment begun = {};
  Moment last = {};                   // of the last record
  std::optional<Moment> failed = {};  // when it ended so for the first time
  RunEnd end = RunEnd::kUnfinished;
  std::string text = {};                   // why it ended so
  std::map<int, StepState> steps = {};     // by number; absent: open
  RunFacts facts = {};                     // what the steps found
  std::vector<std::string> timeline = {};  // for people
  bool acknowledged = false;
  bool rolling_back = false;
  bool copied_over = false;  // of a resync: what the node had is lost

  StepState state_of(const Step& step) const;
  // Of the first step that does this; open when there is none.
  StepState state_of_action(Action action) const;
  bool has_begun(Action action) const { return state_of_action(action) != StepState::kOpen; }
  // True from the moment when the new primary may have been opened.
  bool opened() const { return has_begun(Action::kMakeWritable); }
  // True when something of it is left to do or to roll back, and no operator has acknowledged it.
  bool open() const {
    return (end == RunEnd::kUnfinished || end == RunEnd::kFailed) && !acknowledged;
  }
};

// Begins a record of an event.
JournalRecord make_record(const Moment& now, std::string event);

// Returns the records without what later resumptions have repeated, and with the number of these:
// a run is resumed again and again while something stands in its way, and tells no more than after
// the first few times. The run that is read from them is the same but for its timeline.
std::vector<JournalRecord> condense(std::vector<JournalRecord> records);

// Reads a run out of its records; one that left none was killed before it did anything. Fails with
// kBadData when they do not begin with a plan.
Result<Run> read_run(const std::string& id, const std::vector<JournalRecord>& records);

// The same with a plan that is known. Precondition: there are records.
Run replay_run(const std::string& id, Plan plan, const std::vector<JournalRecord>& records);

// A plan as one line of JSON, and back. Secrets are never part of a plan.
std::string plan_to_json(const Plan& plan);
Result<Plan> plan_from_json(std::string_view text);

}  // namespace ha
