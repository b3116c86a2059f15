// SPDX-License-Identifier: MIT
// mysql_ha repair: several writers, or a broken replica, become one primary with replicas.
#include "common/execute/reporter.h"
#include "common/exit_code.h"
#include "plugins/mysql_ha.h"

namespace ha {

namespace {

RepairOptions repair_options(const MysqlHaOptions& options) {
  RepairOptions repair{options.winner, RepairScope::kAll, options.resync, options.merge};
  // A repair gives up no transaction, whatever a file says of resyncs.
  repair.resync.extra_transactions = ExtraTransactions::kSave;
  return repair;
}

int print_repair(const Cli& cli, Repair repair, bool as_json) {
  repair.reason = cli.complete(repair.reason);
  for (RepairTask& task : repair.tasks) task.why = cli.complete(task.why);
  for (Rejection& one : repair.left) one.reason = cli.complete(one.reason);
  print_lines(as_json ? repair_to_json(repair) + "\n" : render(repair));
  return repair.possible() ? kExitDone : kExitFailed;
}

}  // namespace

Result<Done> complete_repair(const MysqlHaOptions& options) {
  return check_repair_options(repair_options(options));
}

int run_repair_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  const RepairOptions repair = repair_options(options);
  if (options.dry_run) {
    const auto planned = plan_repair(env, options.failover, repair);
    if (!planned) return cli.finish(kExitFailed, planned.error().text);
    return print_repair(cli, *planned, options.json);
  }
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  const auto tell = [&](const FailoverOutcome& outcome) { reporter.tell(options.notify, outcome); };
  return reporter.finish(options.notify,
                         run_repair(env, options.failover, repair, reporter.log(), tell).outcome);
}

}  // namespace ha
