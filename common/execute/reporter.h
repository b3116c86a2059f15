// SPDX-License-Identifier: MIT
// Tells people of a failover: each step as it is done, and at the end syslog, mails and webhooks.

#pragma once

#include "common/cli.h"
#include "common/clock.h"
#include "common/execute/log.h"
#include "common/execute/outcome.h"
#include "common/failover/plan.h"
#include "common/http/notify.h"

namespace ha {

class Reporter {
 public:
  Reporter(const Cli& cli, const Clock& clock)
      : cli_(cli), clock_(clock), begin_s_(clock.now_s()) {}

  // Prints lines with the seconds since the construction, and keeps them.
  Log log();

  // Tells syslog, mails and webhooks of a part that has ended, while others follow.
  void tell(const NotifyOptions& notify, const FailoverOutcome& outcome) const;

  // Tells the outcome and returns the exit code. A refusal is printed alone: nothing was begun, and
  // an engine that runs this every minute is not to be flooded.
  int finish(const NotifyOptions& notify, const FailoverOutcome& outcome) const;

 private:
  // Returns what could not be sent.
  std::vector<std::string> send(const NotifyOptions& notify, const FailoverOutcome& outcome,
                                const std::string& text,
                                const std::vector<std::string>& details) const;

  const Cli& cli_;
  const Clock& clock_;
  double begin_s_;
  std::vector<std::string> lines_ = {};
};

// Completes the commands that the texts of a plan tell to type.
void complete_texts(const Cli& cli, Plan& plan);

}  // namespace ha
