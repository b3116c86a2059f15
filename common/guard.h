// SPDX-License-Identifier: MIT
// The logic of ha_guard: the soft and hard states of an engine where none runs. One pass runs the
// check, again until it has failed `retries` times, and then the actions, in order and each once.
//
// What a pass does depends on the check and on the episode in the journal: a failure
// whose actions began, up to the recovery's last action or the lock file. A step that the journal
// shows finished is not repeated; one that was only begun is.

#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/exit_code.h"
#include "common/journal.h"
#include "common/process.h"
#include "common/result.h"

namespace ha {

struct GuardStep {
  std::string text;  // as configured, without the '-'
  std::vector<std::string> argv;
  bool may_fail = false;  // a leading '-': a failure does not stop the rest
};

struct GuardConfig {
  std::string name;
  std::vector<std::string> check;
  double check_timeout_s = 10;
  unsigned retries = 3;  // failed attempts in all before acting
  double retry_interval_s = 10;
  std::set<int> fail_on = {2, 255};  // exit codes that mean failure
  bool fail_on_timeout = true;
  std::vector<GuardStep> on_failure = {}, on_recovery = {}, while_healthy = {};
  double command_timeout_s = 60;
  std::string lock_file = {};
  std::string state_directory;
  double interval_s = 60;
};

enum class GuardVerdict { kHealthy, kFailed, kMisconfigured };

// Judges one run of the check. Exit codes 3, 126 and 127 and a signal show that the check is
// broken, not what it checks.
GuardVerdict judge_check(const GuardConfig& config, const ProcessOutcome& outcome);

enum class GuardPhase { kNone, kFailure, kRecovery };

// What the journal holds: which list of steps was being run, and which of them are finished.
struct GuardEpisode {
  GuardPhase phase = GuardPhase::kNone;  // kNone: no failure is open
  std::set<std::size_t> finished = {};   // indices into the phase's list
  bool complete = false;                 // all of the phase's steps were finished
};

// Reads the episode from the journal's records. A finished step whose text is no longer the
// configured one counts as not finished.
GuardEpisode read_episode(const GuardConfig& config, const std::vector<JournalRecord>& records);

// Parses `fail-on`: a comma-separated list of critical, warning, timeout and exit codes.
Result<Done> parse_fail_on(std::string_view text, GuardConfig& config);

// Parses one step; a leading '-' lets it fail.
Result<GuardStep> parse_step(std::string_view text);

// What a pass came to; the values are the exit codes.
enum class GuardOutcome {
  kDone = kExitDone,
  kStepFailed = kExitWarnings,
  kNotHandled = kExitFailed,
  kMisconfigured = kExitUsage
};

// Makes one pass. `log` gets each line for people; a healthy pass has none.
GuardOutcome run_pass(const GuardConfig& config, Journal& journal, Process& process, Clock& clock,
                      const std::function<void(const std::string&)>& log);

}  // namespace ha
