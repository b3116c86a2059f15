// SPDX-License-Identifier: MIT
#include "plugins/check_engine_pair.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/address.h"
#include "common/cli.h"
#include "common/heartbeat/read.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/defaults_file.h"
#include "common/parallel.h"
#include "common/text.h"
#include "common/thresholds.h"

namespace ha {

namespace {

constexpr std::string_view kGrammar = "accepted: NAME=PRESET@PLACE[,KEY=VALUE]...[,cold|,shared]";

Result<Done> take_range(const std::string& value, std::optional<Range>& target) {
  const auto range = parse_range(value);
  if (!range) return range.error();
  target = *range;
  return Done{};
}

Result<Done> take_value(HeartbeatSpec& spec, const std::string& key, const std::string& value) {
  if (key == "warning") return take_range(value, spec.limits.warning);
  if (key == "critical") return take_range(value, spec.limits.critical);
  const std::pair<const char*, std::string&> login[] = {
      {"username", spec.mysql.user},        {"defaults-file", spec.mysql.defaults_file},
      {"group", spec.mysql.defaults_group}, {"ca-cert", spec.mysql.ca},
      {"cert", spec.mysql.certificate},     {"key", spec.mysql.key}};
  std::vector<std::string> keys = {"warning", "critical"};
  for (const auto& [name, target] : login) {
    keys.emplace_back(name);
    if (key != name) continue;
    target = value;
    return Done{};
  }
  for (const HeartbeatOption& option : heartbeat_options(spec)) {
    if (key == option.name) return option.accept(value);
    keys.push_back(option.name);
  }
  return Error{Errc::kUsage, fmt::format("unknown key (accepted: {})", join(keys, ", "))};
}

Result<Done> take_place(HeartbeatSpec& spec, const std::string& place) {
  if (spec.preset->kind != Preset::Kind::kSql && place.empty())
    return Error{Errc::kUsage, "the file or URL after @ is missing"};
  if (spec.preset->kind == Preset::Kind::kFile) return take_value(spec, "file", place);
  if (spec.preset->kind == Preset::Kind::kApi) return take_value(spec, "api", place);
  if (place.empty()) return Done{};
  spec.mysql.socket.clear();
  spec.mysql.port = 0;
  spec.mysql.host = place;
  if (place.starts_with('/')) return Done{};
  const auto address = parse_host_port(place);
  if (!address) return address.error();
  spec.mysql.host = address->host;
  spec.mysql.port = address->port;
  return Done{};
}

}  // namespace

Result<EngineSpec> parse_engine(std::string_view text, const HeartbeatSpec& common) {
  const auto bad = [&](std::string_view part, std::string_view why) {
    return Error{Errc::kUsage, fmt::format("--engine: '{}': {}", sanitize(part), why)};
  };
  const std::size_t equals = text.find('='), at = text.find('@');
  if (equals == text.npos || equals == 0 || at == text.npos || at < equals)
    return bad(text, kGrammar);
  EngineSpec engine{std::string(text.substr(0, equals)), common};
  HeartbeatSpec& spec = engine.heartbeat;
  const auto preset = find_preset(text.substr(equals + 1, at - equals - 1));
  if (!preset) return bad(engine.name, preset.error().text);
  spec.preset = *preset;
  if (spec.preset->name == "pt-heartbeat")
    return bad(engine.name, "pt-heartbeat is no monitoring engine");

  const std::vector<std::string> parts = split_values(text.substr(at + 1));
  if (const auto taken = take_place(spec, parts[0]); !taken)
    return bad(engine.name, taken.error().text);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] == "cold" || parts[i] == "shared") {
      (parts[i] == "cold" ? engine.cold : engine.shared) = true;
      continue;
    }
    const std::size_t end = parts[i].find('=');
    if (end == std::string::npos) return bad(parts[i], kGrammar);
    const std::string key = parts[i].substr(0, end);
    if (const auto taken = take_value(spec, key, parts[i].substr(end + 1)); !taken)
      return bad(engine.name + ": " + key, taken.error().text);
  }
  if (engine.cold && engine.shared)
    return bad(engine.name, "cold and shared: an engine that shares the work is never stopped");
  if (const auto finished = finish(spec); !finished) return bad(engine.name, finished.error().text);
  return engine;
}

std::vector<EngineFacts> gather(const std::vector<EngineSpec>& engines, const Deadline& deadline) {
  const double left = deadline.remaining_s();
  const Deadline earlier = deadline.before_report();
  const auto heartbeats = run_each<Result<HeartbeatFacts>>(
      engines.size(), earlier,
      [engines, earlier](std::size_t i) { return read_heartbeat(engines[i].heartbeat, earlier); });
  std::vector<EngineFacts> facts;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    const EngineSpec& engine = engines[i];
    facts.push_back({engine.name, std::string(engine.heartbeat.preset->name), engine.cold,
                     engine.shared, engine.heartbeat.limits,
                     heartbeats[i].value_or(Error{
                         Errc::kUnreachable,
                         fmt::format("{} did not answer within {}",
                                     heartbeat_place(engine.heartbeat), format_duration(left))})});
  }
  return facts;
}

