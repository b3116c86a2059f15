// SPDX-License-Identifier: MIT
// The resident manager: watches all nodes over sessions that stay open, and does what
// `mysql_ha failover` does when the primary is gone, was restarted read-only, or came back beside
// its successor. What it decides on its own stands in common/failover/guard_watch.h; everything
// that changes the cluster is a run like any other.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/cluster/options.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/result.h"
#include "common/watchdog.h"

namespace ha {

struct GuardOptions {
  double interval_s = 0.5;  // between two questions to each node
  std::string node = {};    // beside which the guard runs; empty: none
  bool manage = true;       // else it watches and tells
  bool auto_rejoin = false;
  long process = 0;  // the guard's own id, for `guard status`
};

struct GuardSettings {
  FailoverOptions failover = {};
  GuardOptions guard = {};
};

// What a guard is run by: gets its words, and gives its settings.
class GuardHost {
 public:
  virtual ~GuardHost() = default;

  // Tells a change of what the guard sees or does, one line. Called from several threads.
  virtual void say(const std::string& line) = 0;

  // Opens the watchdog of this machine, as open_watchdog().
  virtual Result<std::unique_ptr<Watchdog>> arm(const std::string& path, int seconds) = 0;

  // A run begins: returns what gets its lines. end_run() follows with its outcome, unless that is
  // a refusal which was told before.
  virtual Log begin_run() = 0;
  virtual void end_run(const FailoverOutcome& outcome) = 0;

  // Reads the files of options again; nullopt: they are wrong, and it was told why.
  virtual std::optional<GuardSettings> reload() = 0;

  // Shows the state in a few words, in every round. The next call comes within `seconds`.
  virtual void show(const std::string& state, double seconds) = 0;
};

// Guards the cluster until the program is asked to stop. Fails with kRefused when another guard
// does so with this state directory, or with the error of that directory.
Result<Done> run_guard(const Env& env, GuardSettings settings, GuardHost& host);

}  // namespace ha
