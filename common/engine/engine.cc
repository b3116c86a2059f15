// SPDX-License-Identifier: MIT
#include "common/engine/engine.h"

namespace ha {

namespace {

constexpr EngineFlagWords kWords[] = {
    {EngineFlag::kNotifications, "notifications", "ENABLE_NOTIFICATIONS", "DISABLE_NOTIFICATIONS",
     "enable_notifications"},
    {EngineFlag::kServiceChecks, "service checks", "START_EXECUTING_SVC_CHECKS",
     "STOP_EXECUTING_SVC_CHECKS", "enable_service_checks"},
    {EngineFlag::kHostChecks, "host checks", "START_EXECUTING_HOST_CHECKS",
     "STOP_EXECUTING_HOST_CHECKS", "enable_host_checks"},
};

}  // namespace

std::vector<EngineFlag> flags_of(EngineScope scope) {
  std::vector<EngineFlag> flags;
  if (scope != EngineScope::kNotifications)
    flags = {EngineFlag::kServiceChecks, EngineFlag::kHostChecks};
  if (scope != EngineScope::kChecks) flags.push_back(EngineFlag::kNotifications);
  return flags;
}

std::optional<bool> value_of(const EngineFlags& flags, EngineFlag flag) {
  switch (flag) {
    case EngineFlag::kNotifications:
      return flags.notifications;
    case EngineFlag::kServiceChecks:
      return flags.service_checks;
    case EngineFlag::kHostChecks:
      break;
  }
  return flags.host_checks;
}

const EngineFlagWords& words_of(EngineFlag flag) { return kWords[static_cast<int>(flag)]; }

bool reads_commands_late(EngineKind kind, std::string_view version) {
  if (kind == EngineKind::kIcinga1) return true;
  return kind == EngineKind::kNagios && (version.starts_with("2.") || version.starts_with("3."));
}

std::optional<EngineFlag> parse_engine_flag(std::string_view name) {
  for (const EngineFlagWords& words : kWords)
    if (words.name == name) return words.flag;
  return std::nullopt;
}

}  // namespace ha
