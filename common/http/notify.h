// SPDX-License-Identifier: MIT
// Notifies people of what a handler did: mail by SMTP, and JSON by POST. Comes after the deed,
// within a bound of its own; a notice that could not be sent never changes the outcome.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/deadline.h"
#include "common/result.h"

namespace ha {

class Cli;

struct NotifyOptions {
  std::vector<std::string> mail_to = {};
  std::string mail_from = {};  // empty: monitoring-plugins-ha@HOSTNAME
  std::string smtp = "smtp://localhost";
  std::string smtp_credentials = {};  // file; with it TLS is required
  std::vector<std::string> webhooks = {};
  std::string webhook_credentials = {};  // file
  std::string ca_file = {};              // empty: the system's CAs

  bool wanted() const { return !mail_to.empty() || !webhooks.empty(); }
};

struct Notice {
  std::string subject;                                      // one line
  std::vector<std::string> lines;                           // what happened
  std::vector<std::pair<std::string, std::string>> fields;  // of the JSON object, beside "text"
};

// Adds --notify-mail, --notify-webhook and what belongs to them.
void add_notify_options(Cli& cli, NotifyOptions& options);

// Fails with kUsage on an address or a credentials file that cannot be used.
Result<Done> check_notify_options(const NotifyOptions& options);

// Sends a notice to all, in shares of the time until the deadline. Returns a sentence for each that
// was not reached.
std::vector<std::string> notify(const NotifyOptions& options, const Notice& notice,
                                const Deadline& deadline);

}  // namespace ha
