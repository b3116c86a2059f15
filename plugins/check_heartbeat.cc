// SPDX-License-Identifier: MIT
#include "plugins/check_heartbeat.h"

#include <fmt/format.h>

#include "common/cli.h"
#include "common/heartbeat/local_process.h"
#include "common/heartbeat/read.h"
#include "common/heartbeat/spec.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/defaults_file.h"
#include "common/process_table.h"
#include "common/text.h"

namespace ha {

namespace {

FactValue to_fact(const std::optional<bool>& flag) {
  return flag ? FactValue(*flag) : FactValue(std::monostate());
}

// One item without a name, so that its metrics stand bare.
CheckResult judge_facts(const HeartbeatFacts& facts, const Thresholds& limits,
                        const std::string& preset) {
  const HeartbeatJudgement beat = judge_heartbeat(facts, limits);
  CheckResult result{beat.state, fmt::format("{}: {}", facts.place, beat.text), {}, "node"};
  if (facts.clock_skew_s && std::abs(*facts.clock_skew_s) > kMaxFuture_s)
    result.text +=
        fmt::format("; our clock is {} {}", format_duration(std::abs(*facts.clock_skew_s)),
                    *facts.clock_skew_s > 0 ? "ahead" : "behind");
  Item item{"", beat.state, result.text};
  item.identity = {{"preset", preset}, {"place", facts.place}};
  item.facts = {{"writer", facts.writer},
                {"role", facts.role},
                {"active", to_fact(facts.active)},
                {"executes_checks", to_fact(facts.checks)}};
  item.metrics = {{"age", beat.age_s, "s", limits, 0}, {"clock_skew", facts.clock_skew_s, "s"}};
  result.items.push_back(std::move(item));
  return result;
}

}  // namespace

CheckResult evaluate(const EngineFacts& facts, const Thresholds& limits,
                     const std::string& preset) {
  CheckResult result = facts.heartbeat ? judge_facts(*facts.heartbeat, limits, preset)
                                       : from_error(facts.heartbeat.error());
  const std::optional<ProcessFacts>& process = facts.process;
  if (!process) return result;
  if (process->pid) {
    result.text += fmt::format("; process {} runs", *process->pid);
  } else if (process->all_seen) {
    result.state = State::kCritical;
    result.text =
        fmt::format("no process matches '{}'; {}", sanitize(process->pattern), result.text);
  } else {
    result.state = worst(result.state, State::kUnknown);
    result.text += fmt::format(
        "; /proc hides the processes of other users (hidepid, ProtectProc=): run the check as root "
        "or as the engine's user to see whether one matches '{}'",
        sanitize(process->pattern));
  }
  for (Item& item : result.items) {
    item.state = result.state;
    item.text = result.text;
    item.facts.emplace_back("process", process->pid ? FactValue(std::int64_t{*process->pid})
                                                    : FactValue(std::monostate()));
  }
  return result;
}

namespace {

EngineFacts gather(const HeartbeatSpec& spec, const std::optional<ProcessPattern>& pattern,
                   const Deadline& deadline) {
  EngineFacts facts{read_heartbeat(spec, deadline)};
  if (pattern)
    facts.process = ProcessFacts{pattern->text(), find_process(*pattern), all_processes_are_seen()};
  return facts;
}

std::string preset_help() {
  std::string text = "whose heartbeat (required), with the default thresholds:";
  for (const Preset& preset : presets())
    text += preset.warning_s > 0
                ? fmt::format(" {} {}/{},", preset.name, preset.warning_s, preset.critical_s)
                : fmt::format(" {},", preset.name);
  text.back() = ';';
  return text + " those without need -w and -c";
}

void add_options(Cli& cli, HeartbeatSpec& spec, std::optional<ProcessPattern>& process) {
  cli.option(
      "--preset", "WORD",
      [&spec](const std::string& value) -> Result<Done> {
        const auto preset = find_preset(value);
        if (!preset) return preset.error();
        spec.preset = *preset;
        return Done{};
      },
      preset_help().c_str());
  cli.thresholds(spec.limits, "the age in seconds is");
  for (HeartbeatOption& option : heartbeat_options(spec))
    cli.option(("--" + option.name).c_str(), option.metavar.c_str(), std::move(option.accept),
               option.help.c_str());
  cli.option(
      "--process", "REGEX",
      [&process](const std::string& value) -> Result<Done> {
        auto pattern = ProcessPattern::compile(value);
        if (!pattern) return pattern.error();
        process = std::move(*pattern);
        return Done{};
      },
      "CRITICAL unless the command line of a local process matches this POSIX extended regular "
      "expression");
  cli.text("--state-dir", "DIR", spec.state_directory,
           "remember here what was seen: which of two hours a local time is of when summer time "
           "ends, and which process wrote the status file");
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  HeartbeatSpec spec;
  std::optional<ProcessPattern> pattern;
  bool table_named = false;
  Cli cli(clock, "check_heartbeat", "Checks that a monitoring engine still writes its heartbeat.");
  add_options(cli, spec, pattern);
  add_mysql_options(cli, spec.mysql);
  add_heartbeat_options(cli, spec.heartbeat, table_named);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (spec.preset == nullptr)
    return cli.usage_error("--preset: missing (accepted: " + preset_names() + ")");
  if (const auto finished = finish(spec); !finished) return cli.usage_error(finished.error().text);
  DefaultsFiles files;
  if (const auto complete = complete_login(spec, files); !complete)
    return cli.usage_error(complete.error().text);

  cli.waiting_for("the heartbeat of " + heartbeat_place(spec));
  CheckResult result =
      evaluate(gather(spec, pattern, cli.deadline()), spec.limits, std::string(spec.preset->name));
  for (std::string& note : option_notes(spec.mysql)) result.notes.push_back(std::move(note));
  return cli.report(result);
}

}  // namespace ha
