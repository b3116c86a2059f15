// SPDX-License-Identifier: MIT
#include "common/execute/lease_wait.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/context/ballot.h"
#include "common/context/lease_watch.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kAnswer_s = 0.5;

}  // namespace

LeaseWord await_lease(const Workflow& workflow, const std::string& primary,
                      const LeaseVigil* vigil) {
  const FailoverOptions& options = workflow.options;
  if (options.lease.lease_s == 0 || primary.empty()) return {};
  const VoteTerms terms = lease_terms(options, primary);
  // A server counts whole seconds, and takes a moment to end a session.
  const Deadline patience = workflow.deadline.from_now(
      std::min(workflow.deadline.remaining_s(), terms.forgotten_s() + 1));
  LeaseWatch watch(workflow.env, options, workflow.view.topology);
  LeaseFinding finding;
  for (bool told = false;; told = true) {
    // A login takes several round trips, an answer one.
    watch.observe(workflow.deadline.from_now(told ? kAnswer_s : options.probe_timeout_s));
    finding = watch.find(primary);
    // What has ended before this run began.
    if (vigil != nullptr && finding.held < majority_of(finding.voters))
      if (const LeaseFinding seen = vigil->find(primary); seen.proves_closing()) finding = seen;
    if (finding.held == 0 || finding.proves_closing() || patience.passed()) break;
    if (!told)
      workflow.log(fmt::format(
          "the guard of {} has {} of {} votes of the primary and was heard {} ago: waiting until "
          "they expire",
          primary, finding.held, finding.voters, format_duration(finding.silent_s)));
    if (!workflow.env.clock.sleep(kMoment_s)) break;
  }
  if (!finding.since_s) finding.since_s = uptime_s(workflow.env.clock);
  if (vigil != nullptr) {
    const LeaseFinding seen = vigil->find(primary);
    finding.heard_s = std::max(finding.heard_s, seen.heard_s);
    if (seen.since_s) finding.since_s = seen.since_s;
  }
  LeaseWord word = tell_lease(finding, primary, options.lease.lease_s);
  if (word.until_s && *word.until_s <= uptime_s(workflow.env.clock)) word.until_s.reset();
  return word;
}

}  // namespace ha
