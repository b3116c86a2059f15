// SPDX-License-Identifier: MIT
// Watches a primary that answers no query while its replicas still receive heartbeats, until it
// counts as hung.

#pragma once

#include <optional>
#include <string>

#include "common/context/hung_primary.h"
#include "common/execute/workflow.h"

namespace ha {

class HungWatch {
 public:
  explicit HungWatch(const Workflow& workflow) : workflow_(workflow) {}

  // Records, from the view of the workflow, since when `primary` has given no answer and nothing
  // was received from it; for later runs too.
  void observe(const std::string& primary);

  // For how long it was seen to hang, in seconds; nullopt: it does not hang.
  std::optional<double> seconds() const;

  // True while watching on can make the primary of a plan count as hung, within the time left.
  bool is_worth_waiting(const Plan& plan) const;

 private:
  void forget();

  const Workflow& workflow_;
  std::optional<HungPrimary> hung_ = {};  // as of the last observation
};

// True when nothing stands in the way of a plan but that replicas still receive from the primary.
bool only_receives(const Plan& plan);

}  // namespace ha
