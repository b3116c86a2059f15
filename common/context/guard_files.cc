// SPDX-License-Identifier: MIT
#include "common/context/guard_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/json_reader.h"
#include "common/json_writer.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr char kStateFormat[] = "monitoring-plugins-ha guard 1",
               kPauseFormat[] = "monitoring-plugins-ha guard pause 1",
               kClosingFormat[] = "monitoring-plugins-ha guard closing 1",
               kMajorityFormat[] = "monitoring-plugins-ha guard lease 1";

void write(JsonWriter& json, const Moment& moment) {
  json.begin_object();
  json.field("now_s", moment.now_s);
  json.field("uptime_s", moment.uptime_s);
  json.field("boot", moment.boot);
  json.end_object();
}

Moment moment_of(JsonReader& reader, const JsonValue& json) {
  return {reader.number(reader.member(json, "now_s")),
          reader.number(reader.member(json, "uptime_s")), reader.text(json, "boot")};
}

void write(JsonWriter& json, const WatchedNode& node) {
  json.begin_object();
  json.field("name", node.name);
  json.field("life", life_name(node.life));
  json.field("read_only", node.read_only);
  json.field("error", node.error);
  json.end_object();
}

NodeLife life_of(const std::string& name) {
  for (const NodeLife life : {NodeLife::kAnswers, NodeLife::kRefuses, NodeLife::kGone})
    if (life_name(life) == name) return life;
  return NodeLife::kUnknown;
}

WatchedNode node_of(JsonReader& reader, const JsonValue& json) {
  WatchedNode node{reader.text(json, "name")};
  node.life = life_of(reader.text(json, "life"));
  if (const JsonValue& read_only = reader.member(json, "read_only"); read_only.IsBool())
    node.read_only = read_only.IsTrue();
  node.error = reader.text(json, "error");
  return node;
}

GuardState state_of(JsonReader& reader, const JsonValue& json) {
  GuardState state{.process = reader.integer<long>(reader.member(json, "process")),
                   .since = moment_of(reader, reader.member(json, "since")),
                   .node = reader.text(json, "node"),
                   .stopped = reader.flag(json, "stopped"),
                   .manages = reader.flag(json, "manages"),
                   .doing = reader.text(json, "doing"),
                   .trouble = reader.text(json, "trouble"),
                   .primary = reader.text(json, "primary")};
  // An older guard writes neither.
  if (find_member(json, "lease_trouble")) state.lease_trouble = reader.text(json, "lease_trouble");
  if (find_member(json, "missing_votes")) state.missing_votes = reader.text(json, "missing_votes");
  for (const JsonValue& node : reader.list(json, "nodes"))
    state.nodes.push_back(node_of(reader, node));
  if (const JsonValue* const last = find_member(json, "last"))
    state.deed = {moment_of(reader, reader.member(*last, "at")), reader.text(*last, "run"),
                  reader.text(*last, "text")};
  return state;
}

GuardPause pause_of(JsonReader& reader, const JsonValue& json) {
  GuardPause pause{moment_of(reader, reader.member(json, "since"))};
  if (const JsonValue& seconds = reader.member(json, "seconds"); !seconds.IsNull())
    pause.seconds = reader.number(seconds);
  return pause;
}

OwnClosing closing_of(JsonReader& reader, const JsonValue& json) {
  return {reader.text(json, "node"),
          {reader.text(json, "file"), reader.integer<std::uint64_t>(reader.member(json, "offset"))},
          reader.text(json, "set_at")};
}

LastMajority majority_of(JsonReader& reader, const JsonValue& json) {
  LastMajority last{reader.text(json, "node"), moment_of(reader, reader.member(json, "majority")),
                    reader.integer<int>(reader.member(json, "lease_s"))};
  // An older guard writes neither.
  if (find_member(json, "closed")) last.closed = reader.flag(json, "closed");
  if (const JsonValue* const server = find_member(json, "server"))
    last.server = {reader.integer<int>(reader.member(*server, "process")),
                   reader.integer<std::uint64_t>(reader.member(*server, "started"))};
  return last;
}

