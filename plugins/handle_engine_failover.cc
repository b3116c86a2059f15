// SPDX-License-Identifier: MIT
// handle_engine_failover: makes the monitoring engine of this host, the standby, take over when the
// active one's check says that it is dead, and stand down when it is back.

#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "common/cli.h"
#include "common/engine/engine_access.h"
#include "common/engine/gate.h"
#include "common/engine/role_store.h"
#include "common/http/notify.h"
#include "common/text.h"

namespace ha {

namespace {

enum ExitCode { kDone = 0, kNotVerified = 1, kFailed = 2 };

constexpr double kNotifyBudget_s = 5;
constexpr double kMargin_s = 0.3;  // of the budget, for the words after an exhausted wait

struct HandlerOptions {
  EventMacros event = {};
  bool reassert = false, dry_run = false;
  std::optional<EngineKind> kind = {};
  EngineControl control = {};
  std::string api_credentials = {}, ca_file = {}, api_server_name = {};
  ClientCertificate api_certificate = {};
  std::string status_file = {};
  std::vector<std::string> verify_command = {};
  double verify_timeout_s = 15;
  std::string state_dir = {};
  NotifyOptions notify = {};
};

void add_path(Cli& cli, const char* name, const char* metavar, std::string& target,
              const char* help) {
  cli.option(
      name, metavar,
      [&target](const std::string& value) -> Result<Done> {
        if (value.empty()) return Error{Errc::kUsage, "its value is empty"};
        target = value;
        return Done{};
      },
      help);
}

void add_options(Cli& cli, HandlerOptions& options) {
  EngineControl& control = options.control;
  add_event_options(cli, options.event);
  cli.flag("--reassert", options.reassert,
           "without an event: give the engine the role on record again, after its start");
  cli.option(
      "--engine", "ENGINE",
      [&options](const std::string& value) -> Result<Done> {
        const std::pair<const char*, EngineKind> kinds[] = {{"nagios", EngineKind::kNagios},
                                                            {"naemon", EngineKind::kNaemon},
                                                            {"icinga1", EngineKind::kIcinga1},
                                                            {"icinga2", EngineKind::kIcinga2}};
        for (const auto& [word, kind] : kinds)
          if (value == word) options.kind = kind;
        if (options.kind) return Done{};
        return Error{Errc::kUsage,
                     fmt::format("'{}' is not one of: nagios, naemon, icinga1, icinga2", value)};
      },
      "nagios, naemon, icinga1 or icinga2");
  cli.choice<EngineScope>("--scope",
                          {{"notifications", EngineScope::kNotifications},
                           {"checks", EngineScope::kChecks},
                           {"all", EngineScope::kAll}},
                          control.scope,
                          "what the role is made of: notifications (default), checks or all");
  add_path(cli, "--command-file", "PATH", control.command_file,
           "command pipe of nagios, naemon or icinga1");
  add_path(cli, "--query-handler", "PATH", control.query_handler,
           "query handler socket of naemon, used instead of the pipe: it acknowledges");
  add_path(cli, "--api", "URL", control.api, "API of icinga2, https://HOST:5665");
  add_path(cli, "--api-credentials", "FILE", options.api_credentials,
           "ApiUser: lines username= and password=");
  add_path(cli, "--cert", "FILE", options.api_certificate.certificate,
           "or a client certificate, whose name is the ApiUser's client_cn");
  add_path(cli, "--key", "FILE", options.api_certificate.key, "its key");
  add_path(cli, "--ca-cert", "FILE", options.ca_file,
           "CA certificates that sign the API's (default: the system's)");
  add_path(cli, "--api-server-name", "NAME", options.api_server_name,
           "name in the API's certificate (default: the URL's host)");
  cli.command("--start-command", control.start_command,
              "starts the engine of a cold standby; run without a shell");
  cli.command("--stop-command", control.stop_command, "stops it");
  add_path(cli, "--status-file", "PATH", options.status_file,
           "status.dat of the engine: verify by it");
  cli.command("--verify-command", options.verify_command,
              "verify by it: exits with 0 when the engine has the role in $HA_ROLE, active or "
              "standby");
  cli.seconds("--verify-timeout", options.verify_timeout_s,
              "how long to wait for the engine to obey (default: 15)");
  add_path(cli, "--state-dir", "DIR", options.state_dir,
           "remember take-overs here, so that a stand-down undoes only what they did");
  cli.flag("--dry-run", options.dry_run, "print what would be done and do nothing");
  add_notify_options(cli, options.notify);
}

// Returns what is wrong with the combination of options, or an empty string.
std::string find_mistake(const HandlerOptions& options) {
  const EngineControl& control = options.control;
  const bool icinga2 = options.kind == EngineKind::kIcinga2;
  if (!options.kind) return "--engine is missing (one of: nagios, naemon, icinga1, icinga2)";
  if (icinga2 && (!control.command_file.empty() || !options.status_file.empty()))
    return "--engine icinga2 is controlled and verified by --api, it has no command pipe or "
           "status file";
  if (!icinga2 && !control.api.empty()) return "--api belongs to --engine icinga2";
  if (!control.query_handler.empty() && options.kind != EngineKind::kNaemon)
    return "--query-handler belongs to --engine naemon";
  if (!control.query_handler.empty() && !control.command_file.empty())
    return "--query-handler and --command-file: give one of them";
  if (!control.api.empty() && !control.api.starts_with("https://"))
    return "--api must start with https:// (the password is not sent without TLS)";
  const bool login =
      !options.api_credentials.empty() || !options.api_certificate.certificate.empty();
  if (control.api.empty() == login)
    return "--api and --api-credentials (or --cert and --key) belong together";
  if (!control.has_flags() && control.start_command.empty() && control.stop_command.empty())
    return icinga2 ? "--api is missing (or --start-command and --stop-command)"
                   : "--command-file is missing (or --start-command and --stop-command)";
  if (options.reassert && options.state_dir.empty()) return "--reassert needs --state-dir";
  if (options.reassert && options.event.state) return "--reassert and --state: give one of them";
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0)
    return "--ca-cert: cannot read " + options.ca_file;
  return "";
}

// Names the engine: handlers for equal names share a record and a lock.
std::string engine_name(const EngineControl& control) {
  for (const std::string* place : {&control.command_file, &control.query_handler, &control.api})
    if (!place->empty()) return *place;
  const auto& command =
      control.start_command.empty() ? control.stop_command : control.start_command;
  return join(command, " ");
}

Result<LocalEngine::Sources> make_sources(const HandlerOptions& options) {
  LocalEngine::Sources sources{
      options.status_file, {}, options.verify_command, !options.control.query_handler.empty()};
  if (!options.control.api.empty()) {
    sources.api = Icinga2Api{options.control.api};
    sources.api->ca_file = options.ca_file;
    sources.api->server_name = options.api_server_name;
    if (const auto login =
            set_login(*sources.api, options.api_credentials, options.api_certificate);
        !login)
      return login.error();
  }
  return sources;
}

// One run for one event.
class Handler {
 public:
  Handler(const Cli& cli, const HandlerOptions& options, LocalEngine::Sources sources, Gate gate)
      : cli_(cli),
        options_(options),
        gate_(std::move(gate)),
        engine_(std::move(sources), process_),
        deadline_(Deadline::after(std::max(0.05, cli.deadline().remaining_s() - kMargin_s))) {}

