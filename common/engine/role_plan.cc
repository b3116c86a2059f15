// SPDX-License-Identifier: MIT
#include "common/engine/role_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

bool contains(const std::vector<EngineFlag>& flags, EngineFlag flag) {
  return std::ranges::find(flags, flag) != flags.end();
}

// Returns the steps that set `flags`: a line for each, or one request for all.
std::vector<EngineStep> flag_steps(const EngineControl& control, bool on,
                                   const std::vector<EngineFlag>& flags, std::int64_t now) {
  using Kind = EngineStep::Kind;
  if (flags.empty() || !control.has_flags()) return {};
  std::vector<EngineStep> steps;
  std::vector<std::string> attributes;
  for (const EngineFlag flag : flags) {
    const EngineFlagWords& words = words_of(flag);
    attributes.push_back(fmt::format("\"{}\":{}", words.icinga2_name, on));
    const std::string line = fmt::format("[{}] {}", now, on ? words.enable : words.disable);
    if (!control.command_file.empty())
      steps.push_back({Kind::kCommandFile, control.command_file, line});
    else
      steps.push_back({Kind::kQueryHandler, control.query_handler, line});
  }
  if (control.kind == EngineKind::kIcinga2)
    return {{Kind::kApi, control.api, fmt::format("{{\"attrs\":{{{}}}}}", join(attributes, ","))}};
  return steps;
}

void plan_active(RolePlan& plan, const EngineControl& control, const RoleFacts& facts,
                 const std::optional<RoleRecord>& record, std::int64_t now) {
  plan.flags = flags_of(control.scope);
  const bool start = !control.start_command.empty() && facts.running != true;
  std::vector<EngineFlag> pending;
  for (const EngineFlag flag : plan.flags)
    // What a stopped engine left behind says nothing about the one that starts.
    if (start || value_of(facts.flags, flag) != true) pending.push_back(flag);
  if (record && record->role == Role::kActive) plan.record = *record;
  plan.record.role = Role::kActive;

  if (start) plan.steps.push_back({EngineStep::Kind::kRun, "", "", control.start_command});
  for (EngineStep& step : flag_steps(control, true, pending, now))
    plan.steps.push_back(std::move(step));
  if (facts.role_holds == true || plan.steps.empty()) {
    plan.steps.clear();
    plan.nothing = "the engine is active already";
    return;
  }
  plan.record.started |= start;
  for (const EngineFlag flag : pending)
    if (!contains(plan.record.changed, flag)) plan.record.changed.push_back(flag);
}

void plan_standby(RolePlan& plan, const EngineControl& control, const RoleFacts& facts,
                  const std::optional<RoleRecord>& record, Undo undo, std::int64_t now) {
  bool stop = !control.stop_command.empty();
  plan.flags = flags_of(control.scope);
  if (record && undo == Undo::kTakeOver) {
    if (record->role != Role::kActive) {
      plan.nothing = "no take-over is on record, so there is none to undo";
      plan.record = *record;
      return;
    }
    if (record->changed.empty() && !record->started) {
      plan.nothing = "the take-over on record changed nothing, so there is nothing to undo";
      return;
    }
    stop = stop && record->started;
    std::erase_if(plan.flags, [&](EngineFlag flag) { return !contains(record->changed, flag); });
  }
  // Who notifies must fall silent before the states grow old.
  std::ranges::reverse(plan.flags);
  if (stop) {
    plan.stops = true;
    plan.flags.clear();
    if (facts.running != false)
      plan.steps.push_back({EngineStep::Kind::kRun, "", "", control.stop_command});
  } else {
    std::vector<EngineFlag> pending;
    for (const EngineFlag flag : plan.flags)
      if (value_of(facts.flags, flag) != false) pending.push_back(flag);
    plan.steps = flag_steps(control, false, pending, now);
  }
  if (facts.role_holds == true || plan.steps.empty()) {
    plan.steps.clear();
    plan.nothing = stop || control.has_flags() ? "the engine stands by already"
                                               : "there is no command to stand down with";
  }
}

}  // namespace

std::string_view role_name(Role role) { return role == Role::kActive ? "active" : "standby"; }

RolePlan plan_role(Role role, const EngineControl& control, const RoleFacts& facts,
                   const std::optional<RoleRecord>& record, Undo undo, std::int64_t now) {
  RolePlan plan{role};
  if (role == Role::kActive)
    plan_active(plan, control, facts, record, now);
  else
    plan_standby(plan, control, facts, record, undo, now);
  plan.record.commands_at = plan.steps.empty() ? (record ? record->commands_at : 0) : now;
  return plan;
}

std::string describe(const EngineStep& step) {
  switch (step.kind) {
    case EngineStep::Kind::kApi:
      return fmt::format("POST {}{} {}", step.target, kIcinga2AppPath, step.text);
    case EngineStep::Kind::kRun: {
      std::vector<std::string> words;
      for (const std::string& word : step.argv) words.push_back(quote_word(word));
      return join(words, " ");
    }
    case EngineStep::Kind::kCommandFile:
    case EngineStep::Kind::kQueryHandler:
      break;
  }
  return step.text;
}

std::string describe_change(const RolePlan& plan) {
  if (plan.stops) return "engine stopped";
  std::vector<std::string> names;
  for (const EngineFlag flag : plan.flags) names.emplace_back(words_of(flag).name);
  return join(names, ", ") + (plan.role == Role::kActive ? " on" : " off");
}

}  // namespace ha
