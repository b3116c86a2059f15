// SPDX-License-Identifier: MIT
#include "common/engine/engine_access.h"

#include <fmt/format.h>
#include <signal.h>
#include <syslog.h>

#include <cerrno>

#include "common/engine/command_pipe.h"
#include "common/engine/query_handler.h"
#include "common/text.h"

namespace ha {

namespace {

Result<Done> run(const EngineStep& step, Process& process, const Deadline& deadline) {
  const auto outcome = process.run({step.argv}, deadline);
  if (!outcome) return outcome.error();
  if (outcome->succeeded()) return Done{};
  std::string text = step.argv[0] + " " + describe(*outcome);
  if (const std::string said = sanitize(trim(outcome->output)); !said.empty())
    text += ": " + shorten(said, 300);
  return Error{Errc::kInternal, text};
}

// Says what was done without the arguments of commands, which may hold secrets.
std::string log_text(const EngineStep& step) {
  if (step.kind == EngineStep::Kind::kRun) return "ran " + step.argv[0];
  return fmt::format("sent '{}' to {}", step.text, step.target);
}

void probe_status_file(const std::string& path, EngineKind kind, EngineView& view) {
  const auto file = read_status_dat(path);
  if (!file) {
    view.trouble = file.error().text;
    // Engines unlink it when they are stopped.
    if (file.error().code == Errc::kMissing) view.running = false;
    return;
  }
  view.version = file->version;
  view.created = file->status.created;
  view.flags = file->status.flags;
  view.reads_commands_late = reads_commands_late(kind, file->status.version);
  if (!file->status.complete) view.trouble = path + " ends before its programstatus block does";
  view.writer = file->status.pid;
  if (const auto pid = file->status.pid; pid && *pid > 0)
    view.running = kill(static_cast<pid_t>(*pid), 0) == 0 || errno == EPERM;
}

}  // namespace

EngineMeans LocalEngine::means() const {
  return {!sources_.status_file.empty(), sources_.api.has_value(), !sources_.verify_command.empty(),
          sources_.acknowledged};
}

Result<Done> LocalEngine::perform(const EngineStep& step, const Deadline& deadline) {
  const auto done = [&]() -> Result<Done> {
    switch (step.kind) {
      case EngineStep::Kind::kCommandFile:
        return write_command(step.target, step.text);
      case EngineStep::Kind::kQueryHandler:
        return run_query_handler_command(step.target, step.text, deadline);
      case EngineStep::Kind::kApi:
        return set_icinga2_attributes(*sources_.api, step.text, deadline);
      case EngineStep::Kind::kRun:
        break;
    }
    return run(step, process_, deadline);
  }();
  if (done) syslog(LOG_DAEMON | LOG_NOTICE, "%s", log_text(step).c_str());
  return done;
}

std::optional<FileVersion> LocalEngine::status_version() const {
  if (sources_.status_file.empty()) return std::nullopt;
  const auto file = read_status_dat(sources_.status_file);
  return file ? std::optional(file->version) : std::nullopt;
}

std::string LocalEngine::find_conflict(const EngineView& view) {
  if (!view.writer) return "";
  if (judged_ != view.version) {
    writers_.add(*view.writer);
    conflict_ = writers_.conflict();
    judged_ = view.version;
  }
  return conflict_;
}

EngineView LocalEngine::probe(Role wanted, const Deadline& deadline) {
  EngineView view;
  if (!sources_.status_file.empty()) probe_status_file(sources_.status_file, sources_.kind, view);
  if (std::string conflict = find_conflict(view); !conflict.empty()) {
    view.trouble = std::move(conflict);
    view.created.reset();  // it may show the flags of either, so they prove nothing
  }
  if (sources_.api) {
    if (const auto flags = read_icinga2_flags(*sources_.api, deadline))
      view.flags = *flags;
    else
      view.trouble = flags.error().text;
  }
  if (!sources_.verify_command.empty()) {
    const auto outcome = process_.run(
        {sources_.verify_command, {{"HA_ROLE", std::string(role_name(wanted))}}}, deadline);
    if (outcome)
      view.role_holds = outcome->succeeded();
    else
      view.trouble = outcome.error().text;
  }
  return view;
}

}  // namespace ha
