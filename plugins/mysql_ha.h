// SPDX-License-Identifier: MIT
// The commands of mysql_ha. Each returns the exit code (common/exit_code.h).

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/cli.h"
#include "common/cluster/options.h"
#include "common/execute/failover.h"
#include "common/execute/guard.h"
#include "common/http/notify.h"
#include "common/merge/merge.h"
#include "common/merge/saved_file.h"
#include "common/repair/repair.h"
#include "common/resync/resync.h"

namespace ha {

struct MysqlHaOptions {
  FailoverOptions failover = {};
  NotifyOptions notify = {};
  std::vector<std::string> words = {};  // the command and what it is about
  std::string assume_dead = {};         // plan
  std::string plan_hash = {};           // failover
  std::string to = {};                  // switchover, merge
  ResyncOptions resync = {};
  MergeOptions merge = {};
  SavedOptions saved = {};  // journal extra
  std::string winner = {};  // repair
  bool dry_run = false;     // merge, journal extra, repair
  GuardOptions guard = {};
  bool json = false;                      // status, plan, repair, journal, guard status
  bool watch = false;                     // status
  std::optional<double> interval_s = {};  // as given, of --watch and of guard
  const Arguments* arguments = nullptr;   // that the program was started with

  double watch_interval_s() const { return interval_s.value_or(2); }

  // The word at `place` after the command, empty when there is none.
  std::string operand(std::size_t place) const {
    return place + 1 < words.size() ? words[place + 1] : "";
  }
};

// Registers all options of the program, reads and completes them. Returns nothing when the program
// is to go on; otherwise all is printed and this is the exit code.
std::optional<int> read_options(Cli& cli, const Arguments& arguments, MysqlHaOptions& options);

// The binary's name and its purpose in one sentence.
inline constexpr char kName[] = "mysql_ha",
                      kPurpose[] =
                          "Shows a cluster, and plans and carries out changes of its primary.";

int run_status(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_plan(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_journal(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_guard_command(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int show_guard(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_merge_command(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_repair_command(const Env& env, const Cli& cli, const MysqlHaOptions& options);

// Shows what a run has saved of a node, or brings rows of it to the primary.
int run_journal_extra(const Env& env, const Cli& cli, const MysqlHaOptions& options);

// Adds which rows are brought to the primary, by a merge, a repair or out of what was saved, and
// --dry-run. The target must outlive parse().
void add_merge_options(Cli& cli, MysqlHaOptions& options);

// Complete the options of a merge or check those of a repair, once the command line is read. Fail
// with kUsage.
Result<Done> complete_merge(MysqlHaOptions& options);
Result<Done> complete_repair(const MysqlHaOptions& options);

// Lists the merges that this machine has begun, none where there is none.
Result<std::vector<std::string>> list_merges(Files& files, const FailoverOptions& options);

// Returns the lines that show a merge. Fails with kMissing when there is none of this id.
Result<std::vector<std::string>> show_merge(Files& files, const FailoverOptions& options,
                                            const std::string& id);

// Completes the options of a guard, before and after those of the cluster are complete: --node with
// the name of another node is that beside which the guard runs. The latter fails with kUsage.
void take_own_node(MysqlHaOptions& options);
Result<Done> complete_guard_options(MysqlHaOptions& options);

}  // namespace ha
