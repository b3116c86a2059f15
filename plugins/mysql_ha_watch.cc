// SPDX-License-Identifier: MIT
// mysql_ha status: the cluster as it is now, once or again and again.
#include <fmt/format.h>

#include "common/exit_code.h"
#include "common/text.h"
#include "common/time_text.h"
#include "plugins/mysql_ha.h"
#include "plugins/mysql_ha_screen.h"
#include "plugins/mysql_ha_status.h"

namespace ha {

namespace {

int exit_code(State state) {
  return state == State::kOk ? kExitDone : state == State::kCritical ? kExitFailed : kExitWarnings;
}

std::string watch_heading(const Env& env, const MysqlHaOptions& options) {
  return fmt::format("{}  {}  every {}\n\n", options.failover.cluster_name,
                     format_local_time(env.clock.now_s()),
                     format_duration(options.watch_interval_s()));
}

int watch(const Env& env, const MysqlHaOptions& options) {
  static Screen screen;
  for (;;) {
    const Deadline next = Deadline::after(env.clock, options.watch_interval_s());
    const Status status = read_status(env, options.failover);
    const std::string frame =
        options.json ? render_json(status)
                     : watch_heading(env, options) + render_text(status, wanted_colours());
    if (!screen.draw(frame, exit_code(status.state))) return exit_code(status.state);
    env.clock.pause(next.remaining_s());
  }
}

}  // namespace

int run_status(const Env& env, const Cli&, const MysqlHaOptions& options) {
  if (options.watch) return watch(env, options);
  const Status status = read_status(env, options.failover);
  fmt::print("{}", options.json ? render_json(status) : render_text(status, wanted_colours()));
  return exit_code(status.state);
}

}  // namespace ha
