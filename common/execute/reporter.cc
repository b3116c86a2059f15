// SPDX-License-Identifier: MIT
#include "common/execute/reporter.h"

#include <fmt/format.h>
#include <syslog.h>

#include "common/commands.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kNotifyBudget_s = 5;

}  // namespace

Log Reporter::log() {
  return [this](const std::string& line) {
    lines_.push_back(
        fmt::format("{:+8.3f}s  {}", clock_.now_s() - begin_s_, cli_.complete(sanitize(line))));
    print_lines(lines_.back() + "\n");
  };
}

namespace {

// The reader of an ended run has to know what to do next.
std::string with_next_command(const FailoverOutcome& outcome) {
  if (outcome.end != FailoverEnd::kRefused || names_command(outcome.text)) return outcome.text;
  if (outcome.run_id.empty()) return outcome.text + "; to see all nodes, run: mysql_ha status";
  return fmt::format("{}; to see its steps, run: mysql_ha journal show {}", outcome.text,
                     outcome.run_id);
}

}  // namespace

std::vector<std::string> Reporter::send(const NotifyOptions& notify_options,
                                        const FailoverOutcome& outcome, const std::string& text,
                                        const std::vector<std::string>& details) const {
  const auto code = static_cast<std::size_t>(outcome.end);
  syslog(LOG_DAEMON | (code == 0 ? LOG_NOTICE : LOG_ERR), "%s", sanitize(text).c_str());
  if (!notify_options.wanted()) return {};
  const char* const words[] = {"done", "warnings", "failed"};
  Notice notice{text,
                lines_,
                {{"run", outcome.run_id},
                 {"failed", outcome.failed},
                 {"successor", outcome.successor},
                 {"outcome", words[code]}}};
  notice.lines.insert(notice.lines.end(), details.begin(), details.end());
  std::vector<std::string> failures;
  for (const std::string& failure :
       notify(notify_options, notice, Deadline::after(clock_, kNotifyBudget_s)))
    failures.push_back(sanitize(failure));
  return failures;
}

void Reporter::tell(const NotifyOptions& notify_options, const FailoverOutcome& outcome) const {
  for (const std::string& failure :
       send(notify_options, outcome, cli_.complete(outcome.text), outcome.details))
    print_lines(failure + "\n");
}

int Reporter::finish(const NotifyOptions& notify_options, const FailoverOutcome& outcome) const {
  const std::string text = cli_.complete(with_next_command(outcome));
  std::vector<std::string> details;
  for (const std::string& line : outcome.details) details.push_back(cli_.complete(line));
  const int code = static_cast<int>(outcome.end);
  if (outcome.run_id.empty()) return cli_.finish(code, text, details);
  for (std::string& failure : send(notify_options, outcome, text, details))
    details.push_back(std::move(failure));
  return cli_.finish(code, text, details);
}

void complete_texts(const Cli& cli, Plan& plan) {
  for (std::string* text : {&plan.reason, &plan.roll_back_reason}) *text = cli.complete(*text);
  for (std::string& text : plan.warnings) text = cli.complete(text);
  for (Objection& one : plan.further) one.reason = cli.complete(one.reason);
  for (Rejection& one : plan.rejected) one.reason = cli.complete(one.reason);
}

}  // namespace ha