  int dry_run() {
    std::optional<RoleRecord> record;
    if (!options_.state_dir.empty()) {
      const auto read = peek_role_record(options_.state_dir, engine_name(options_.control));
      if (!read) return cli_.finish(kFailed, read.error().text);
      record = *read;
    }
    const RolePlan plan = make_plan(record);
    if (!plan.nothing.empty())
      return cli_.finish(kDone, fmt::format("dry run: {}: {}", title(), plan.nothing));
    std::vector<std::string> lines;
    for (const EngineStep& step : plan.steps) lines.push_back(describe(step));
    return cli_.finish(kDone, fmt::format("dry run: {} would do this:", title()), lines);
  }

  int run() {
    std::optional<RoleRecord> record;
    std::optional<RoleStore> store;
    if (!options_.state_dir.empty()) {
      cli_.waiting_for("another handler for this engine");
      const auto loaded = open_store(store);
      // An engine that nobody can make take over is worse than one that nobody remembers.
      if (!loaded && (role() == Role::kStandby || loaded.error().code == Errc::kRefused))
        return tell(kFailed, fmt::format("{} failed: {}", title(), loaded.error().text));
      if (!store) unrecorded_ = loaded.error().text;
      record = loaded ? *loaded : RoleRecord{};
    }
    cli_.waiting_for("the engine to show its state");
    const RolePlan plan = make_plan(record);
    if (!plan.nothing.empty()) {
      if (store && unrecorded_.empty() && record->role != plan.record.role)
        remember(*store, plan.record);
      return cli_.finish(unrecorded_.empty() ? kDone : kNotVerified,
                         with_record(fmt::format("{}: {}", title(), plan.nothing)));
    }
    return carry_out(plan, store, record);
  }

