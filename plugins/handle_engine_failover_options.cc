// SPDX-License-Identifier: MIT
#include "plugins/handle_engine_failover_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include "common/text.h"

namespace ha {

namespace {

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

// What takes the place of an event.
void add_modes(Cli& cli, HandlerOptions& options) {
  cli.flag("--reassert", options.reassert,
           "without an event: give the engine the role on record again, after its start");
  cli.flag("--activate", options.activate,
           "without an event: activate the engine by hand, on record; no event undoes it");
  cli.flag("--deactivate", options.deactivate,
           "without an event: deactivate the engine again; the next problem may activate it");
  cli.flag("--dry-run", options.dry_run, "print what would be done and do nothing");
}

void add_engine(Cli& cli, HandlerOptions& options) {
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
                          options.control.scope,
                          "what the role is made of: notifications (default), checks or all");
}

// How the engine gets its commands.
void add_access(Cli& cli, HandlerOptions& options) {
  EngineControl& control = options.control;
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
}

void add_verification(Cli& cli, HandlerOptions& options) {
  add_path(cli, "--status-file", "PATH", options.status_file,
           "status.dat of the engine: verify by it");
  cli.command("--verify-command", options.verify_command,
              "verify by it: exits with 0 when the engine has the role in $HA_ROLE, active or "
              "standby");
  cli.seconds("--verify-timeout", options.verify_timeout_s,
              "how long to wait for the engine to obey (default: 15)");
  add_path(cli, "--state-dir", "DIR", options.state_dir,
           "remember activations here, so that a deactivation undoes only what they did");
}

// What takes the place of an event needs the record, and stands alone.
std::string find_mistaken_mode(const HandlerOptions& options) {
  std::vector<std::string> modes;
  if (options.reassert) modes.emplace_back("--reassert");
  if (options.activate) modes.emplace_back("--activate");
  if (options.deactivate) modes.emplace_back("--deactivate");
  if (modes.empty()) return "";
  if (options.state_dir.empty()) return modes[0] + " needs --state-dir";
  if (options.event.state) modes.emplace_back("--state");
  return modes.size() > 1 ? join(modes, " and ") + ": give one of them" : "";
}

// Returns what is wrong with the ways to reach the engine, or an empty string.
std::string find_mistaken_access(const HandlerOptions& options) {
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
  return "";
}

}  // namespace

void add_handler_options(Cli& cli, HandlerOptions& options) {
  add_event_options(cli, options.event);
  add_modes(cli, options);
  const std::size_t first = cli.count_options();
  add_engine(cli, options);
  add_access(cli, options);
  add_verification(cli, options);
  add_notify_options(cli, options.notify);
  cli.repeat_own_options(first);
}

std::string find_mistake(const HandlerOptions& options) {
  if (const std::string mistake = find_mistaken_access(options); !mistake.empty()) return mistake;
  if (const std::string mistake = find_mistaken_mode(options); !mistake.empty()) return mistake;
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0)
    return "--ca-cert: cannot read " + options.ca_file;
  return "";
}

Result<LocalEngine::Sources> make_sources(const HandlerOptions& options) {
  LocalEngine::Sources sources{options.status_file,
                               {},
                               options.verify_command,
                               !options.control.query_handler.empty(),
                               *options.kind};
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

}  // namespace ha
