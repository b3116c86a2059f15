// SPDX-License-Identifier: MIT
// The decision what to do to an engine so that it is activated or deactivated. Pure: the steps are
// data, printed by --dry-run and performed by common/engine/role_change.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/engine/engine.h"

namespace ha {

enum class Role { kActive, kStandby };

std::string_view role_name(Role role);  // "active", "standby"
std::optional<Role> parse_role(std::string_view name);

// How the engine is controlled. One of the three places, or none for a cold standby.
struct EngineControl {
  EngineKind kind = EngineKind::kNagios;
  EngineScope scope = EngineScope::kNotifications;
  std::string command_file = {};
  std::string query_handler = {};
  std::string api = {};
  std::vector<std::string> start_command = {};
  std::vector<std::string> stop_command = {};

  bool has_flags() const { return !command_file.empty() || !query_handler.empty() || !api.empty(); }
};

// What earlier runs did, kept in the state directory.
struct RoleRecord {
  Role role = Role::kStandby;
  std::vector<EngineFlag> changed = {};  // flags that the activation switched on
  bool started = false;                  // the activation started the engine
  // Epoch seconds of the last command whose effect has not been seen; 0: none is open.
  std::int64_t commands_at = 0;
  std::vector<EngineFlag> sent = {};  // flags that open commands switch to the role
  std::string by_hand = {};           // who activated the engine by hand; no event undoes that

  bool open() const { return commands_at != 0; }
};

// What the engine shows of itself.
struct RoleFacts {
  EngineFlags flags = {};  // as far as they can be believed at this moment
  // Also what may be older than a command on its way: enough to know whose a flag was, never a
  // reason to leave it alone.
  EngineFlags shown = {};
  std::optional<bool> running = {};
  // What --verify-command says: the wanted role holds.
  std::optional<bool> role_holds = {};
};

struct EngineStep {
  enum class Kind { kCommandFile, kQueryHandler, kApi, kRun };
  Kind kind;
  std::string target = {};             // pipe, socket or URL
  std::string text = {};               // the exact line, or the body of the request
  std::vector<std::string> argv = {};  // of kRun
};

struct RolePlan {
  Role role = Role::kActive;
  std::string nothing = {};  // why there is nothing to do; empty: there is
  std::vector<EngineStep> steps = {};
  // What must hold afterwards: these flags are on (active) or off (standby), or the engine is gone.
  std::vector<EngineFlag> flags = {};
  bool stops = false;
  std::vector<EngineFlag> pending = {};  // of these, what the steps switch
  RoleRecord record = {};                // what is to be remembered once the first step is done
};

// Which of the engine's deeds a deactivation undoes.
enum class Undo {
  kActivate,  // what the record says that an activation did; all of the scope where none is kept
  kScope,     // all of the scope, also what a person switched
};

// Plans the change to `role` at `now` (epoch seconds). Flags that are known to be right are left
// alone; unknown ones are set, because all engines take a repeated command as no change.
// `record` is unset where no state is kept.
RolePlan plan_role(Role role, const EngineControl& control, const RoleFacts& facts,
                   const std::optional<RoleRecord>& record, Undo undo, std::int64_t now);

// Prints a step on one line: exactly what goes into the pipe, or METHOD URL BODY, or the words of a
// command, quoted where needed.
std::string describe(const EngineStep& step);

// Says in a few words which flags are switched: "notifications, host checks on".
std::string describe_change(const RolePlan& plan);

// Names what the plan switches that was shown to be otherwise, or not shown: "notifications were
// on", "the earlier state of service checks is not shown"; empty when there is none.
std::string describe_undone(const RolePlan& plan, const RoleFacts& facts);

}  // namespace ha
