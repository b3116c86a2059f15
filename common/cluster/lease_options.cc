// SPDX-License-Identifier: MIT
#include "common/cluster/lease_options.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

// A path that a resident program uses after it has left the operator's directory.
void add_path(Cli& cli, const char* name, std::string& target, const char* help) {
  cli.option(
      name, "PATH",
      [&target](const std::string& value) -> Result<Done> {
        if (!value.starts_with('/'))
          return Error{Errc::kUsage, fmt::format("'{}' is no absolute path", sanitize(value))};
        target = value;
        return Done{};
      },
      help);
}

}  // namespace

void add_lease_time_options(Cli& cli, LeaseOptions& options) {
  cli.option(
      "--lease", "SECONDS",
      [&options](const std::string& value) -> Result<Done> {
        constexpr long long kLeast_s = 2, kMost_s = 3600;
        const auto seconds = parse_integer(value);
        if (!seconds || (*seconds != 0 && (*seconds < kLeast_s || *seconds > kMost_s)))
          return Error{Errc::kUsage,
                       fmt::format("'{}' is no whole number of seconds from {} to {}, or 0",
                                   sanitize(value), kLeast_s, kMost_s)};
        options.lease_s = static_cast<int>(*seconds);
        return Done{};
      },
      "a primary that has heard from no majority of voters for so long takes no writes; needs a "
      "guard beside each node (default: 0, no lease)");
  cli.seconds("--lease-margin", options.margin_s,
              "time before the end of the lease in which the primary is closed (default: 1)");
}

void add_lease_options(Cli& cli, LeaseOptions& options) {
  add_lease_time_options(cli, options);
  add_path(
      cli, "--pid-file", options.pid_file,
      "file with the process id of the server beside the guard (default: as the server tells)");
  cli.command("--kill-command", options.kill_command,
              "command that kills the server beside the guard when it cannot be closed (default: "
              "SIGKILL to its process)");
  add_path(cli, "--watchdog", options.watchdog,
           "watchdog device that resets this machine when the guard is stopped or killed while its "
           "server takes writes, e.g. /dev/watchdog");
}

Result<Done> check_lease_options(const LeaseOptions& options) {
  const auto useless = [](const char* name) {
    return Error{Errc::kUsage, fmt::format("{}: has no effect without --lease", name)};
  };
  if (options.lease_s == 0) {
    if (!options.pid_file.empty()) return useless("--pid-file");
    if (!options.kill_command.empty()) return useless("--kill-command");
    if (!options.watchdog.empty()) return useless("--watchdog");
    return Done{};
  }
  constexpr double kLeastMargin_s = 0.2;
  if (options.margin_s < kLeastMargin_s || options.margin_s > options.lease_s - kLeastMargin_s)
    return Error{
        Errc::kUsage,
        fmt::format("--lease-margin: {} is not between {} and {}, shorter than --lease ({})",
                    format_duration(options.margin_s), format_duration(kLeastMargin_s),
                    format_duration(options.lease_s - kLeastMargin_s),
                    format_duration(options.lease_s))};
  return Done{};
}

}  // namespace ha
