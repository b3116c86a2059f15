// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "common/commands.h"
#include "common/failover/plan.h"
#include "common/text.h"

namespace ha {

namespace {

// In the order of PlanCommand.
constexpr std::string_view kCommands[] = {"nothing", "failover", "switchover", "rejoin",
                                          "resync",  "close",    "reopen"};

}  // namespace

std::string_view command_name(PlanCommand command) {
  return kCommands[static_cast<std::size_t>(command)];
}

std::optional<PlanCommand> parse_command(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name);
  if (found == std::end(kCommands)) return std::nullopt;
  return static_cast<PlanCommand>(found - std::begin(kCommands));
}

std::string describe_refusal(const Plan& plan) {
  std::string text = fmt::format("{} ({})", plan.reason, refusal_name(plan.refusal));
  for (const Objection& one : plan.further)
    text += fmt::format("; {} ({})", one.reason, refusal_name(one.refusal));
  return text;
}

std::string next_command(const Plan& plan) { return next_command(plan.refusal, plan.candidate); }

void add_next_command(Plan& plan) {
  if (plan.possible() || names_command(describe_refusal(plan))) return;
  std::string& last = plan.further.empty() ? plan.reason : plan.further.back().reason;
  last += "; " + next_command(plan);
}

std::string describe_change(const Plan& plan) {
  if (plan.command == PlanCommand::kClose)
    return plan.evidence_text.empty()
               ? fmt::format("closing {}, which {} has replaced", plan.primary, plan.candidate)
               : fmt::format("closing {}, keeping {}", plan.primary, plan.candidate);
  if (plan.command == PlanCommand::kReopen)
    return fmt::format("opening {} for writes again", plan.primary);
  if (plan.changes_primary())
    return fmt::format("promoting {} to replace {}", plan.candidate, plan.primary);
  return fmt::format("making {} a replica of {}", plan.candidate, plan.primary);
}

std::string describe_evidence(const Plan& plan) {
  if (plan.command == PlanCommand::kClose && !plan.evidence_text.empty())
    return fmt::format("evidence that {} is the primary: {}", plan.candidate, plan.evidence_text);
  return plan.evidence == Evidence::kNone ? ""
                                          : fmt::format("evidence that {} takes no writes: {}",
                                                        plan.primary, plan.evidence_text);
}

std::string render(const LossForecast& loss) {
  const std::string more = loss.text.empty() ? "" : ", " + loss.text;
  if (!loss.transactions && more.empty()) return "unknown";
  if (loss.transactions.value_or(0) == 0 && loss.at_least)
    return "none that is known" + more + "; the old primary may have had more";
  std::string text = in_words(Extra{*loss.transactions, loss.at_least});
  if (loss.seconds) text += fmt::format(", {} behind", format_duration(*loss.seconds));
  return text + more;
}

std::string render(const Step& step) {
  std::string text = fmt::format("{:3}. {:<13} {}", step.number, action_name(step.action),
                                 step.node.empty() ? "here" : step.node);
  if (!step.text.empty()) text += ": " + printable(step.text);
  text += "\n";
  for (const Statement& one : step.statements) text += "       " + printable(one.sql) + ";\n";
  if (!step.argv.empty()) text += "       run: " + printable(join(step.argv, " ")) + "\n";
  return text;
}

std::string render(const Plan& plan) {
  std::string text;
  const bool resumed = !plan.interrupted_run.empty();
  if (!plan.possible())
    text = fmt::format("no {} ({}): {}\n", command_name(plan.command), refusal_name(plan.refusal),
                       printable(plan.reason));
  else if (!plan.roll_back_reason.empty())
    text = fmt::format(
        "run {} ({}: {}) was interrupted and is rolled back first: {}\n"
        "after that a new plan is made\n",
        plan.interrupted_run, command_name(plan.command), describe_change(plan),
        printable(plan.roll_back_reason));
  else if (resumed)
    text = fmt::format("run {} ({}: {}) was interrupted and is resumed: {} steps are left\n",
                       plan.interrupted_run, command_name(plan.command), describe_change(plan),
                       plan.steps.size());
  else if (plan.command == PlanCommand::kClose)
    text = fmt::format("close {}, which {} has replaced\n", plan.primary, plan.candidate);
  else if (plan.command == PlanCommand::kReopen)
    text = fmt::format("open {}, which {}, for writes again\n", plan.primary,
                       plan.closed_by_guard ? "its guard has closed" : "was restarted");
  else
    text = fmt::format("promote {} in place of {}\nexpected loss: {}\n", plan.candidate,
                       plan.primary, printable(render(plan.loss)));
  if (const std::string evidence = describe_evidence(plan); plan.possible() && !evidence.empty())
    text += printable(evidence) + "\n";
  for (const Objection& one : plan.further)
    text += fmt::format("and ({}): {}\n", refusal_name(one.refusal), printable(one.reason));
  for (const std::string& warning : plan.warnings) text += "warning: " + printable(warning) + "\n";
  for (const Rejection& rejection : plan.rejected)
    text += fmt::format("not {}: {}\n", rejection.node, printable(rejection.reason));
  for (const Step& step : plan.steps) text += render(step);
  if (plan.possible() && !plan.hash.empty()) text += fmt::format("plan hash: {}\n", plan.hash);
  return text;
}

}  // namespace ha