 private:
  Role role() const {
    if (options_.reassert) return reasserted_;
    return gate_.meaning == EventMeaning::kTakeOver ? Role::kActive : Role::kStandby;
  }

  // "take-over on CRITICAL HARD"
  std::string title() const {
    const char* const what = role() == Role::kActive ? "take-over" : "stand-down";
    return options_.reassert ? fmt::format("{} again, by the record", what)
                             : fmt::format("{} on {}", what, gate_.event);
  }

  Result<RoleRecord> open_store(std::optional<RoleStore>& store) {
    auto opened = RoleStore::open(options_.state_dir, engine_name(options_.control), deadline_);
    if (!opened) return opened.error();
    store.emplace(std::move(*opened));
    return store->load();
  }

  RolePlan make_plan(const std::optional<RoleRecord>& record) {
    if (options_.reassert && record) reasserted_ = record->role;
    // A shorter patience than the run's, so that an engine that hangs leaves time for the deed.
    before_ = engine_.look(
        role(), Deadline::after(std::min(options_.verify_timeout_s, deadline_.remaining_s() / 2)));
    const std::int64_t now = std::time(nullptr);
    const RoleFacts facts = believe(before_, engine_.means(), record ? record->commands_at : 0,
                                    options_.verify_timeout_s, now);
    return plan_role(role(), options_.control, facts, record,
                     options_.reassert ? Undo::kScope : Undo::kTakeOver, now);
  }

  void remember(const RoleStore& store, const RoleRecord& record) {
    if (const auto saved = store.save(record); !saved) unrecorded_ = saved.error().text;
  }

  std::string with_record(std::string text) const {
    if (!unrecorded_.empty()) text += "; not remembered for the stand-down: " + unrecorded_;
    return text;
  }

  int carry_out(const RolePlan& plan, const std::optional<RoleStore>& store,
                const std::optional<RoleRecord>& record) {
    // Before the deed, so that one that is killed in the middle can still be undone. It stays when
    // the deed fails: an engine that gave no answer may still carry out what it was told.
    if (store) {
      RoleRecord intent = plan.role == Role::kActive ? plan.record : *record;
      intent.commands_at = plan.record.commands_at;
      remember(*store, intent);
    }
    cli_.waiting_for("the engine to obey");
    const RoleOutcome outcome =
        change_role(plan, engine_, engine_.means(), before_, options_.verify_timeout_s, deadline_);
    if (store && outcome.end != RoleOutcome::End::kFailed) {
      RoleRecord after = plan.record;
      if (outcome.end == RoleOutcome::End::kVerified) after.commands_at = 0;
      remember(*store, after);
    }
    return tell_outcome(plan, outcome);
  }

