// SPDX-License-Identifier: MIT
// handle_engine_failover: activates the monitoring engine of this host, the standby, when the check
// of the active one finds it dead, and deactivates it when the other is back.

#include <fmt/format.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <thread>

#include "common/commands.h"
#include "common/engine/process_id.h"
#include "common/engine/succession.h"
#include "common/exit_code.h"
#include "common/files.h"
#include "common/posix_process.h"
#include "common/text.h"
#include "common/time_text.h"
#include "plugins/handle_engine_failover_options.h"

namespace ha {

namespace {

constexpr double kNotifyBudget_s = 5;
constexpr double kMargin_s = 0.3;  // of the budget, for the words after an exhausted wait
// How long a status is waited for that may show that there is nothing to do.
constexpr double kProofBudget_s = 3;
constexpr auto kPause = std::chrono::milliseconds(20);

// Names the engine: handlers for equal names share a record and a lock.
std::string engine_name(const EngineControl& control) {
  for (const std::string* place : {&control.command_file, &control.query_handler, &control.api})
    if (!place->empty()) return *place;
  const auto& command =
      control.start_command.empty() ? control.stop_command : control.start_command;
  return join(command, " ");
}

// Returns the person who gives the command, and the time: "anna, 2026-11-29 23:10". A person works
// as the engine's user, by runuser or sudo.
std::string describe_person() {
  constexpr std::uint64_t kUnset = std::numeric_limits<std::uint32_t>::max();
  std::string name;
  const auto login = read_file("/proc/self/loginuid");
  const auto uid = login ? parse_integer(trim(*login)) : std::nullopt;
  const char* const sudo = std::getenv("SUDO_USER");
  if (uid && *uid >= 0 && static_cast<std::uint64_t>(*uid) < kUnset)
    name = user_name(static_cast<unsigned>(*uid));
  else
    name = sudo != nullptr && *sudo != '\0' ? printable(sudo) : user_name(getuid());
  return fmt::format("{}, {}", name, format_local_minute(static_cast<double>(std::time(nullptr))));
}

// Returns what the handler was started for.
Arrival make_arrival(const HandlerOptions& options, const Gate& gate) {
  Arrival arrival{this_process()};
  if (options.reassert) {
    arrival.kind = Arrival::Kind::kReassert;
    arrival.title = "the role on record";
  } else if (options.activate || options.deactivate) {
    arrival.kind = Arrival::Kind::kByHand;
    arrival.role = options.activate ? Role::kActive : Role::kStandby;
    arrival.title = options.activate ? "activation by hand" : "deactivation by hand";
  } else {
    const bool over = gate.meaning == EventMeaning::kActivate;
    arrival.role = over ? Role::kActive : Role::kStandby;
    arrival.title = fmt::format("{} on {}", over ? "activation" : "deactivation", gate.event);
  }
  return arrival;
}

struct Report {
  int code = kExitDone;
  std::string text = {};
  bool notify_people = false;
};

// One run, for one event; and for a later one whose handler was ended before its turn came.
class Handler {
 public:
  Handler(const Cli& cli, const HandlerOptions& options, LocalEngine::Sources sources,
          Arrival arrival)
      : cli_(cli),
        options_(options),
        mine_(std::move(arrival)),
        shared_(options.state_dir, engine_name(options.control)),
        engine_(std::move(sources), process_),
        deadline_(
            cli.deadline().from_now(std::max(0.05, cli.deadline().remaining_s() - kMargin_s))),
        // A second more than "after we began": a command that was given before needs its time.
        since_{std::time(nullptr) + 1, engine_.status_version()} {}

  int dry_run() {
    if (const auto read = shared_.peek(mine_); !read)
      return cli_.finish(kExitFailed, read.error().text);
    take_role_on_record();
    const RolePlan plan = make_plan();
    if (!plan.nothing.empty())
      return cli_.finish(kExitDone, fmt::format("dry run: {}: {}", mine_.title, plan.nothing));
    std::vector<std::string> lines;
    for (const EngineStep& step : plan.steps) lines.push_back(describe(step));
    return cli_.finish(kExitDone, fmt::format("dry run: {} would do this:", mine_.title), lines);
  }

  int run() {
    cli_.waiting_for("another handler for this engine");
    const auto later = shared_.begin(mine_, deadline_);
    if (!later) {
      take_role_on_record();
      return publish(
          {kExitFailed, fmt::format("{} failed: {}", mine_.title, later.error().text), true});
    }
    if (*later) {
      syslog(LOG_DAEMON | LOG_NOTICE, "%s", superseded(*later).c_str());
      return cli_.finish(kExitDone, superseded(*later));
    }
    if (const auto left = shared_.left_over(mine_)) mine_ = *left;
    take_role_on_record();
    Report all = act();
    // What came later is carried out by its own handler, unless that has ended while it waited.
    for (auto left = shared_.left_over(mine_); left && !deadline_.passed();
         left = shared_.left_over(mine_)) {
      mine_ = *left;
      const Report more = act();
      all = {std::max(all.code, more.code), all.text + "; then " + more.text,
             all.notify_people || more.notify_people};
    }
    return publish(all);
  }