// Reads what one of our files has, by the function that takes it out of the object; nullopt for
// anything of another format.
template <class Value>
std::optional<Value> parse(std::string_view text, std::string_view format,
                           Value (*take)(JsonReader&, const JsonValue&)) {
  const JsonText json(text);
  JsonReader reader;
  if (json.object() == nullptr || reader.text(*json.object(), "format") != format)
    return std::nullopt;
  Value value = take(reader, *json.object());
  return reader.damaged() ? std::nullopt : std::optional(std::move(value));
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

std::string describe_pause(std::optional<double> left_s, bool with_lease) {
  return fmt::format(
      "the guard is paused{}: it watches and {}; to end that, run: mysql_ha guard resume",
      left_s ? " for " + format_duration(*left_s) : "",
      with_lease ? "changes no roles, keeps the lease and closes a primary that loses it"
                 : "changes nothing");
}

std::string guard_state_to_json(const GuardState& state) {
  JsonWriter json;
  json.begin_object();
  json.field("format", kStateFormat);
  json.field("process", state.process);
  json.key("since");
  write(json, state.since);
  json.field("node", state.node);
  json.field("stopped", state.stopped);
  json.field("manages", state.manages);
  json.field("doing", state.doing);
  json.field("trouble", state.trouble);
  json.field("lease_trouble", state.lease_trouble);
  json.field("missing_votes", state.missing_votes);
  json.field("primary", state.primary);
  json.key("nodes");
  json.begin_array();
  for (const WatchedNode& node : state.nodes) write(json, node);
  json.end_array();
  if (state.deed) {
    json.key("last");
    json.begin_object();
    json.key("at");
    write(json, state.deed->at);
    json.field("run", state.deed->run);
    json.field("text", state.deed->text);
    json.end_object();
  }
  json.end_object();
  return json.take();
}

std::optional<GuardState> parse_guard_state(std::string_view text) {
  return parse(text, kStateFormat, &state_of);
}

namespace {

std::string pause_to_json(const GuardPause& pause) {
  JsonWriter json;
  json.begin_object();
  json.field("format", kPauseFormat);
  json.key("since");
  write(json, pause.since);
  json.field("seconds", pause.seconds);
  json.end_object();
  return json.take();
}

std::string closing_to_json(const OwnClosing& closing) {
  JsonWriter json;
  json.begin_object();
  json.field("format", kClosingFormat);
  json.field("node", closing.node);
  json.field("file", closing.binlog.file);
  json.field("offset", closing.binlog.offset);
  json.field("set_at", closing.set_at);
  json.end_object();
  return json.take();
}

std::string majority_to_json(const LastMajority& last) {
  JsonWriter json;
  json.begin_object();
  json.field("format", kMajorityFormat);
  json.field("node", last.node);
  json.key("majority");
  write(json, last.at);
  json.field("lease_s", last.lease_s);
  json.field("closed", last.closed);
  if (last.server) {
    json.key("server");
    json.begin_object();
    json.field("process", last.server->id);
    json.field("started", last.server->started);
    json.end_object();
  }
  json.end_object();
  return json.take();
}

std::string lock_path(const std::string& directory) { return directory + "/guard.lock"; }
std::string state_path(const std::string& directory) { return directory + "/guard.json"; }
std::string pause_path(const std::string& directory) { return directory + "/guard-paused.json"; }
std::string majority_path(const std::string& directory) { return directory + "/guard-lease.json"; }
std::string closing_path(const std::string& directory) { return directory + "/guard-closed.json"; }

}  // namespace

Result<std::unique_ptr<FileLock>> GuardFiles::lock() { return files_.lock(lock_path(directory_)); }

std::string GuardFiles::holder() const { return files_.lock_holder(lock_path(directory_)); }

Result<std::optional<GuardState>> GuardFiles::read() const {
  const std::string path = state_path(directory_);
  const auto content = files_.read(path);
  if (!content && content.error().code == Errc::kMissing) return std::optional<GuardState>();
  if (!content) return content.error();
  auto state = parse_guard_state(*content);
  if (!state) return Error{Errc::kBadData, path + " is not what a guard of this version writes"};
  return state;
}

Result<Done> GuardFiles::write(const std::string& state) {
  return files_.write_atomic(state_path(directory_), state + "\n");
}

Result<Done> GuardFiles::write_passing(const std::string& state) {
  return files_.write_passing(state_path(directory_), state + "\n");
}

std::optional<GuardPause> GuardFiles::read_pause(const Moment& now) const {
  const std::string path = pause_path(directory_);
  if (files_.info(path).kind == FileInfo::Kind::kMissing) return std::nullopt;
  const auto content = files_.read(path);
  const auto pause = content ? parse(*content, kPauseFormat, &pause_of) : std::nullopt;
  if (!pause) return GuardPause{};
  return pause->is_over(now) ? std::nullopt : pause;
}

Result<Done> GuardFiles::write_pause(const GuardPause& pause) {
  return files_.write_atomic(pause_path(directory_), pause_to_json(pause) + "\n");
}

Result<Done> GuardFiles::end_pause() { return files_.remove(pause_path(directory_)); }

std::optional<OwnClosing> GuardFiles::read_closing() const {
  const auto content = files_.read(closing_path(directory_));
  return content ? parse(*content, kClosingFormat, &closing_of) : std::nullopt;
}

std::optional<OwnClosing> GuardFiles::find_reopenable(const Moment& now) const {
  return read_pause(now) ? std::nullopt : read_closing();
}

Result<Done> GuardFiles::write_closing(const OwnClosing& closing) {
  return files_.write_atomic(closing_path(directory_), closing_to_json(closing) + "\n");
}

Result<Done> GuardFiles::forget_closing() { return files_.remove(closing_path(directory_)); }

std::optional<LastMajority> GuardFiles::read_majority() const {
  const auto content = files_.read(majority_path(directory_));
  return content ? parse(*content, kMajorityFormat, &majority_of) : std::nullopt;
}

Result<Done> GuardFiles::write_majority(const LastMajority& last) {
  return files_.write_passing(majority_path(directory_), majority_to_json(last) + "\n");
}

GuardReport read_guard(Files& files, const std::string& directory, const Moment& now) {
  const GuardFiles guard(files, directory);
  GuardReport report{.pause = guard.read_pause(now)};
  if (auto state = guard.read())
    report.state = *std::move(state);
  else
    report.unread = state.error().text;
  report.missing = report.state && !report.state->stopped && guard.holder().empty();
  return report;
}

std::vector<std::string> find_guard_troubles(const GuardReport& report, bool with_lease) {
  std::vector<std::string> troubles;
  if (report.missing)
    troubles.push_back(
        fmt::format("the guard (process {}) has ended and was not stopped; to start it again, run: "
                    "mysql_ha guard",
                    report.state->process));
  if (!report.unread.empty())
    troubles.push_back("how the guard is, is not known: " + report.unread);
  // A check says the same for as long as it lasts.
  if (report.pause) troubles.push_back(describe_pause(std::nullopt, with_lease));
  return troubles;
}

std::optional<std::vector<std::string>> look_for_guard_troubles(Files& files,
                                                                const std::string& directory,
                                                                const Moment& now,
                                                                bool with_lease) {
  // What may not be read there would look like a pause.
  if (const auto ours = files.check_private_directory(directory); !ours)
    return ours.error().code == Errc::kMissing ? std::optional(std::vector<std::string>())
                                               : std::nullopt;
  return find_guard_troubles(read_guard(files, directory, now), with_lease);
}

}  // namespace ha
