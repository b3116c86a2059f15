// SPDX-License-Identifier: MIT
#include "common/context/guard_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

constexpr char kStateFormat[] = "monitoring-plugins-ha guard 1",
               kPauseFormat[] = "monitoring-plugins-ha guard pause 1";

Json to_json(const Moment& moment) {
  return {{"now_s", moment.now_s}, {"uptime_s", moment.uptime_s}, {"boot", moment.boot}};
}

Moment moment_of(const Json& json) {
  return {json.at("now_s").get<double>(), json.at("uptime_s").get<double>(),
          json.at("boot").get<std::string>()};
}

std::string print(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Json to_json(const WatchedNode& node) {
  Json json = {{"name", node.name}, {"life", life_name(node.life)}};
  json["read_only"] = node.read_only ? Json(*node.read_only) : Json();
  json["error"] = node.error;
  return json;
}

NodeLife life_of(const std::string& name) {
  for (const NodeLife life : {NodeLife::kAnswers, NodeLife::kRefuses, NodeLife::kGone})
    if (life_name(life) == name) return life;
  return NodeLife::kUnknown;
}

WatchedNode node_of(const Json& json) {
  WatchedNode node{json.at("name").get<std::string>()};
  node.life = life_of(json.at("life").get<std::string>());
  if (const Json& read_only = json.at("read_only"); read_only.is_boolean())
    node.read_only = read_only.get<bool>();
  node.error = json.at("error").get<std::string>();
  return node;
}

std::optional<GuardPause> parse_pause(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kPauseFormat) return std::nullopt;
    GuardPause pause{moment_of(json.at("since"))};
    if (const Json& seconds = json.at("seconds"); seconds.is_number())
      pause.seconds = seconds.get<double>();
    return pause;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<double> GuardPause::left_s(const Moment& now) const {
  if (!seconds) return std::nullopt;
  // Without an age, because the clock was set back, the whole time is left.
  return std::max(0.0, *seconds - age_of(since, now).value_or(0));
}

bool GuardPause::is_over(const Moment& now) const {
  const auto left = left_s(now);
  return left && *left <= 0;
}

std::string guard_state_to_json(const GuardState& state) {
  Json json = {{"format", kStateFormat},        {"process", state.process},
               {"since", to_json(state.since)}, {"node", state.node},
               {"stopped", state.stopped},      {"manages", state.manages},
               {"doing", state.doing},          {"trouble", state.trouble},
               {"primary", state.primary},      {"nodes", Json::array()}};
  for (const WatchedNode& node : state.nodes) json["nodes"].push_back(to_json(node));
  if (state.deed)
    json["last"] = {
        {"at", to_json(state.deed->at)}, {"run", state.deed->run}, {"text", state.deed->text}};
  return print(json);
}

std::optional<GuardState> parse_guard_state(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format") != kStateFormat) return std::nullopt;
    GuardState state{json.at("process").get<long>(),        moment_of(json.at("since")),
                     json.at("node").get<std::string>(),    json.at("stopped").get<bool>(),
                     json.at("manages").get<bool>(),        json.at("doing").get<std::string>(),
                     json.at("trouble").get<std::string>(), json.at("primary").get<std::string>()};
    for (const Json& node : json.at("nodes")) state.nodes.push_back(node_of(node));
    if (const auto last = json.find("last"); last != json.end())
      state.deed = {moment_of(last->at("at")), last->at("run").get<std::string>(),
                    last->at("text").get<std::string>()};
    return state;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

namespace {

std::string lock_path(const std::string& directory) { return directory + "/guard.lock"; }
std::string state_path(const std::string& directory) { return directory + "/guard.json"; }
std::string pause_path(const std::string& directory) { return directory + "/guard-paused.json"; }

}  // namespace

Result<std::unique_ptr<FileLock>> GuardFiles::lock() { return files_.lock(lock_path(directory_)); }

std::string GuardFiles::holder() const { return files_.lock_holder(lock_path(directory_)); }

std::optional<GuardState> GuardFiles::read() const {
  const auto content = files_.read(state_path(directory_));
  return content ? parse_guard_state(*content) : std::nullopt;
}

Result<Done> GuardFiles::write(const GuardState& state) {
  return files_.write_atomic(state_path(directory_), guard_state_to_json(state) + "\n");
}

std::optional<GuardPause> GuardFiles::read_pause(const Moment& now) const {
  const std::string path = pause_path(directory_);
  if (files_.info(path).kind == FileInfo::Kind::kMissing) return std::nullopt;
  const auto content = files_.read(path);
  const auto pause = content ? parse_pause(*content) : std::nullopt;
  if (!pause) return GuardPause{};
  return pause->is_over(now) ? std::nullopt : pause;
}

Result<Done> GuardFiles::write_pause(const GuardPause& pause) {
  const Json json = {{"format", kPauseFormat},
                     {"since", to_json(pause.since)},
                     {"seconds", pause.seconds ? Json(*pause.seconds) : Json()}};
  return files_.write_atomic(pause_path(directory_), print(json) + "\n");
}

Result<Done> GuardFiles::end_pause() { return files_.remove(pause_path(directory_)); }

GuardReport read_guard(Files& files, const std::string& directory, const Moment& now) {
  const GuardFiles guard(files, directory);
  GuardReport report{false, guard.read_pause(now), guard.read()};
  report.missing = report.state && !report.state->stopped && guard.holder().empty();
  return report;
}

}  // namespace ha