 private:
  bool by_hand() const { return mine_.kind == Arrival::Kind::kByHand; }

  // What is of the same role is carried out here as well as there.
  bool is_overtaken() const {
    const auto later = shared_.overtaking(mine_);
    return later && later->role != mine_.role;
  }

  void take_role_on_record() {
    if (mine_.kind != Arrival::Kind::kReassert) return;
    mine_.role = shared_.last() ? shared_.last()->role : Role::kStandby;
    mine_.title = fmt::format("{} again, by the record",
                              mine_.role == Role::kActive ? "activation" : "deactivation");
  }

  RolePlan plan_upon(const RoleFacts& facts) const {
    const Undo undo = mine_.kind == Arrival::Kind::kEvent ? Undo::kActivate : Undo::kScope;
    RolePlan plan =
        plan_role(mine_.role, options_.control, facts, shared_.known(), undo, std::time(nullptr));
    if (by_hand() && mine_.role == Role::kActive) plan.record.by_hand = describe_person();
    return plan;
  }

  // The role is given again after a start, and what is undone by that is known once the engine
  // shows it.
  bool is_starting() const {
    return mine_.kind == Arrival::Kind::kReassert && options_.control.has_flags() &&
           options_.control.start_command.empty() && engine_.means().status_file &&
           before_.running != true;
  }

  // Looks at the engine; where it seems to have the role, until it is seen that it has it since we
  // began, or for a while.
  RolePlan make_plan() {
    cli_.waiting_for("the engine to show its state");
    // A shorter patience than the run's, so that an engine that hangs leaves time for the deed.
    double patience_s = std::min(options_.verify_timeout_s, deadline_.remaining_s() / 2);
    const Deadline seen_by = deadline_.from_now(patience_s);
    // Who set a flag is recorded and reported, so it is worth knowing; else the command costs
    // nothing.
    if (!shared_.remembers() ||
        (mine_.role == Role::kStandby && mine_.kind != Arrival::Kind::kReassert))
      patience_s = std::min(patience_s, kProofBudget_s);
    const Commands commands = shared_.earlier_commands();
    const Deadline proof = deadline_.from_now(patience_s);
    for (;;) {
      before_ = engine_.probe(mine_.role, seen_by);
      const std::int64_t now = std::time(nullptr);
      facts_ = believe(before_, engine_.means(), since_, commands, now);
      RolePlan plan = plan_upon(facts_);
      if (!plan.nothing.empty() || proof.passed() || is_overtaken()) return plan;
      if (!is_starting()) {
        if (!may_be_proven(before_, engine_.means(), commands, now)) return plan;
        RoleFacts hoped = facts_;
        hoped.flags = facts_.shown;
        hoped.running = true;
        if (plan_upon(hoped).nothing.empty()) return plan;
      }
      std::this_thread::sleep_for(options_.verify_command.empty() ? kPause : 10 * kPause);
    }
  }

  Report act() {
    const RolePlan plan = make_plan();
    if (is_overtaken()) return {kExitDone, superseded(shared_.overtaking(mine_)), false};
    if (!plan.nothing.empty()) {
      const auto& known = shared_.known();
      if (known && shared_.trouble().empty() &&
          (known->role != plan.record.role || known->by_hand != plan.record.by_hand))
        shared_.remember(plan.record);
      shared_.mark_done(mine_, deadline_);
      return {code_when_done(), with_trouble(fmt::format("{}: {}", mine_.title, plan.nothing)),
              false};
    }
    return carry_out(plan);
  }

  Report carry_out(const RolePlan& plan) {
    using End = RoleOutcome::End;
    // Before the deed, so that one that is killed in the middle can still be undone. It stays when
    // the deed fails: an engine that gave no answer may still carry out its command.
    RoleRecord intent = plan.record;
    if (plan.role == Role::kStandby && shared_.last()) {
      intent = *shared_.last();
      intent.commands_at = plan.record.commands_at;
      intent.sent = plan.record.sent;
    }
    const RoleChange change{options_.verify_timeout_s, before_, shared_.earlier_commands(),
                            [this] { return is_overtaken(); }};
    shared_.remember(intent);
    cli_.waiting_for("the engine to obey");
    const RoleOutcome outcome = change_role(plan, engine_, engine_.means(), change, deadline_);
    if (outcome.end == End::kVerified || outcome.end == End::kUnverified) {
      RoleRecord after = plan.record;
      // What no means can show stays open for ever otherwise.
      if (outcome.end == End::kVerified || !engine_.means().any()) {
        after.commands_at = 0;
        after.sent.clear();
      }
      shared_.remember(after);
      shared_.mark_done(mine_, deadline_);
    }
    return report_on(plan, outcome);
  }

