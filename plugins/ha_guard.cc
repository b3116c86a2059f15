// SPDX-License-Identifier: MIT
// ha_guard: the soft/hard state logic of an engine where none runs (cold standby).

#include <fmt/format.h>

#include <cstdio>

#include "common/cli.h"
#include "common/files.h"
#include "common/guard.h"
#include "common/lock_file.h"
#include "common/posix_files.h"
#include "common/posix_process.h"
#include "common/text.h"
#include "common/version.h"

namespace ha {

namespace {

constexpr char kNameRule[] = "needs letters, digits, '.', '_' or '-'";

void add_steps(Cli& cli, const char* name, std::vector<GuardStep>& steps, const char* help) {
  cli.option(
      name, "COMMAND",
      [&steps](const std::string& value) -> Result<Done> {
        auto step = parse_step(value);
        if (!step) return step.error();
        steps.push_back(std::move(*step));
        return Done{};
      },
      help);
}

void add_guard_options(Cli& cli, GuardConfig& config, bool& daemon) {
  cli.option(
      "--name", "NAME",
      [&config](const std::string& value) -> Result<Done> {
        if (!is_file_name(value)) return Error{Errc::kUsage, kNameRule};
        config.name = value;
        return Done{};
      },
      "name of this guard; two of one name never run at once (default: the name of the --config "
      "file, without its ending)");
  cli.command("--check", config.check,
              "the command whose exit code shows whether the other node is well");
  cli.seconds("--check-timeout", config.check_timeout_s, "time for one check (default: 10)");
  cli.count("--retries", config.retries, 1, 1000,
            "failed attempts in all before acting (default: 3)");
  cli.seconds("--retry-interval", config.retry_interval_s,
              "wait between two attempts (default: 10)");
  cli.option(
      "--fail-on", "LIST",
      [&config](const std::string& value) { return parse_fail_on(value, config); },
      "what counts as failed (default: critical,timeout,255)");
  add_steps(
      cli, "--on-failure", config.on_failure,
      "step of the failover, in order; a failing step stops the rest unless it starts with -");
  add_steps(cli, "--on-recovery", config.on_recovery,
            "step when the check is well again; only without a lock file");
  add_steps(cli, "--while-healthy", config.while_healthy,
            "step of every healthy pass, e.g. rsync of the event log");
  cli.seconds("--command-timeout", config.command_timeout_s, "time for one step (default: 60)");
  cli.text("--lock-file", "PATH", config.lock_file,
           "written after a failover; the guard is silent until it is removed");
  cli.text("--state-dir", "DIR", config.state_directory,
           fmt::format("directory of the journal (default: {})", kStatedir).c_str());
  cli.seconds("--interval", config.interval_s, "time between two passes of a daemon (default: 60)");
  cli.flag("--daemon", daemon, "stay and make a pass every interval");
}

// "/etc/ha/guard.conf" becomes "guard": as many guards as there are files, each with its own state.
std::string default_name(const std::string& config_path) {
  const std::string name = config_path.substr(config_path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

// Returns what is wrong with the configuration as a whole, "" when nothing is.
std::string find_conflict(const GuardConfig& config) {
  if (!is_file_name(config.name)) return fmt::format("--name: {}", kNameRule);
  if (config.check.empty()) return "--check: needs a command";
  if (!config.lock_file.empty() && !config.on_recovery.empty())
    return "--on-recovery: never runs with --lock-file; remove one of the two";
  return "";
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  GuardConfig config;
  config.state_directory = kStatedir;
  bool daemon = false;
  Cli cli(clock, "ha_guard",
          "Runs a check and, when it has failed for good, the steps of a failover, each once.",
          Cli::Kind::kTool);
  add_guard_options(cli, config, daemon);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (config.name.empty()) config.name = default_name(cli.config_path());
  if (const std::string conflict = find_conflict(config); !conflict.empty())
    return cli.usage_error(conflict);

  if (const auto made = make_private_directory(config.state_directory); !made)
    return cli.usage_error("--state-dir: " + made.error().text);
  const std::string path = config.state_directory + "/" + config.name;
  const auto lock = LockFile::open(path + ".lock");
  if (!lock) return cli.usage_error("--state-dir: " + lock.error().text);
  if (!lock->take())
    return cli.finish(kExitDone, fmt::format("another guard '{}' is running", config.name));
  PosixFiles files;
  auto journal = Journal::open(files, path + ".journal");
  if (!journal) return cli.usage_error("--state-dir: " + journal.error().text);

  PosixProcess process;
  clock.heed_stop_signals();
  const std::function<void(const std::string&)> log = [&config](const std::string& line) {
    print_lines(fmt::format("{}: {}\n", config.name, printable(line)));
  };
  for (;;) {
    const GuardOutcome outcome = run_pass(config, *journal, process, clock, log);
    if (cli.verbosity() > 0 && outcome == GuardOutcome::kDone) log("pass done");
    if (!daemon) return static_cast<int>(outcome);
    if (!clock.sleep(config.interval_s)) return kExitDone;
  }
}

}  // namespace ha
