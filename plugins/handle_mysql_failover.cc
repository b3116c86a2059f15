// SPDX-License-Identifier: MIT
// handle_mysql_failover: promotes a replica when the primary's check finds it dead.

#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>

#include "common/cli.h"
#include "common/cluster/options.h"
#include "common/context/posix_env.h"
#include "common/engine/gate.h"
#include "common/execute/failover.h"
#include "common/execute/reporter.h"
#include "common/exit_code.h"

namespace ha {

namespace {

// Of the budget, for rolling back what was done when it ends.
double reserve_s(double budget_s) { return std::min(15.0, budget_s / 3); }

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  EventMacros event;
  FailoverOptions options;
  NotifyOptions notify;
  bool dry_run = false;
  Cli cli(clock, "handle_mysql_failover",
          "Promotes a replica of a dead primary, on an event of a monitoring engine.",
          Cli::Kind::kHandler);
  add_event_options(cli, event);
  add_failover_options(cli, options);
  add_notify_options(cli, notify);
  cli.flag("--dry-run", dry_run, "print the plan and do nothing");
  if (const auto clean = refuse_control_bytes(arguments.words()); !clean)
    return cli.usage_error(clean.error().text);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (const auto complete = complete_failover_options(cli, options); !complete)
    return cli.usage_error(complete.error().text);
  if (const auto usable = check_notify_options(notify); !usable)
    return cli.usage_error(usable.error().text);
  const auto gate = judge_event(event);
  if (!gate) return cli.usage_error(gate.error().text);
  if (gate->meaning != EventMeaning::kActivate)
    return cli.finish(kExitDone, fmt::format("nothing to do on {}", gate->event));

  const Env env = posix_env(clock);
  if (dry_run) {
    Plan plan = plan_now(env, options, "");
    complete_texts(cli, plan);
    print_lines(render(plan));
    return plan.possible() ? kExitDone : kExitFailed;
  }
  options.deadline_s = std::min(options.deadline_s, cli.timeout_s() - reserve_s(cli.timeout_s()));
  cli.waiting_for("the failover, which the next run resumes (see mysql_ha journal)");
  openlog("handle_mysql_failover", LOG_PID, LOG_DAEMON);
  clock.heed_stop_signals();
  Reporter reporter(cli, clock);
  return reporter.finish(notify, run_failover(env, options, "", reporter.log()));
}

}  // namespace ha