namespace {

enum class Activity {
  kActive,
  kStandby,
  kDown,
  kPerhaps,  // it cannot be reached, or its clock is not to be believed
  kUnknown,  // we are not let in, or do not understand it
};

struct Verdict {
  Activity activity;
  Item item;
  bool idle = false;  // active, but executes no checks
};

Verdict judge_failure(const EngineFacts& engine) {
  const State state = from_error(engine.heartbeat.error()).state;
  const bool perhaps = state == State::kCritical;
  Verdict verdict{perhaps ? Activity::kPerhaps : Activity::kUnknown, {engine.name}};
  verdict.item.state = perhaps ? State::kWarning : State::kUnknown;
  verdict.item.text = fmt::format("{} {}: {}", engine.name,
                                  perhaps ? "is unreachable and may be active" : "is unknown",
                                  engine.heartbeat.error().text);
  return verdict;
}

// A heartbeat that is fresh enough to be believed: active by its own role, or because it is there.
Verdict judge_fresh(const EngineFacts& engine, const HeartbeatJudgement& beat) {
  const HeartbeatFacts& facts = *engine.heartbeat;
  const bool active = facts.active.value_or(true);
  Verdict verdict{active ? Activity::kActive : Activity::kStandby, {engine.name, beat.state}};
  verdict.idle = active && facts.checks == false;
  const bool doubtful = beat.state == State::kUnknown && !beat.age_s;
  if (doubtful && active)
    verdict.activity = facts.other_age_s ? Activity::kUnknown : Activity::kPerhaps;
  verdict.item.text = fmt::format("{} {}: {}: {}", engine.name,
                                  doubtful && active ? "may be active"
                                  : active           ? "is active"
                                                     : "stands by",
                                  facts.place, beat.text);
  if (engine.shared && !active) {
    verdict.item.state = worst(beat.state, State::kWarning);
    verdict.item.text += ": no engine sends its share of the notifications";
  }
  if (!facts.conflict.empty()) verdict.item.state = State::kCritical;
  return verdict;
}

// No heartbeat, or one that is too old: it leaves the work to another.
Verdict judge_silent(const EngineFacts& engine, const HeartbeatJudgement& beat) {
  const HeartbeatFacts& facts = *engine.heartbeat;
  const bool elsewhere = !facts.leader.empty();  // the IDO holds one endpoint only
  Verdict verdict{elsewhere || engine.cold ? Activity::kStandby : Activity::kDown, {engine.name}};
  if (verdict.activity == Activity::kDown) verdict.item.state = State::kWarning;
  if (!facts.memory_trouble.empty())
    verdict.item.state = worst(verdict.item.state, State::kUnknown);
  verdict.item.text = fmt::format("{} {}: {}: {}", engine.name,
                                  elsewhere     ? "stands by"
                                  : engine.cold ? "is down, as a cold standby is"
                                                : "is down",
                                  facts.place, beat.text);
  return verdict;
}

Verdict judge_engine(const EngineFacts& engine) {
  if (!engine.heartbeat) return judge_failure(engine);
  const HeartbeatJudgement beat = judge_heartbeat(*engine.heartbeat, engine.limits);
  return beat.state == State::kCritical ? judge_silent(engine, beat) : judge_fresh(engine, beat);
}

Item describe(const EngineFacts& engine, Verdict& verdict) {
  constexpr const char* kWords[] = {"active", "standby", "down", "perhaps active", "unknown"};
  Item item = std::move(verdict.item);
  item.identity = {{"preset", engine.preset}};
  item.facts = {{"activity", std::string(kWords[static_cast<std::size_t>(verdict.activity)])}};
  std::optional<double> age, skew;
  if (engine.heartbeat) {
    item.identity.emplace_back("place", engine.heartbeat->place);
    age = judge_heartbeat(*engine.heartbeat, engine.limits).age_s;
    skew = engine.heartbeat->clock_skew_s;
  }
  item.metrics = {{"age", age, "s", engine.limits, 0}, {"clock_skew", skew, "s"}};
  return item;
}

struct Count {
  std::vector<std::string> active, standby, down, perhaps, unknown;
  std::vector<std::string> shared;  // of the active ones
  std::vector<std::string> idle;
};

// The pair's own sentence and state; those of the single nodes come on top.
std::pair<State, std::string> judge_pair(const Count& count, const std::string& expected) {
  const std::size_t sharing = count.shared.size();
  if (count.active.size() > 1 && sharing != count.active.size())
    return {State::kCritical, fmt::format("{} engines are active: {}", count.active.size(),
                                          join(count.active, ", "))};
  if (count.active.empty()) {
    if (!count.perhaps.empty()) return {State::kCritical, "no engine is known to be active"};
    if (!count.unknown.empty()) return {State::kUnknown, "cannot tell whether an engine is active"};
    return {State::kCritical, "no engine is active"};
  }
  const std::string active = join(count.active, ", ");
  const char* const are = count.active.size() > 1 ? "are" : "is";
  if (!count.idle.empty())
    return {State::kCritical,
            fmt::format("{} is active but executes no checks", join(count.idle, ", "))};
  if (!expected.empty() && std::ranges::find(count.active, expected) == count.active.end())
    return {State::kWarning, fmt::format("{} {} active instead of {}", active, are, expected)};
  return {State::kOk,
          fmt::format("{} {} active{}{}", active, are, sharing > 1 ? " and share the work" : "",
                      count.standby.empty() ? "" : ", standby: " + join(count.standby, ", "))};
}

}  // namespace

