// SPDX-License-Identifier: MIT
// Copying by a command of the operator's, which replaces the files of a server and starts it again.
#include <fmt/format.h>

#include <algorithm>

#include "common/context/operator_program.h"
#include "common/execute/failure.h"
#include "common/mysql/replica_status.h"
#include "common/resync/copier.h"
#include "common/resync/dump.h"
#include "common/text.h"

namespace ha {

Result<BinlogPosition> Copier::run_command(const std::string& path) {
  if (const auto begun = target_.begin(); !begun) return begun.error();
  if (const auto copied = copy_by_command(path); !copied) return copied.error();
  if (const auto started = verifier_.start_counting(); !started) return started.error();
  const auto printed = env_.files.read(path);
  if (!printed) return printed.error();
  auto moment = parse_moment(*printed);
  if (!moment) return moment.error();
  if (const auto known = complete_gtids(*moment); !known) return known.error();
  const auto session = sessions_.await_target();
  if (!session) return session.error();
  const auto half = is_half_copied(**session);
  if (!half) return half.error();
  if (*half) return failure("the command has not replaced the data of " + task_.to.name);
  if (const auto idle = expect_idle(**session); !idle) return idle.error();
  if (const auto taken = target_.take_over(*session); !taken) return taken.error();
  if (const auto same = verifier_.verify(moment->position); !same) return same.error();
  if (const auto finished = finish(*moment); !finished) return finished.error();
  return moment->position;
}

Result<Done> Copier::expect_idle(SqlSession& session) {
  const auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  const auto scheduler = query_value(session, "SELECT @@GLOBAL.event_scheduler");
  if (!scheduler) return scheduler.error();
  const bool replicates = std::ranges::any_of(*channels, [](const ChannelStatus& channel) {
    return channel.io.running() || channel.sql.running();
  });
  if (replicates || *scheduler == "ON")
    return failure(
        "it replicates or runs events already: the command has to start it with "
        "--skip-slave-start (MySQL: --skip-replica-start) and --event-scheduler=OFF");
  return Done{};
}

Result<Done> Copier::copy_by_command(const std::string& path) {
  Command command{resync_.copy_command, {{"HA_COMMAND", "resync"}}, path};
  describe_node(command, "SOURCE", task_.from);
  describe_node(command, "TARGET", task_.to);
  command.ends_with_us = true;
  command.may_go_on = [&] {
    return watch_.go_on([&] { return "copying for " + format_duration(watch_.elapsed_s()); });
  };
  const auto outcome = env_.process.run(command, watch_.deadline());
  if (!outcome) return outcome.error();
  if (watch_.ended()) return *watch_.ended();
  if (!outcome->succeeded()) return failure(describe_end(command.argv, *outcome));
  return Done{};
}

}  // namespace ha
