// SPDX-License-Identifier: MIT
// A whole failover, from the first probe to the last word: what handle_mysql_failover and mysql_ha
// failover both do.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/failover/options.h"
#include "common/failover/plan.h"

namespace ha {

// The exit codes of mysql_ha; usage errors, 3, never come from here.
enum class FailoverEnd { kDone = 0, kReservations = 1, kRefused = 2 };

struct FailoverOutcome {
  FailoverEnd end = FailoverEnd::kRefused;
  std::string text = {};                  // one sentence
  std::vector<std::string> details = {};  // lines for people: reservations, rejected candidates
  std::string run_id = {};                // empty: nothing was begun
  std::string failed = {}, successor = {};
};

enum class CopyMethod { kAuto, kClone, kDump, kCommand };

// How a copy is compared with its source: not; the rows of all tables and checksums for a tenth of
// the time that the copying took; all of both.
enum class Verify { kNone, kSample, kFull };

// How the data of a node are replaced by a copy of another's.
struct ResyncOptions {
  std::string from = {};  // empty: a sound replica, else the primary
  CopyMethod method = CopyMethod::kAuto;
  Verify verify = Verify::kSample;
  Surplus surplus = Surplus::kSave;
  std::vector<std::string> dump_command = {};  // empty: mysqldump or mariadb-dump
  std::vector<std::string> copy_command = {};  // argv; replaces the files; empty: none
  double timeout_s = 86400;                    // of the copy
};

// Gets a line for each step as it is done.
using Say = std::function<void(const std::string&)>;

// Returns what a failover would do now, and changes nothing. `assume_dead` names the primary that
// is to be taken for dead; empty: the view decides.
Plan plan_now(const FailoverOptions& options, const std::string& assume_dead);

// Lets a replica take over from the dead primary, or says why not. A run that was interrupted is
// finished or taken back first. `plan_hash`: refuse unless the plan has it; empty: any.
FailoverOutcome run_failover(const FailoverOptions& options, const std::string& plan_hash,
                             Clock& clock, const Say& say);

// Lets `to` (empty: the best replica) take over from the live primary.
FailoverOutcome run_switchover(const FailoverOptions& options, const std::string& to, Clock& clock,
                               const Say& say);

// Makes a replica of `node`, which was the primary or follows the wrong one. Transactions that only
// it has are saved first, and then it is refused.
FailoverOutcome run_rejoin(const FailoverOptions& options, const std::string& node, Clock& clock,
                           const Say& say);

// Replaces everything that `node` has by a copy and makes it a replica. Transactions that only it
// has are saved first. Failovers of the others are not held up by the copying.
FailoverOutcome run_resync(const FailoverOptions& options, const ResyncOptions& resync,
                           const std::string& node, Clock& clock, const Say& say);

}  // namespace ha