CheckResult evaluate(const std::vector<EngineFacts>& engines, const std::string& expected) {
  CheckResult result{State::kOk, "", {}, "node"};
  Count count;
  for (const EngineFacts& engine : engines) {
    Verdict verdict = judge_engine(engine);
    if (verdict.idle) count.idle.push_back(engine.name);
    if (engine.shared && verdict.activity == Activity::kActive) count.shared.push_back(engine.name);
    std::vector<std::string>* const lists[] = {&count.active, &count.standby, &count.down,
                                               &count.perhaps, &count.unknown};
    lists[static_cast<std::size_t>(verdict.activity)]->push_back(engine.name);
    result.items.push_back(describe(engine, verdict));
    result.state = worst(result.state, result.items.back().state);
  }
  const auto [state, text] = judge_pair(count, expected);
  const std::string nodes = summarize(result.items, "");
  result.state = worst(result.state, state);
  result.text = nodes.empty() ? text : text + "; " + nodes;
  result.metrics = {{"active", static_cast<double>(count.active.size()), "", {}, 0},
                    {"nodes", static_cast<double>(engines.size()), "", {}, 0}};
  return result;
}

namespace {

Result<std::vector<EngineSpec>> parse_engines(const std::vector<std::string>& texts,
                                              const HeartbeatSpec& common,
                                              const std::string& expected) {
  std::vector<EngineSpec> engines;
  for (const std::string& text : texts) {
    auto engine = parse_engine(text, common);
    if (!engine) return engine.error();
    if (std::ranges::find(engines, engine->name, &EngineSpec::name) != engines.end())
      return Error{Errc::kUsage, fmt::format("--engine: '{}' is there twice", engine->name)};
    engines.push_back(std::move(*engine));
  }
  if (engines.empty()) return Error{Errc::kUsage, fmt::format("--engine: missing ({})", kGrammar)};
  if (!expected.empty() && std::ranges::find(engines, expected, &EngineSpec::name) == engines.end())
    return Error{Errc::kUsage, fmt::format("--expect: no --engine is named '{}'", expected)};
  DefaultsFiles files;
  for (EngineSpec& engine : engines)
    if (const auto complete = complete_login(engine.heartbeat, files); !complete)
      return Error{Errc::kUsage, fmt::format("{}: {}", engine.name, complete.error().text)};
  return engines;
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  HeartbeatSpec common;
  std::vector<std::string> texts;
  std::string expected;
  Cli cli(clock, "check_engine_pair",
          "Checks that exactly one of several monitoring engines is active.");
  cli.list("--engine", "NAME=PRESET@PLACE[,KEY=VALUE]...", texts,
           "one node's engine; repeatable. PRESET and KEY are those of check_heartbeat, PLACE is "
           "HOST[:PORT], a file or a URL; the key cold marks one that is stopped while it stands "
           "by, shared those of a zone that are active together");
  cli.text("--state-dir", "DIR", common.state_directory,
           "remember here what was seen, as check_heartbeat does");
  cli.text("--expect", "NAME", expected, "WARNING when another engine is the active one");
  cli.thresholds(common.limits, "the age of a heartbeat in seconds is");
  add_mysql_options(cli, common.mysql);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  const auto engines = parse_engines(texts, common, expected);
  if (!engines) return cli.usage_error(engines.error().text);

  cli.waiting_for("the heartbeats of the engines");
  CheckResult result = evaluate(gather(*engines, cli.deadline()), expected);
  for (const EngineSpec& engine : *engines)
    for (std::string& note : option_notes(engine.heartbeat.mysql))
      if (std::ranges::find(result.notes, note) == result.notes.end())
        result.notes.push_back(std::move(note));
  return cli.report(result);
}

}  // namespace ha
