// SPDX-License-Identifier: MIT
// mysql_ha guard status: what the guard of this state directory sees and does.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/context/guard_files.h"
#include "common/exit_code.h"
#include "common/text.h"
#include "common/time_text.h"
#include "plugins/mysql_ha.h"

namespace ha {

namespace {

using Json = nlohmann::ordered_json;

struct GuardView {
  GuardReport report;
  std::string holder;  // of the lock of a guard; empty: none is seen
  Moment now;
  bool with_lease;

  bool running() const { return !holder.empty(); }
  // Where its state may not be read, its lock may not be seen either.
  bool known() const { return running() || report.unread.empty(); }
};

// Returns why nothing guards the cluster.
std::string describe_absence(const GuardView& view) {
  if (!view.report.state) return "no guard was started with this state directory";
  return view.report.missing
             ? fmt::format("the guard does not run, and was not stopped: process {} has ended",
                           view.report.state->process)
             : "the guard does not run: it was stopped";
}

std::string summarize(const GuardView& view) {
  const std::string& unread = view.report.unread;
  if (!view.known())
    return fmt::format(
        "it is not known whether a guard runs: {}; run this as the user of the guard", unread);
  if (!view.running())
    return describe_absence(view) + "; to guard the cluster, run: mysql_ha guard";
  if (!unread.empty())
    return fmt::format("a guard runs ({}), and what it sees is not known: {}", view.holder, unread);
  if (!view.report.state) return "a guard is being started";
  const GuardState& state = *view.report.state;
  return fmt::format(
      "the guard runs (process {}, since {}): {}; {}", state.process,
      format_local_time(state.since.now_s), state.doing,
      state.primary.empty() ? "the primary is not known" : "the primary is " + state.primary);
}

std::vector<std::string> detail(const GuardView& view) {
  std::vector<std::string> lines;
  if (view.report.pause)
    lines.push_back(describe_pause(view.report.pause->left_s(view.now), view.with_lease));
  if (!view.report.state) return lines;
  const GuardState& state = *view.report.state;
  if (view.running()) {
    if (!state.trouble.empty()) lines.push_back(state.trouble);
    if (!state.lease_trouble.empty()) lines.push_back(state.lease_trouble);
    if (!state.missing_votes.empty())
      lines.push_back("votes of the lease that this guard cannot have: " + state.missing_votes);
    for (const WatchedNode& node : state.nodes) lines.push_back(describe(node));
  }
  if (state.deed)
    lines.push_back(fmt::format("last change, {}, run {}: {}",
                                format_local_time(state.deed->at.now_s), state.deed->run,
                                state.deed->text));
  return lines;
}

Json pause_json(const GuardView& view) {
  if (!view.report.pause) return nullptr;
  const auto left = view.report.pause->left_s(view.now);
  return {{"since_s", view.report.pause->since.now_s}, {"left_s", left ? Json(*left) : Json()}};
}

Json last_json(const GuardState& state) {
  if (!state.deed) return nullptr;
  return {{"at_s", state.deed->at.now_s},
          {"run", sanitize(state.deed->run)},
          {"text", sanitize(state.deed->text)}};
}

std::string render_json(const GuardView& view) {
  // What a guard that has ended wrote last tells nothing of now.
  const auto now = [&](const std::string& text) {
    return view.running() ? Json(sanitize(text)) : Json();
  };
  Json json = {{"running", view.known() ? Json(view.running()) : Json()},
               {"paused", pause_json(view)}};
  if (!view.report.unread.empty()) json["unread"] = sanitize(view.report.unread);
  if (view.report.state) {
    const GuardState& state = *view.report.state;
    json["process"] = state.process;
    json["since_s"] = state.since.now_s;
    json["node"] = state.node;
    json["manages"] = state.manages;
    json["state"] = view.running() ? state.doing : view.report.missing ? "gone" : "stopped";
    json["trouble"] = now(state.trouble);
    json["lease_trouble"] = now(state.lease_trouble);
    json["missing_votes"] = now(state.missing_votes);
    json["primary"] = state.primary;
    json["nodes"] = Json::array();
    for (const WatchedNode& node : state.nodes)
      json["nodes"].push_back({{"name", node.name},
                               {"life", life_name(node.life)},
                               {"read_only", node.read_only ? Json(*node.read_only) : Json()},
                               {"error", sanitize(node.error)}});
    json["last"] = last_json(state);
  }
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

int rate(const GuardView& view) {
  if (!view.running()) return kExitFailed;
  const auto& state = view.report.state;
  const bool well = state && state->manages && state->trouble.empty() &&
                    state->lease_trouble.empty() && !view.report.pause;
  return well ? kExitDone : kExitWarnings;
}

}  // namespace

int show_guard(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  const std::string directory = options.failover.cluster_directory();
  const Moment now = env.clock.moment();
  const GuardView view{read_guard(env.files, directory, now),
                       GuardFiles(env.files, directory).holder(), now,
                       options.failover.lease.lease_s > 0};
  if (!options.json) return cli.finish(rate(view), summarize(view), detail(view));
  print_lines(render_json(view));
  return rate(view);
}

}  // namespace ha
