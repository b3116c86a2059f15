// SPDX-License-Identifier: MIT
#include "common/execute/lease_wait.h"

#include <fmt/format.h>

#include "common/context/ballot.h"
#include "common/context/lease_watch.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kAnswer_s = 0.5;

std::string describe_votes(std::size_t votes, const LeaseFinding& finding) {
  return fmt::format("{} of {} votes", votes, finding.voters);
}

}  // namespace

void LeaseWord::add_to(Context& context) const {
  context.primary_lease_held = held;
  context.primary_lease_expired = expired;
  context.primary_lease_broken = broken;
}

LeaseWord await_lease(const Workflow& workflow, const std::string& primary) {
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
    if (finding.held == 0 || finding.proves_closing() || patience.passed()) break;
    if (!told)
      workflow.log(fmt::format(
          "the guard of {} has the lease of the primary ({}) and was heard {} "
          "ago: waiting until it ends",
          primary, describe_votes(finding.held, finding), format_duration(finding.silent_s)));
    if (!workflow.env.clock.sleep(kMoment_s)) break;
  }
  LeaseWord word;
  if (finding.proves_closing())
    word.expired =
        fmt::format("the guard of {} was not heard for {} and has lost {}", primary,
                    format_duration(terms.lease_s), describe_votes(finding.expired, finding));
  else if (finding.held >= majority_of(finding.voters))
    word.held =
        fmt::format("its guard has {} and was heard {} ago", describe_votes(finding.held, finding),
                    format_duration(finding.silent_s));
  // One whose guard is connected and asks for no votes takes no writes.
  word.broken = finding.broken > 0 && finding.guards == 0;
  return word;
}

}  // namespace ha