  int tell_outcome(const RolePlan& plan, const RoleOutcome& outcome) {
    const std::string change = describe_change(plan);
    std::string text;
    int code = kDone;
    switch (outcome.end) {
      case RoleOutcome::End::kVerified:
        text = fmt::format("{}: {}, verified in {:.1f}s", title(), change, outcome.seconds);
        if (!unrecorded_.empty()) code = kNotVerified;
        break;
      case RoleOutcome::End::kUnverified:
        text = fmt::format("{}: {}, sent but not verified: {}", title(), change, outcome.text);
        code = kNotVerified;
        break;
      case RoleOutcome::End::kFailed:
        text = fmt::format("{} failed: {}", title(), outcome.text);
        if (outcome.steps_done > 0)
          text += fmt::format(" (after {} of {} steps)", outcome.steps_done, plan.steps.size());
        code = kFailed;
        break;
    }
    for (std::size_t i = 0; i < outcome.steps_done; ++i) done_.push_back(describe(plan.steps[i]));
    return tell(code, with_record(text));
  }

  // Tells syslog and people, and prints the last words.
  int tell(int code, const std::string& text) {
    syslog(LOG_DAEMON | (code == kDone ? LOG_NOTICE : LOG_ERR), "%s", sanitize(text).c_str());
    std::vector<std::string> lines = done_;
    if (options_.notify.wanted()) {
      cli_.prepare_last_words(code, text + " (nobody was told of it in time)");
      char host[256] = "";
      gethostname(host, sizeof host - 1);
      const char* const outcome = code == kDone     ? "done"
                                  : code == kFailed ? "failed"
                                                    : "unverified";
      const Notice notice{
          fmt::format("{}: {}", host, text),
          {text},
          {{"host", host}, {"role", std::string(role_name(role()))}, {"outcome", outcome}}};
      for (std::string& failure :
           notify(options_.notify, notice, std::min(kNotifyBudget_s, deadline_.remaining_s())))
        lines.push_back(sanitize(failure));
    }
    return cli_.finish(code, text, lines);
  }

  const Cli& cli_;
  const HandlerOptions& options_;
  Gate gate_;
  PosixProcess process_;
  LocalEngine engine_;
  Deadline deadline_;
  EngineView before_ = {};
  Role reasserted_ = Role::kStandby;
  std::string unrecorded_ = {};         // why the record is not what it should be
  std::vector<std::string> done_ = {};  // the steps, for people
};

}  // namespace

int plugin_main(const std::vector<std::string>& args) {
  HandlerOptions options;
  Cli cli("handle_engine_failover",
          "Makes the local monitoring engine take over or stand down on an event.",
          Cli::Kind::kHandler);
  add_options(cli, options);
  if (const auto clean = refuse_control_bytes(args); !clean)
    return cli.usage_error(clean.error().text);
  if (const auto exit_code = cli.parse(args)) return *exit_code;
  if (const std::string mistake = find_mistake(options); !mistake.empty())
    return cli.usage_error(mistake);
  if (const auto usable = check_notify_options(options.notify); !usable)
    return cli.usage_error(usable.error().text);
  auto sources = make_sources(options);
  if (!sources) return cli.usage_error(sources.error().text);
  options.control.kind = *options.kind;

  Gate gate;
  if (!options.reassert) {
    const auto judged = judge_event(options.event);
    if (!judged) return cli.usage_error(judged.error().text);
    gate = *judged;
    if (gate.meaning == EventMeaning::kNothing)
      return cli.finish(kDone, fmt::format("nothing to do on {}", gate.event));
  }
  openlog("handle_engine_failover", LOG_PID, LOG_DAEMON);
  Handler handler(cli, options, std::move(*sources), gate);
  return options.dry_run ? handler.dry_run() : handler.run();
}

}  // namespace ha
