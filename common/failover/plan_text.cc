// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "common/failover/plan.h"
#include "common/text.h"

namespace ha {

std::string_view refusal_name(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kUnknownPrimary:
      return "unknown-primary";
    case Refusal::kPrimaryAlive:
      return "primary-alive";
    case Refusal::kStillReceives:
      return "still-receives";
    case Refusal::kIsolated:
      return "isolated";
    case Refusal::kSecondWriter:
      return "second-writer";
    case Refusal::kTooSoon:
      return "too-soon";
    case Refusal::kLocked:
      return "locked";
    case Refusal::kNoCandidate:
      return "no-candidate";
    case Refusal::kIncomparable:
      return "incomparable";
    case Refusal::kTooMuchLoss:
      return "too-much-loss";
    case Refusal::kCannotFence:
      return "cannot-fence";
  }
  return "none";
}

std::string_view action_name(Action action) {
  switch (action) {
    case Action::kLock:
      return "lock";
    case Action::kConfirmDead:
      return "confirm-dead";
    case Action::kHook:
      return "hook";
    case Action::kFence:
      return "fence";
    case Action::kStopReceiver:
      return "stop-receiver";
    case Action::kStartApplier:
      return "start-applier";
    case Action::kDrain:
      return "drain";
    case Action::kCatchUp:
      return "catch-up";
    case Action::kRecord:
      return "record";
    case Action::kPromote:
      return "promote";
    case Action::kRepoint:
      return "repoint";
    case Action::kVipDown:
      return "vip-down";
    case Action::kVipUp:
      return "vip-up";
    case Action::kMakeWritable:
      return "make-writable";
    case Action::kStartService:
      return "start-service";
    case Action::kNotify:
      break;
  }
  return "notify";
}

namespace {

std::string render_loss(const LossForecast& loss) {
  if (!loss.transactions) return "unknown";
  std::string text = fmt::format("{}{} transaction{}", loss.at_least ? "at least " : "",
                                 *loss.transactions, *loss.transactions == 1 ? "" : "s");
  if (loss.seconds) text += fmt::format(", {} behind", format_duration(*loss.seconds));
  return loss.text.empty() ? text : text + ", " + loss.text;
}

std::string render_step(const Step& step) {
  std::string text = fmt::format("{:3}. {:<13} {}", step.number, action_name(step.action),
                                 step.node.empty() ? "here" : step.node);
  if (!step.text.empty()) text += ": " + step.text;
  text += "\n";
  for (const std::string& sql : step.sql) text += "       " + sql + ";\n";
  if (!step.argv.empty()) text += "       run: " + join(step.argv, " ") + "\n";
  return text;
}

}  // namespace

std::string render(const Plan& plan) {
  std::string text;
  if (!plan.possible())
    text = fmt::format("no failover ({}): {}\n", refusal_name(plan.refusal), plan.reason);
  else
    text = fmt::format("promote {} in place of {}\nexpected loss: {}\n", plan.candidate,
                       plan.primary, render_loss(plan.loss));
  for (const std::string& reservation : plan.reservations)
    text += "reservation: " + reservation + "\n";
  for (const Rejection& rejection : plan.rejected)
    text += fmt::format("not {}: {}\n", rejection.node, rejection.reason);
  for (const Step& step : plan.steps) text += render_step(step);
  if (plan.possible() && !plan.hash.empty()) text += fmt::format("plan hash: {}\n", plan.hash);
  return text;
}

}  // namespace ha
