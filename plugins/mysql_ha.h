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
#include "common/resync/resync.h"

namespace ha {

struct MysqlHaOptions {
  FailoverOptions failover = {};
  NotifyOptions notify = {};
  std::vector<std::string> words = {};  // the command and what it is about
  std::string assume_dead = {};         // plan
  std::string plan_hash = {};           // failover
  std::string to = {};                  // switchover
  ResyncOptions resync = {};
  GuardOptions guard = {};
  bool json = false;                      // status, plan, journal, guard status
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

// Completes the options of a guard, before and after those of the cluster are complete: --node with
// the name of another node is that beside which the guard runs. The latter fails with kUsage.
void take_own_node(MysqlHaOptions& options);
Result<Done> complete_guard_options(MysqlHaOptions& options);

}  // namespace ha
