// SPDX-License-Identifier: MIT
#include "common/engine/role_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "common/commands.h"
#include "common/text.h"

namespace ha {

namespace {

// How long a deactivation that was not seen to work is done again by the next one: what is on later
// is a person's.
constexpr std::int64_t kOpen_s = 24 * 3600;

bool contains(const std::vector<EngineFlag>& flags, EngineFlag flag) {
  return std::ranges::find(flags, flag) != flags.end();
}

void add(std::vector<EngineFlag>& flags, EngineFlag flag) {
  if (!contains(flags, flag)) flags.push_back(flag);
}

// The verify command may ask a file of the engine's, which knows nothing of commands on their way.
bool holds_already(const EngineControl& control, const RoleFacts& facts) {
  return facts.role_holds == true && !control.has_flags();
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

bool is_open(const std::optional<RoleRecord>& record, EngineFlag flag) {
  return record && contains(record->sent, flag);
}

// Returns what the flag was before this plan; a command on its way is taken for carried out.
std::optional<bool> value_before(const RoleFacts& facts, const std::optional<RoleRecord>& record,
                                 EngineFlag flag) {
  if (const auto value = value_of(facts.flags, flag)) return value;
  if (is_open(record, flag)) return record->role == Role::kActive;
  return value_of(facts.shown, flag);
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
  plan.pending = pending;

  if (start) plan.steps.push_back({EngineStep::Kind::kRun, "", "", control.start_command});
  for (EngineStep& step : flag_steps(control, true, pending, now))
    plan.steps.push_back(std::move(step));
  if (holds_already(control, facts) || plan.steps.empty()) {
    plan.steps.clear();
    plan.nothing = "the engine is active already";
    return;
  }
  plan.record.started |= start;
  for (const EngineFlag flag : pending) {
    const bool was_on = !start && value_before(facts, record, flag) == true;
    if (!was_on) add(plan.record.changed, flag);
  }
}

// Keeps those flags that a deactivation undoes: an activation's, and those that an earlier
// deactivation may not have switched off. Says why there is none.
std::string keep_own(std::vector<EngineFlag>& flags, const RoleRecord& record, std::int64_t now) {
  const bool active = record.role == Role::kActive;
  if (active && !record.by_hand.empty())
    return fmt::format(
        "it was activated by hand (by {}), so it stays active; to end that, run: {} --deactivate",
        record.by_hand, kThisProgram);
  const bool open = !record.sent.empty() && std::abs(now - record.commands_at) <= kOpen_s;
  if (!active && !open) return "no activation is on record, so there is nothing to undo";
  if (active && record.changed.empty() && !record.started)
    return "the activation on record changed nothing, so there is nothing to undo";
  std::erase_if(flags, [&](EngineFlag flag) {
    return !contains(active ? record.changed : record.sent, flag);
  });
  return "";
}

void plan_standby(RolePlan& plan, const EngineControl& control, const RoleFacts& facts,
                  const std::optional<RoleRecord>& record, Undo undo, std::int64_t now) {
  bool stop = !control.stop_command.empty();
  plan.flags = flags_of(control.scope);
  if (record && undo == Undo::kActivate) {
    plan.nothing = keep_own(plan.flags, *record, now);
    if (!plan.nothing.empty()) {
      if (record->role != Role::kActive || !record->by_hand.empty()) plan.record = *record;
      return;
    }
    stop = stop && record->started;
  }
  // An engine that notifies must fall silent before the states grow old.
  std::ranges::reverse(plan.flags);
  if (stop) {
    plan.stops = true;
    plan.flags.clear();
    if (facts.running != false)
      plan.steps.push_back({EngineStep::Kind::kRun, "", "", control.stop_command});
  } else {
    for (const EngineFlag flag : plan.flags)
      if (value_of(facts.flags, flag) != false) plan.pending.push_back(flag);
    plan.steps = flag_steps(control, false, plan.pending, now);
  }
  if (holds_already(control, facts) || plan.steps.empty()) {
    plan.steps.clear();
    plan.nothing = stop || control.has_flags() ? "the engine stands by already"
                                               : "there is no command that deactivates the engine";
  }
}

}  // namespace

std::string_view role_name(Role role) { return role == Role::kActive ? "active" : "standby"; }

std::optional<Role> parse_role(std::string_view name) {
  for (const Role role : {Role::kActive, Role::kStandby})
    if (role_name(role) == name) return role;
  return std::nullopt;
}

RolePlan plan_role(Role role, const EngineControl& control, const RoleFacts& facts,
                   const std::optional<RoleRecord>& record, Undo undo, std::int64_t now) {
  RolePlan plan{role};
  if (role == Role::kActive)
    plan_active(plan, control, facts, record, now);
  else
    plan_standby(plan, control, facts, record, undo, now);
  plan.record.commands_at = record ? record->commands_at : 0;
  plan.record.sent.clear();
  if (record && record->role == role) plan.record.sent = record->sent;
  if (plan.steps.empty()) return plan;
  plan.record.commands_at = now;
  for (const EngineFlag flag : plan.pending) add(plan.record.sent, flag);
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

std::string describe_undone(const RolePlan& plan, const RoleFacts& facts) {
  const bool on = plan.role == Role::kActive;
  if (plan.stops) return facts.running == true ? "the engine ran" : "";
  std::vector<std::string> names, unknown;
  for (const EngineFlag flag : plan.pending) {
    const auto value = value_of(facts.shown, flag);
    if (value != on) (value ? names : unknown).emplace_back(words_of(flag).name);
  }
  std::string text;
  if (!names.empty()) text = join(names, ", ") + (on ? " were off" : " were on");
  if (!unknown.empty())
    text += fmt::format("{}the earlier state of {} is not shown", text.empty() ? "" : "; ",
                        join(unknown, ", "));
  return text;
}

}  // namespace ha
