// SPDX-License-Identifier: MIT
// The steps of LiveActions that run programs, move the virtual IP and write files.
#include <fmt/format.h>

#include <algorithm>

#include "common/context/mha_call.h"
#include "common/context/operator_program.h"
#include "common/execute/failure.h"
#include "common/execute/live_actions.h"
#include "common/mysql/quote.h"
#include "common/mysql/variables.h"
#include "common/vip/move.h"

namespace ha {

Command LiveActions::command_of(const std::vector<std::string>& argv, const RunFacts& known) const {
  const Node *failed = find(plan_.primary), *successor = find(plan_.candidate);
  Command command{argv,
                  {{"HA_COMMAND", std::string(command_name(plan_.command))}, {"HA_RUN", run_id_}}};
  if (failed != nullptr) describe_node(command, "FAILED", *failed);
  if (successor != nullptr) describe_node(command, "SUCCESSOR", *successor);
  if (known.applied) {
    command.environment.emplace_back("HA_BINLOG_FILE", known.applied->file);
    command.environment.emplace_back("HA_BINLOG_POSITION", std::to_string(known.applied->offset));
  }
  return command;
}

Result<ProcessOutcome> LiveActions::run_program(const std::vector<std::string>& argv,
                                                const RunFacts& known, const Deadline& deadline) {
  return env_.process.run(command_of(argv, known), deadline);
}

Deadline LiveActions::hook_deadline(const Deadline& deadline) const {
  return deadline.from_now(std::min(deadline.remaining_s(), options_.hook_timeout_s));
}

Result<ProcessOutcome> LiveActions::run_step(const Step& step, Command command,
                                             const Deadline& deadline) const {
  if (!step.by_mha) return env_.process.run(command, deadline);
  const auto& password = options_.cluster.mysql.password;
  command.argv = expand_mha_call(env_, step.argv, password, deadline);
  auto outcome = env_.process.run(command, deadline);
  if (outcome) outcome->output = without_password(std::move(outcome->output), password);
  return outcome;
}

Result<StepResult> LiveActions::run_command(const Step& step, const RunFacts& known,
                                            const Deadline& deadline) {
  const auto outcome = run_step(step, command_of(step.argv, known), hook_deadline(deadline));
  if (!outcome) return outcome.error();
  const std::string text = describe_end(step.argv, *outcome);
  if (!outcome->succeeded()) return failure(text);
  return StepResult{text};
}

Result<StepResult> LiveActions::run_fence(const Step& step, const RunFacts& known,
                                          const Deadline& deadline) {
  Command command = command_of(step.argv, known);
  command.environment.emplace_back(kFenceAction, "off");
  const auto outcome =
      run_step(step, std::move(command), hook_deadline(program_deadline(step, deadline)));
  if (!outcome) return outcome.error();
  const bool accepted = read_fence(*outcome) == FenceEnd::kAccepted;
  const std::string text = describe_end(step.argv, *outcome);
  if (accepted && plan_.hung)
    return failure("the primary hangs, so only exit code 0 is enough: " + text);
  if (accepted) {
    const std::string warning =
        (step.by_mha ? "NOT proven to be fenced: its machine is on, only its server was stopped: "
                     : "NOT fenced, the operator accepts it: ") +
        text;
    return StepResult{warning, {}, fmt::format("{} is {}", step.node, warning)};
  }
  if (!outcome->succeeded()) return failure(text);
  return StepResult{text, {.fenced = true}};
}

Result<StepResult> LiveActions::run_mha_script(const Step& step, const RunFacts& known,
                                               const Deadline& deadline) {
  const auto outcome = run_step(step, command_of(step.argv, known), hook_deadline(deadline));
  if (!outcome) return outcome.error();
  std::string text = describe_end(step.argv, *outcome);
  const FenceEnd end = read_fence(*outcome);
  if (end == FenceEnd::kFailed) return failure(text);
  StepResult done{text, {.opened = may_be_open(step)}};
  if (end == FenceEnd::kAccepted) done.warning = text;
  return done;
}

// Whether clients may write where a script has moved the address to: then there is no way back.
bool LiveActions::may_be_open(const Step& step) {
  if (step.number == 0 || step.node != plan_.candidate) return false;
  auto session = sessions_.borrow(step.node);
  if (!session) return true;
  const auto closed = read_switch(**session, "read_only");
  session->judge(closed);
  return !closed || !*closed;
}

Result<StepResult> LiveActions::move_vip(const Step& step, const RunFacts& known,
                                         const Deadline& whole) {
  const Deadline deadline = hook_deadline(program_deadline(step, whole));
  const Node* const node = find(step.node);
  if (node == nullptr) return failure(fmt::format("no node is called '{}'", step.node));
  const bool up = step.action == Action::kVipUp;
  const auto host = env_.network.open_vip_host(options_.vip, node->host, env_.process, deadline);
  const auto moved =
      up ? take_vip(options_.vip, *host, env_.clock, deadline) : drop_vip(options_.vip, *host);
  // Whether a dead machine has let go of it shows when it is taken.
  if (!moved && !up && known.fenced)
    return StepResult{"it is fenced, and could not be asked: " + moved.error().text};
  if (!moved) return moved.error();
  return StepResult{fmt::format("{} {} it", options_.vip.address, up ? "is on" : "is not on")};
}

Result<StepResult> LiveActions::write_file(const Step& step, const RunFacts&, const Deadline&) {
  // Other programs read it: there is no secret in it.
  constexpr mode_t kReadable = 0644;
  if (const auto written = env_.files.write_atomic(step.path, step.content, kReadable); !written)
    return written.error();
  return StepResult{step.path};
}

Result<StepResult> LiveActions::tell_console(const Step& step, const RunFacts& known,
                                             const Deadline& deadline) {
  // Not the session that holds the lock: a commit may wait for replicas.
  const auto session = connect_to(step.node);
  if (!session) return session.error();
  const auto done = run_sql(step.statements, **session, known, deadline);
  if (done) return StepResult{};
  const Error& error = done.error();
  if (error.code == Errc::kMissing) return StepResult{"the console is not told: " + error.text};
  if (error.code != Errc::kPrivilege) return error;
  const std::string table = quote_identifier(options_.policy.console_database) + ".tevento";
  return StepResult{fmt::format("the console is not told: {}; to let it be, run: {}", error.text,
                                grant_statement(**session, "INSERT", table))};
}

}  // namespace ha
