// SPDX-License-Identifier: MIT
// One step of a plan as data: what is done on which node, the exact SQL or argv, and what takes it
// back. Plain values.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/failover/statement.h"
#include "common/mysql/channel_status.h"

namespace ha {

enum class Action {
  kLock,          // take the lock on a node, so that no second manager acts
  kConfirmDead,   // probe the primary once more
  kHook,          // run a program of the operator's
  kFence,         // make sure that the old primary takes no writes
  kStopReceiver,  // so that a primary that comes back feeds no replica
  kStartApplier,  // it was stopped without an error
  kDrain,         // wait until everything received is applied
  kCatchUp,       // follow a sibling that has more, until equal
  kRecord,        // write the crash record: which transactions each node had
  kRescue,        // apply the transactions that only the dead primary's disk has
  kPromote,       // stop being a replica
  kRepoint,       // follow the new primary
  kVipDown,
  kVipUp,
  kRecheck,       // still locked, the old primary still dead
  kMakeWritable,  // the point of no return
  kStartService,
  kWriteFile,
  kBlockWriters,  // planned: the old primary takes no writes any more
  kWaitEqual,     // planned: until the candidate has all that the old primary has
  kUnblock,       // planned: end the global lock
  kLease,         // take the votes of a primary; to roll that back: give them back
  kHandLease,     // hand them over to the guard of the new primary
  kRestore,       // rolls another step back
  kSaveExtra,     // write the extra transactions into a file
  kSetDelay,      // apply at once, so that the drain does not wait; or later again
  kEvents,        // run scheduled events here, or run none any more
  kSemiSync,      // wait for acknowledgements, now that a replica acknowledges
  kRevoke,        // stop receiving, so that the old primary gets no acknowledgement
  kMhaScript,     // call MHA's script that moves the address of the primary
  kConsoleEvent,  // tell of the change in the console of Pandora FMS
};
inline constexpr std::size_t kActionCount = static_cast<std::size_t>(Action::kConsoleEvent) + 1;

// Returns the action's name, as in kStopReceiver: "stop-receiver".
std::string_view action_name(Action action);

// The other way round; nullopt for a word that names none.
std::optional<Action> parse_action(std::string_view name);

// How long one step may take, in seconds, whatever is left of the whole.
double step_limit_s(Action action);

// Adjacent steps of one action on different nodes are carried out at the same time.
struct Step {
  int number = 0;  // from 1; 0 for a step that rolls another one back
  Action action;
  std::string node = {};               // on which, empty: here
  Statements statements = {};          // in this order
  std::vector<std::string> argv = {};  // the program to run instead
  std::string text = {};               // for people: what it is for or waits for
  std::string channel = {};            // the replication channel that it is about
  std::string other = {};              // the node that it follows, waits for or is compared with
  BinlogPosition position = {};        // kSaveExtra: where to begin, no file: at the beginning
  std::string path = {};               // kWriteFile: the file,
  std::string content = {};            // and what is to stand in it
  bool by_mha = false;                 // argv is one of common/failover/mha_scripts.h
  bool may_fail = false;               // a failure is a warning, it ends nothing
  std::vector<Step> undo = {};         // rolls it back, as long as no node was opened

  bool operator==(const Step&) const = default;
};

// Returns the step that writes a file on this machine, whose failure is a warning.
Step write_file_step(std::string path, std::string content);

}  // namespace ha
