// SPDX-License-Identifier: MIT
#include "common/failover/console_event.h"

#include <fmt/format.h>

#include <utility>

#include "common/mysql/quote.h"

namespace ha {

namespace {

std::string describe_done(const Plan& plan) {
  switch (plan.command) {
    case PlanCommand::kClose:
      return fmt::format("{} takes no writes any more, {} is the primary", plan.primary,
                         plan.candidate);
    case PlanCommand::kReopen:
      return plan.primary + " takes writes again";
    case PlanCommand::kFailover:
    case PlanCommand::kSwitchover:
      return fmt::format("{} replaces {} as the primary", plan.candidate, plan.primary);
    default:
      return fmt::format("{} is a replica of {}", plan.candidate, plan.primary);
  }
}

// Returns what Pandora calls the criticity: 3 is a warning, 1 information.
int rate(const Plan& plan) {
  return plan.command == PlanCommand::kFailover || plan.command == PlanCommand::kClose ? 3 : 1;
}

// Returns text as Pandora stores it, safe_input() of Tools.pm: the console searches for that.
std::string encode(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"')
      encoded += "&quot;";
    else if (c == '&')
      encoded += "&amp;";
    else if (c == '<')
      encoded += "&lt;";
    else if (c == '>')
      encoded += "&gt;";
    else if (c == '\'')
      encoded += "&#039;";
    else if (c == '(' || c == ')' || c == '\\')
      encoded += fmt::format("&#{};", code);
    else if (code <= ' ')
      encoded += fmt::format("&#x{:02x};", code);
    else
      encoded += c;
  }
  return encoded;
}

}  // namespace

Step console_event_step(const std::string& database, const Plan& plan, std::string node) {
  Step step{0, Action::kConsoleEvent, std::move(node)};
  step.text = fmt::format("mysql_ha {}: {}", command_name(plan.command), describe_done(plan));
  // The default database is what binlog_do_db goes by.
  step.statements = {
      {Part::kInsertEvent, "SET SESSION lock_wait_timeout=3, SESSION innodb_lock_wait_timeout=3"},
      {Part::kInsertEvent, "USE " + quote_identifier(database)},
      {Part::kInsertEvent,
       fmt::format("INSERT INTO tevento (id_agente, id_grupo, evento, timestamp, estado, "
                   "utimestamp, event_type, id_agentmodule, id_alert_am, criticity, tags, source, "
                   "id_extra, id_usuario, critical_instructions, warning_instructions, "
                   "unknown_instructions, ack_utimestamp, custom_data, data, module_status, "
                   "event_custom_id) VALUES (0, 0, {}, NOW(), 0, UNIX_TIMESTAMP(), 'system', 0, 0, "
                   "{}, '', 'mysql_ha', '', '', '', '', '', 0, '', '', 0, '')",
                   quote_string(encode(step.text)), rate(plan))}};
  step.may_fail = true;
  return step;
}

std::vector<Step> tell_pandora(const Policy& policy, const Plan& plan, const Node& primary) {
  std::vector<Step> steps;
  if (!policy.hosts_file.empty()) steps.push_back(write_file_step(policy.hosts_file, primary.host));
  if (!policy.console_database.empty())
    steps.push_back(console_event_step(policy.console_database, plan, primary.name));
  return steps;
}

}  // namespace ha
