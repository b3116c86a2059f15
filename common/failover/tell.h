// SPDX-License-Identifier: MIT
// Tells people of a failover: each step as it is done, and at the end syslog, mails and webhooks.

#pragma once

#include "common/cli.h"
#include "common/clock.h"
#include "common/failover/failover.h"
#include "common/http/notify.h"

namespace ha {

class Teller {
 public:
  explicit Teller(const Clock& clock) : clock_(clock), begin_s_(clock.now_s()) {}

  // Prints lines with the seconds since the construction, and keeps them.
  Say say();

  // Tells the outcome and returns the exit code. A refusal is printed alone: nothing was begun, and
  // whoever runs this every minute is not to be flooded.
  int finish(const Cli& cli, const NotifyOptions& notify, const FailoverOutcome& outcome) const;

 private:
  const Clock& clock_;
  double begin_s_;
  std::vector<std::string> lines_ = {};
};

}  // namespace ha
