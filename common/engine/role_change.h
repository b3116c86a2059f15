// SPDX-License-Identifier: MIT
// Carries out a RolePlan and looks whether the engine obeyed. What an engine shows of itself counts
// only when it was shown after the last command, a handler's or a person's: a status file that may
// be older proves nothing.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/deadline.h"
#include "common/engine/role_plan.h"
#include "common/engine/status_dat.h"
#include "common/result.h"

namespace ha {

// By what an engine can be believed. None: an outcome cannot be verified.
struct EngineMeans {
  bool status_file = false;
  bool api = false;
  bool verify_command = false;
  bool acknowledged = false;  // each command is answered once it is carried out

  bool any() const { return status_file || api || verify_command || acknowledged; }
};

// One look at the engine, by all means that there are.
struct EngineView {
  EngineFlags flags = {};
  std::optional<bool> running = {};
  std::optional<bool> role_holds = {};       // the verify command's word
  std::optional<std::int64_t> writer = {};   // the process that wrote the status file
  std::optional<FileVersion> version = {};   // of the status file
  std::optional<std::int64_t> created = {};  // of the status file, epoch seconds
  bool reads_commands_late = false;          // see common/engine/engine.h
  std::string trouble = {};                  // why there is nothing to see
};

class EngineAccess {
 public:
  virtual ~EngineAccess() = default;

  // Performs one step. kMissing, kUnreachable and kRefused mean that it may work a moment later.
  virtual Result<Done> perform(const EngineStep& step, const Deadline& deadline) = 0;

  // Looks at the engine, which is to have the role `wanted`.
  virtual EngineView probe(Role wanted, const Deadline& deadline) = 0;
};

// After which moment a status file must have been written to prove anything.
struct Since {
  std::int64_t at = 0;                      // epoch seconds: written in a later second
  std::optional<FileVersion> version = {};  // of the file that was there then
};

// Returns whether the view's status file was written by then.
bool written_since(const EngineView& view, const Since& since);

// Which of our own earlier commands the engine may still have to carry out.
enum class Commands { kNone, kOnTheirWay };

// Returns what may be planned upon. A status file is believed when its engine runs, and when it was
// written since then, but not in the future of `now`. While commands are on their way, nothing is.
RoleFacts believe(const EngineView& view, const EngineMeans& means, const Since& since,
                  Commands commands, std::int64_t now);

// Returns true when a later status file may prove that there is nothing to do.
bool may_be_proven(const EngineView& view, const EngineMeans& means, Commands commands,
                   std::int64_t now);

// Returns what of the plan does not hold yet, or cannot be seen to; empty when all does. `sent` is
// when the last command was given.
std::string missing(const RolePlan& plan, const EngineMeans& means, const Since& sent,
                    const EngineView& view);

struct RoleOutcome {
  enum class End { kVerified, kUnverified, kOvertaken, kFailed };
  End end = End::kFailed;
  std::string text;            // what is wrong; empty when verified
  std::size_t steps_done = 0;  // of the plan's
  double seconds = 0;          // from the first step to the end
};

struct RoleChange {
  double patience_s = 15;  // for performing and for looking, each
  EngineView before = {};  // from before the first step
  Commands earlier = Commands::kNone;
  std::function<bool()> overtaken = [] { return false; };  // what came later has another role
};

// Performs the steps in order and looks until the plan holds. What may pass is tried again, and a
// command whose effect is not seen in a later view is repeated: an engine that restarts loses what
// it had read. Where commands do not queue up (API, query handler), an earlier one that is on its
// way may come last: all is then done again a second later. Ends at once when it is overtaken.
RoleOutcome change_role(const RolePlan& plan, EngineAccess& access, const EngineMeans& means,
                        const RoleChange& change, const Deadline& deadline);

}  // namespace ha
