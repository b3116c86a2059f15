// SPDX-License-Identifier: MIT
#include "common/failover/situation.h"

#include <cmath>
#include <thread>

#include "common/failover/witness.h"
#include "common/mysql/probe.h"

namespace ha {

Situation look(const FailoverOptions& options) {
  const Deadline deadline = Deadline::after(options.probe_timeout_s);
  std::vector<bool> reached;
  std::jthread asking([&] { reached = reach_witnesses(options.witnesses, deadline); });
  // The sessions are used for the whole run.
  MysqlOptions mysql = options.cluster.mysql;
  mysql.answer_timeout_s = static_cast<unsigned>(std::ceil(options.deadline_s));
  Probe probe = probe_nodes(options.cluster.nodes, mysql, deadline);
  Situation situation{std::move(probe.topology), std::move(probe.sessions)};
  asking.join();
  situation.circumstances.witnesses = judge_witnesses(reached);
  return situation;
}

Result<Done> add_history(const RunStore& store, double now_s, Circumstances& circumstances) {
  const auto last = store.last_failover();
  if (!last) return last.error();
  if (*last) circumstances.last_failover_age_s = now_s - (*last)->begun_s;
  const auto change = store.last_change();
  if (!change) return change.error();
  if (*change) {
    circumstances.last_primary = (*change)->plan.candidate;
    circumstances.last_run = (*change)->id;
  }
  return Done{};
}

}  // namespace ha
