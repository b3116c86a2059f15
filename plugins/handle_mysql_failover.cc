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
#include "common/repair/repair.h"
#include "plugins/repair_options.h"

namespace ha {

namespace {

// Of the budget, for rolling back what was done when it ends.
double reserve_s(double budget_s) { return std::min(15.0, budget_s / 3); }

struct HandlerOptions {
  EventMacros event = {};
  FailoverOptions failover = {};
  NotifyOptions notify = {};
  RepairOptions repair = {.scope = RepairScope::kReplaced};
  bool autofix = false, dry_run = false;
};

void add_options(Cli& cli, HandlerOptions& options) {
  add_event_options(cli, options.event);
  add_failover_options(cli, options.failover);
  add_notify_options(cli, options.notify);
  cli.flag("--autofix", options.autofix,
           "where no replica has to be promoted: repair, as mysql_ha repair does");
  add_copy_options(cli, options.repair.resync);
  add_merge_table_options(cli, options.repair.merge);
  cli.flag("--dry-run", options.dry_run, "print the plan and do nothing");
}

Result<Done> complete(const Cli& cli, HandlerOptions& options) {
  if (const auto done = complete_failover_options(cli, options.failover); !done) return done;
  if (const auto usable = check_notify_options(options.notify); !usable) return usable;
  options.autofix = options.autofix || options.failover.cluster.autofix;
  std::string& database = options.repair.merge.database;
  if (database.empty()) database = options.failover.cluster.console_database;
  return options.autofix ? check_repair_options(options.repair) : Done{};
}

int print_plan(const Env& env, const Cli& cli, const HandlerOptions& options) {
  Plan plan = plan_now(env, options.failover, "");
  complete_texts(cli, plan);
  print_lines(render(plan));
  if (!options.autofix || plan.changes_primary()) return plan.possible() ? kExitDone : kExitFailed;
  const auto repair = plan_repair(env, options.failover, options.repair);
  if (!repair) return cli.finish(kExitFailed, repair.error().text);
  print_lines(cli.complete(render(*repair)));
  return repair->possible() ? kExitDone : kExitFailed;
}

// The failover comes first: what has to be repaired can wait for it. The repair follows one that
// was refused, for perhaps no replica has to be promoted, or that has only closed another writer.
FailoverOutcome act(const Env& env, const HandlerOptions& options, Reporter& reporter) {
  const Log log = reporter.log();
  const FailoverOutcome failover = run_failover(env, options.failover, "", log);
  const bool closed =
      failover.command == PlanCommand::kClose && failover.end != FailoverEnd::kRefused;
  if (!options.autofix || (!closed && !failover.run_id.empty())) return failover;
  const auto tell = [&](const FailoverOutcome& outcome) { reporter.tell(options.notify, outcome); };
  if (closed) tell(failover);
  const RepairReport report = run_repair(env, options.failover, options.repair, log, tell);
  const bool counts = closed ? !report.outcome.run_id.empty() : report.needed;
  return counts ? report.outcome : failover;
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  HandlerOptions options;
  Cli cli(clock, "handle_mysql_failover",
          "Promotes a replica of a dead primary, on an event of a monitoring engine.",
          Cli::Kind::kHandler);
  add_options(cli, options);
  if (const auto clean = refuse_control_bytes(arguments.words()); !clean)
    return cli.usage_error(clean.error().text);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (const auto completed = complete(cli, options); !completed)
    return cli.usage_error(completed.error().text);
  const auto gate = judge_event(options.event);
  if (!gate) return cli.usage_error(gate.error().text);
  if (gate->meaning != EventMeaning::kActivate)
    return cli.finish(kExitDone, fmt::format("nothing to do on {}", gate->event));

  const Env env = posix_env(clock);
  if (options.dry_run) return print_plan(env, cli, options);
  options.failover.deadline_s =
      std::min(options.failover.deadline_s, cli.timeout_s() - reserve_s(cli.timeout_s()));
  cli.waiting_for("the failover, which the next run resumes (see mysql_ha journal)");
  openlog("handle_mysql_failover", LOG_PID, LOG_DAEMON);
  clock.heed_stop_signals();
  Reporter reporter(cli, clock);
  return reporter.finish(options.notify, act(env, options, reporter));
}

}  // namespace ha
