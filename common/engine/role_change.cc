// SPDX-License-Identifier: MIT
#include "common/engine/role_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "common/text.h"

namespace ha {

namespace {

constexpr std::int64_t kMaxSkew_s = 2;
constexpr auto kPause = std::chrono::milliseconds(50);
constexpr auto kLongPause = std::chrono::milliseconds(250);  // where a look costs the engine work
// A status file may have been begun before the command arrived.
constexpr double kRepeatAfter_s = 1;
constexpr auto kSettle = std::chrono::seconds(1);

Deadline within(double seconds, const Deadline& deadline) {
  return deadline.from_now(std::min(seconds, deadline.remaining_s()));
}

bool may_pass(Errc code) {
  return code == Errc::kMissing || code == Errc::kUnreachable || code == Errc::kRefused;
}

Result<Done> perform_patiently(const EngineStep& step, EngineAccess& access,
                               const RoleChange& change, const Deadline& deadline) {
  std::optional<Error> told;
  for (;;) {
    const auto done = access.perform(step, deadline);
    if (done || step.kind == EngineStep::Kind::kRun || !may_pass(done.error().code)) return done;
    // The deadline cut the last try short; what the one before met is the reason.
    if (deadline.passed() && told) return *told;
    told = done.error();
    if (deadline.remaining_s() < std::chrono::duration<double>(kPause).count() ||
        change.overtaken())
      return done;
    std::this_thread::sleep_for(kPause);
  }
}

std::string missing_flags(const RolePlan& plan, const EngineView& view) {
  std::vector<std::string> wrong;
  for (const EngineFlag flag : plan.flags) {
    const auto value = value_of(view.flags, flag);
    if (!value)
      wrong.push_back(fmt::format("{} are not shown", words_of(flag).name));
    else if (*value != (plan.role == Role::kActive))
      wrong.push_back(fmt::format("{} are {}", words_of(flag).name, *value ? "on" : "off"));
  }
  return join(wrong, ", ");
}

// It is tried again as long as it matters, so its failure is told by what is missing.
void repeat_commands(const RolePlan& plan, EngineAccess& access, const Deadline& deadline) {
  for (const EngineStep& step : plan.steps)
    if (step.kind != EngineStep::Kind::kRun) static_cast<void>(access.perform(step, deadline));
}

// Looks until the plan holds or the deadline passes; returns what is missing then.
std::string verify(const RolePlan& plan, EngineAccess& access, const EngineMeans& means,
                   const RoleChange& change, Since sent, const Deadline& deadline) {
  std::string told;
  Deadline repeat = deadline.from_now(kRepeatAfter_s);
  for (;;) {
    const EngineView view = access.probe(plan.role, deadline);
    const std::string wrong = missing(plan, means, sent, view);
    if (wrong.empty()) return "";
    // The deadline cut the last look short; what the one before saw is the reason.
    if (deadline.passed()) return told.empty() ? wrong : told;
    if (change.overtaken()) return wrong;
    told = wrong;
    // A later word of the engine's, and it still contradicts: the command was lost.
    const bool later = means.api || (means.status_file && written_since(view, sent));
    if (later && repeat.passed() && view.trouble.empty() && !missing_flags(plan, view).empty()) {
      repeat = deadline.from_now(kRepeatAfter_s);
      repeat_commands(plan, access, deadline);
      sent = {std::time(nullptr), view.version};
    }
    std::this_thread::sleep_for(means.api || means.verify_command ? kLongPause : kPause);
  }
}

}  // namespace

bool written_since(const EngineView& view, const Since& since) {
  return view.version && view.version != since.version && view.created && *view.created > since.at;
}

RoleFacts believe(const EngineView& view, const EngineMeans& means, const Since& since,
                  Commands commands, std::int64_t now) {
  RoleFacts facts;
  // What an engine that is gone has left tells nothing of the one that starts.
  if (view.trouble.empty() && (!means.status_file || view.running == true))
    facts.shown = view.flags;
  if (commands == Commands::kOnTheirWay) return facts;
  facts.role_holds = view.role_holds;
  if (means.api && view.trouble.empty()) {
    facts.flags = view.flags;
    facts.running = true;
  }
  if (!means.status_file) return facts;
  if (view.running == false) {
    facts.running = false;
  } else if (view.running == true && view.trouble.empty() && !view.reads_commands_late &&
             written_since(view, since) && *view.created <= now + kMaxSkew_s) {
    facts.flags = view.flags;
    facts.running = true;
  }
  return facts;
}

bool may_be_proven(const EngineView& view, const EngineMeans& means, Commands commands,
                   std::int64_t now) {
  return means.status_file && commands == Commands::kNone && view.trouble.empty() &&
         view.running == true && !view.reads_commands_late && view.created &&
         *view.created <= now + kMaxSkew_s;
}

std::string missing(const RolePlan& plan, const EngineMeans& means, const Since& sent,
                    const EngineView& view) {
  if (means.verify_command && view.role_holds != true)
    return view.trouble.empty() ? "the verify command does not confirm it" : view.trouble;
  if (means.status_file) {
    if (plan.stops) return view.running == false ? "" : "the engine still runs";
    if (!view.trouble.empty()) return view.trouble;
    if (!written_since(view, sent)) return "the status file has not been written since";
    return missing_flags(plan, view);
  }
  if (means.api) {
    if (plan.stops) return view.trouble.empty() ? "the engine still runs" : "";
    return view.trouble.empty() ? missing_flags(plan, view) : view.trouble;
  }
  return "";
}

RoleOutcome change_role(const RolePlan& plan, EngineAccess& access, const EngineMeans& means,
                        const RoleChange& change, const Deadline& deadline) {
  using End = RoleOutcome::End;
  const double start_s = deadline.clock().monotonic_s();
  RoleOutcome outcome;
  const auto ended = [&](End end, std::string text) {
    outcome.end = end;
    outcome.text = std::move(text);
    outcome.seconds = deadline.clock().monotonic_s() - start_s;
    return outcome;
  };
  // An engine that was started may write its status before the command that started it ends.
  Since sent{std::time(nullptr) - 1, change.before.version};
  for (const EngineStep& step : plan.steps) {
    if (change.overtaken()) return ended(End::kOvertaken, "");
    // A command that starts an engine has its own pace.
    const bool runs = step.kind == EngineStep::Kind::kRun;
    const auto done = perform_patiently(step, access, change,
                                        runs ? deadline : within(change.patience_s, deadline));
    if (!done) return ended(change.overtaken() ? End::kOvertaken : End::kFailed, done.error().text);
    if (!runs) sent.at = std::time(nullptr);
    ++outcome.steps_done;
  }
  if (!means.any())
    return ended(End::kUnverified,
                 "there is no --status-file, --query-handler, --api or --verify-command");
  const Deadline patience = within(change.patience_s, deadline);
  std::string wrong = verify(plan, access, means, change, sent, patience);
  const bool queued = !means.api && !means.acknowledged;
  if (wrong.empty() && change.earlier == Commands::kOnTheirWay && !queued) {
    std::this_thread::sleep_for(kSettle);
    const Deadline again = within(change.patience_s, deadline);
    if (!change.overtaken()) repeat_commands(plan, access, again);
    wrong = verify(plan, access, means, change, sent, again);
  }
  if (!wrong.empty() && change.overtaken()) return ended(End::kOvertaken, wrong);
  return ended(wrong.empty() ? End::kVerified : End::kUnverified, wrong);
}

}  // namespace ha
