// SPDX-License-Identifier: MIT
// The words for a monitoring engine of the Nagios family and what its operator can switch in it.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ha {

enum class EngineKind { kNagios, kNaemon, kIcinga1, kIcinga2 };

enum class EngineFlag { kNotifications, kServiceChecks, kHostChecks };

// What an engine does at the moment; unset is not known.
struct EngineFlags {
  std::optional<bool> notifications = {};
  std::optional<bool> service_checks = {};
  std::optional<bool> host_checks = {};

  bool operator==(const EngineFlags&) const = default;
};

// Which flags a standby's role is made of.
enum class EngineScope { kNotifications, kChecks, kAll };

// The flags of a scope, those first that are switched on first: an engine that notifies before
// checking tells of states that no check has looked at.
std::vector<EngineFlag> flags_of(EngineScope scope);

std::optional<bool> value_of(const EngineFlags& flags, EngineFlag flag);

// How a flag is spelt. The commands are those that all of Nagios 2 to 4, Naemon and Icinga 1 know;
// ENTER_STANDBY_MODE and its kin are not among them.
struct EngineFlagWords {
  EngineFlag flag;
  std::string_view name;          // for people and for the state file
  std::string_view enable;        // external command
  std::string_view disable;       // external command
  std::string_view icinga2_name;  // attribute of IcingaApplication
};

const EngineFlagWords& words_of(EngineFlag flag);

// Where Icinga 2's API keeps them, as attributes.
inline constexpr std::string_view kIcinga2AppPath = "/v1/objects/icingaapplications/app";

// True of engines that read their command pipe now and then (command_check_interval), so that even
// a status which they wrote later may know nothing of a command: Nagios 2 and 3, Icinga 1.
// `version` is the status file's.
bool reads_commands_late(EngineKind kind, std::string_view version);

// Returns the flag of a `name`.
std::optional<EngineFlag> parse_engine_flag(std::string_view name);

}  // namespace ha
