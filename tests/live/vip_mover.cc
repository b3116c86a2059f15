// SPDX-License-Identifier: MIT
// Moves a virtual IP as a failover does; the live tests drive it.

#include <fmt/format.h>

#include "common/cli.h"
#include "common/posix_process.h"
#include "common/process.h"
#include "common/vip/move.h"
#include "common/vip/vip_options.h"

int main(int argc, char** argv) {
  constexpr int kDone = 0, kFailed = 2;
  ha::VipOptions vip;
  std::string host, verb;
  ha::SystemClock clock;
  ha::Cli cli(clock, "vip_mover", "Moves a virtual IP address.", ha::Cli::Kind::kHandler);
  cli.choice<std::string>("--do", {{"take", "take"}, {"drop", "drop"}}, verb, "what to do");
  cli.text("--host", "HOST", host, "where (default: here)");
  ha::add_vip_options(cli, vip);
  if (const auto exit_code = cli.parse({argc, argv})) return *exit_code;
  if (const auto completed = ha::complete_vip(vip); !completed)
    return cli.usage_error(completed.error().text);
  ha::PosixProcess process;
  const auto machine = ha::open_vip_host(vip, host, process, cli.deadline());
  const auto done = verb == "take" ? ha::take_vip(vip, *machine, clock, cli.deadline())
                                   : ha::drop_vip(vip, *machine);
  return done ? cli.finish(kDone, "done") : cli.finish(kFailed, done.error().text);
}