  int code_when_done() const { return shared_.trouble().empty() ? kExitDone : kExitWarnings; }

  Report report_on(const RolePlan& plan, const RoleOutcome& outcome) {
    const std::string change = describe_change(plan);
    for (std::size_t i = 0; i < outcome.steps_done; ++i) steps_.push_back(describe(plan.steps[i]));
    std::string text;
    switch (outcome.end) {
      case RoleOutcome::End::kVerified:
        text = fmt::format("{}: {}, verified in {:.1f}s", mine_.title, change, outcome.seconds);
        return {code_when_done(), with_trouble(text + undone(plan)), true};
      case RoleOutcome::End::kUnverified:
        text = fmt::format("{}: {}, sent but not verified: {}", mine_.title, change, outcome.text);
        return {kExitWarnings, with_trouble(text + undone(plan)), true};
      case RoleOutcome::End::kOvertaken:
        return {kExitDone, superseded(shared_.overtaking(mine_)), false};
      case RoleOutcome::End::kFailed:
        break;
    }
    text = fmt::format("{} failed: {}", mine_.title, outcome.text);
    if (outcome.steps_done > 0)
      text += fmt::format(" (after {} of {} steps)", outcome.steps_done, plan.steps.size());
    return {kExitFailed, with_trouble(text), true};
  }

  // A role that is given again may undo what a person wants: the text names it, and how to keep it.
  std::string undone(const RolePlan& plan) const {
    const std::string what = describe_undone(plan, facts_);
    if (mine_.kind != Arrival::Kind::kReassert || what.empty()) return "";
    return fmt::format(
        "; this undoes what was switched by hand or lost in a restart: {} (to keep "
        "that, run: {} --{})",
        what, kThisProgram, mine_.role == Role::kActive ? "deactivate" : "activate");
  }

  std::string with_trouble(std::string text) const {
    return shared_.trouble().empty() ? text : text + "; " + shared_.trouble();
  }

  std::string superseded(const std::optional<Arrival>& later) const {
    return fmt::format("{}: superseded by {}", mine_.title, later ? later->title : "a later event");
  }

  // Logs to syslog, notifies people, and prints the last words.
  int publish(const Report& report) {
    const auto& [code, words, people] = report;
    const std::string text = cli_.complete(words);
    if (!people) return cli_.finish(code, text, steps_);
    syslog(LOG_DAEMON | (code == kExitDone ? LOG_NOTICE : LOG_ERR), "%s", sanitize(text).c_str());
    std::vector<std::string> lines = steps_;
    if (options_.notify.wanted()) {
      cli_.prepare_last_words(code, text + " (no notification was sent in time)");
      char host[256] = "";
      gethostname(host, sizeof host - 1);
      const char* const outcome = code == kExitDone     ? "done"
                                  : code == kExitFailed ? "failed"
                                                        : "unverified";
      const Notice notice{
          fmt::format("{}: {}", host, text),
          {text},
          {{"host", host}, {"role", std::string(role_name(mine_.role))}, {"outcome", outcome}}};
      for (std::string& failure :
           notify(options_.notify, notice,
                  deadline_.from_now(std::min(kNotifyBudget_s, deadline_.remaining_s()))))
        lines.push_back(sanitize(failure));
    }
    return cli_.finish(code, text, lines);
  }

  const Cli& cli_;
  const HandlerOptions& options_;
  Arrival mine_;
  Succession shared_;
  PosixProcess process_;
  LocalEngine engine_;
  Deadline deadline_;
  Since since_;
  EngineView before_ = {};
  RoleFacts facts_ = {};
  std::vector<std::string> steps_ = {};  // that were done, for people
};

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  HandlerOptions options;
  Cli cli(clock, "handle_engine_failover",
          "Activates or deactivates the local monitoring engine on an event.", Cli::Kind::kHandler);
  add_handler_options(cli, options);
  if (const auto clean = refuse_control_bytes(arguments.words()); !clean)
    return cli.usage_error(clean.error().text);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (const std::string mistake = find_mistake(options); !mistake.empty())
    return cli.usage_error(mistake);
  if (const auto usable = check_notify_options(options.notify); !usable)
    return cli.usage_error(usable.error().text);
  auto sources = make_sources(options);
  if (!sources) return cli.usage_error(sources.error().text);
  options.control.kind = *options.kind;

  Gate gate;
  if (!options.reassert && !options.activate && !options.deactivate) {
    const auto judged = judge_event(options.event);
    if (!judged) return cli.usage_error(judged.error().text);
    gate = *judged;
    if (gate.meaning == EventMeaning::kNothing)
      return cli.finish(kExitDone, fmt::format("nothing to do on {}", gate.event));
  }
  openlog("handle_engine_failover", LOG_PID, LOG_DAEMON);
  Handler handler(cli, options, std::move(*sources), make_arrival(options, gate));
  return options.dry_run ? handler.dry_run() : handler.run();
}

}  // namespace ha
