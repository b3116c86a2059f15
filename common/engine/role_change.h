// SPDX-License-Identifier: MIT
// Carries out a RolePlan and looks whether the engine obeyed. What an engine shows of itself counts
// only when it was shown after the command: a status file that was there before proves nothing.

#pragma once

#include <cstdint>
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
  std::string trouble = {};                  // why there is nothing to see
};

class EngineAccess {
 public:
  virtual ~EngineAccess() = default;

  // Performs one step. kMissing, kUnreachable and kRefused mean that it may work a moment later.
  virtual Result<Done> perform(const EngineStep& step, const Deadline& deadline) = 0;

  // Looks at the engine, which is to have the role `wanted`.
  virtual EngineView look(Role wanted, const Deadline& deadline) = 0;
};

// Returns what may be planned upon. A status file is believed only when its engine runs, it is at
// most `max_age_s` old at `now`, not from the future, and younger than our last command.
RoleFacts believe(const EngineView& view, const EngineMeans& means, std::int64_t commands_at,
                  double max_age_s, std::int64_t now);

// Returns what of the plan does not hold yet, or cannot be seen to; empty when all does. `before`
// is the view from before the first step.
std::string missing(const RolePlan& plan, const EngineMeans& means, const EngineView& before,
                    const EngineView& view);

struct RoleOutcome {
  enum class End { kVerified, kUnverified, kFailed };
  End end = End::kFailed;
  std::string text;            // what is wrong; empty when verified
  std::size_t steps_done = 0;  // of the plan's
  double seconds = 0;          // from the first step to the end
};

// Performs the steps in order and looks until the plan holds. What may pass is tried again, and a
// command whose effect is not seen in a later view is repeated: an engine that restarts loses what
// it had read. Performing and looking may take `patience_s` each, both end at `deadline`.
RoleOutcome change_role(const RolePlan& plan, EngineAccess& access, const EngineMeans& means,
                        const EngineView& before, double patience_s, const Deadline& deadline);

}  // namespace ha
