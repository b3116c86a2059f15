// SPDX-License-Identifier: MIT
// The commands of mysql_ha. Each returns the exit code (common/exit_code.h).

#pragma once

#include <string>
#include <vector>

#include "common/cli.h"
#include "common/cluster/options.h"
#include "common/execute/failover.h"
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
  bool json = false;      // status, plan, journal
  bool watch = false;     // status
  double interval_s = 2;  // of --watch

  // The word at `place` after the command, empty when there is none.
  std::string operand(std::size_t place) const {
    return place + 1 < words.size() ? words[place + 1] : "";
  }
};

int run_status(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_plan(const Env& env, const Cli& cli, const MysqlHaOptions& options);
int run_journal(const Env& env, const Cli& cli, const MysqlHaOptions& options);

}  // namespace ha
