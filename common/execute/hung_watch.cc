// SPDX-License-Identifier: MIT
#include "common/execute/hung_watch.h"

#include <algorithm>

#include "common/context/witness.h"

namespace ha {

void HungWatch::observe(const std::string& primary) {
  const FailoverOptions& options = workflow_.options;
  const Node* const old = find_node(workflow_.view.topology, primary);
  // That tells nothing of it.
  if (old == nullptr || old->reach == Reach::kNotAsked) return;
  // Its kernel takes our connections, so it is not we who are cut off.
  if (old->reach != Reach::kHung ||
      !reach_witnesses(workflow_.env, {{old->host, old->port}},
                       Deadline::after(workflow_.env.clock, options.probe_timeout_s))[0])
    return forget();
  Files& files = workflow_.env.files;
  const std::string& directory = workflow_.store.path();
  if (!hung_) hung_ = read_hung(files, directory);
  hung_ = observe_hung(hung_, primary, workflow_.view.topology, workflow_.env.clock.moment());
  if (const auto written = write_hung(files, directory, *hung_); !written)
    workflow_.log(written.error().text);
}

void HungWatch::forget() {
  hung_.reset();
  if (const auto forgotten = forget_hung(workflow_.env.files, workflow_.store.path()); !forgotten)
    workflow_.log(forgotten.error().text);
}

std::optional<double> HungWatch::seconds() const {
  return hung_ ? std::optional(hung_->seconds()) : std::nullopt;
}

bool HungWatch::is_worth_waiting(const Plan& plan) const {
  // What a takeover takes, beside two probes, from the decision that the primary is dead.
  constexpr double kTakeover_s = 15;
  const FailoverOptions& options = workflow_.options;
  const Policy& policy = options.policy;
  return hung_ && only_receives(plan) &&
         (plan.evidence == Evidence::kFenceCommand || plan.evidence == Evidence::kRevocation) &&
         workflow_.deadline.remaining_s() >
             policy.hung_after_s - hung_->seconds() + 2 * options.probe_timeout_s + kTakeover_s;
}

bool only_receives(const Plan& plan) {
  return plan.refusal == Refusal::kStillReceives &&
         std::ranges::all_of(plan.further, [](const Objection& one) {
           return one.refusal == Refusal::kStillReceives;
         });
}

}  // namespace ha
