// SPDX-License-Identifier: MIT
#include "common/failover/live_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/failover/clients.h"
#include "common/failover/binlog_events.h"
#include "common/failover/step_tools.h"
#include "common/mysql/events.h"
#include "common/mysql/probe.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/variables.h"
#include "common/vip/move.h"

namespace ha {

LiveActions::LiveActions(const Env& env, const FailoverOptions& options, const Situation& situation,
                         Plan plan, std::string run_id, std::string directory)
    : env_(env),
      options_(options),
      topology_(situation.topology),
      plan_(std::move(plan)),
      run_id_(std::move(run_id)),
      directory_(std::move(directory)) {
  for (std::size_t i = 0; i < situation.sessions.size(); ++i)
    if (situation.sessions[i]) sessions_[topology_.nodes[i].name] = situation.sessions[i];
}

const Node* LiveActions::find(const std::string& node) const {
  const auto found = std::ranges::find(topology_.nodes, node, &Node::name);
  return found == topology_.nodes.end() ? nullptr : &*found;
}

// A node's first session holds its locks, so it stays the one that steps get. Who needs the node at
// the same time, or after a step that hangs, gets a session for that once.
Result<LiveActions::Session> LiveActions::take(const std::string& name) {
  {
    const std::lock_guard guard(mutex_);
    const auto found = sessions_.find(name);
    if (found != sessions_.end() && in_use_.insert(name).second) return found->second;
  }
  return connect_to(name);
}

Result<LiveActions::Session> LiveActions::connect_to(const std::string& name) const {
  const Node* const node = find(name);
  if (node == nullptr) return failure(fmt::format("no node is called '{}'", name));
  MysqlOptions one = options_for({node->name, node->host, node->port}, options_.cluster.mysql,
                                 options_.probe_timeout_s);
  one.answer_timeout_s = static_cast<unsigned>(std::ceil(options_.deadline_s));
  auto session = env_.connector.connect(one);
  if (!session) return session.error();
  return Session(std::move(*session));
}

// Reads of a node what may have moved since the situation was looked at.
Result<ServerFacts> LiveActions::read_again(const std::string& name, SqlSession& session) const {
  const Node* const node = find(name);
  if (node == nullptr || !node->facts) return read_server_facts(session);
  ServerFacts facts = *node->facts;
  if (const auto done = reread_replication(session, facts); !done) return done.error();
  return facts;
}

void LiveActions::give_back(const std::string& node, const Session& session) {
  const std::lock_guard guard(mutex_);
  if (sessions_.try_emplace(node, session).first->second == session) in_use_.erase(node);
}

// The same of another node than the step's, which is not to blame when that fails.
Result<ServerFacts> LiveActions::read_other(const std::string& name) {
  auto session = take(name);
  if (!session) return failure(session.error().text);
  auto facts = read_again(name, **session);
  if (facts || !is_no_answer(facts.error()))
    give_back(name, *session);
  else
    forget(name, *session);
  return facts ? std::move(facts) : failure(facts.error().text);
}

// A connection that broke is of no use to later steps.
void LiveActions::forget(const std::string& node, const Session& session) {
  const std::lock_guard guard(mutex_);
  const auto found = sessions_.find(node);
  if (found == sessions_.end() || found->second != session) return;
  sessions_.erase(found);
  in_use_.erase(node);
}

Result<StepResult> LiveActions::perform(const Step& step, const RunFacts& known,
                                        const Deadline& deadline) {
  switch (step.action) {
    case Action::kConfirmDead:
      return confirm_dead(step);
    case Action::kRecheck:
      return recheck(step, known);
    case Action::kHook:
    case Action::kStartService:
      return run_command(step, known, deadline);
    case Action::kVipDown:
    case Action::kVipUp:
      return move_vip(step, known, hook_deadline(program_deadline(step, deadline)));
    case Action::kWriteFile:
      return write_file(step);
    case Action::kFence:
      if (!step.argv.empty()) return run_fence(step, known, deadline);
      break;
    default:
      break;
  }
  auto session = take(step.node);
  if (!session) {
    // What is dead takes no writes.
    if (step.action == Action::kFence && step.may_fail && is_no_answer(session.error()))
      return StepResult{"it does not answer"};
    return session.error();
  }
  auto result = perform_sql(step, **session, known, deadline);
  if (result || !is_no_answer(result.error()))
    give_back(step.node, *session);
  else
    forget(step.node, *session);
  return result;
}

Result<StepResult> LiveActions::perform_sql(const Step& step, SqlSession& session,
                                            const RunFacts& known, const Deadline& deadline) {
  switch (step.action) {
    case Action::kLock:
      return lock(step, session);
    case Action::kFence:
    case Action::kBlockWriters:
      return close_writers(step, session, known, deadline);
    case Action::kDrain:
      return drain(step, session, known, deadline);
    case Action::kCatchUp:
    case Action::kWaitEqual:
      return wait_for_node(step, session, known, deadline);
    case Action::kEvents:
      return move_events(step, session, known, deadline);
    case Action::kSetDelay:
      return set_delay(step, session, known, deadline);
    case Action::kRecord:
      return record(step, session);
    case Action::kRescue:
      return rescue(step, session, known, deadline);
    case Action::kSaveExtra:
      return save_extra(step, session, deadline);
    case Action::kPromote:
      return promote(step, session, known, deadline);
    case Action::kRepoint:
      return follow_source(step, session, known, deadline);
    case Action::kMakeWritable:
      return open(step, session, known, deadline);
    case Action::kRestore:
      return restore(step, session, known, deadline);
    case Action::kSemiSync:
      if (const auto done = run_sql(step.statements, session, known, deadline); !done)
        return done.error();
      return wait_for_acknowledger(step.node, session, deadline);
    case Action::kUnblock:
      // Who waits for the lock would write when it ends, and nobody would follow.
      if (const auto gone = turn_away_clients(session, env_.clock); !gone) return gone.error();
      break;
    default:
      break;
  }
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  return StepResult{};
}

PlaceholderValues LiveActions::values_of(const RunFacts& known) const {
  const auto find_position = [&](const std::string& name) {
    return known.contains(name + "_file") ? std::optional(position_of(known, name)) : std::nullopt;
  };
  return {find_position("binlog"), find_position("applied"), {}, options_.repl_password};
}

Result<Done> LiveActions::run_sql(const Statements& statements, SqlSession& session,
                                  const RunFacts& known, const Deadline& deadline) const {
  return run_statements(statements, session, values_of(known), deadline);
}

// Whoever had the lock before may have changed what the plan was made on.
Result<StepResult> LiveActions::lock(const Step& step, SqlSession& session) {
  const std::string name = quote_string(lock_name());
  // A server takes a moment to notice that the run which had it has ended.
  const auto got = query_value(session, fmt::format("SELECT GET_LOCK({}, 1)", name));
  if (!got) return got.error();
  if (*got == "1") return compare_view(step, session);
  const auto holder = query_value(session, fmt::format("SELECT IS_USED_LOCK({})", name));
  return Error{Errc::kRefused,
               fmt::format("another run holds its lock (connection {})", holder ? *holder : "?")};
}

Result<StepResult> LiveActions::compare_view(const Step& step, SqlSession& session) const {
  const Node* const node = find(step.node);
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  const auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  if (node->writable() == *closed || sources_of(node->channels()) != sources_of(*channels))
    return failure("another run has changed it");
  return StepResult{};
}

std::string LiveActions::lock_name() const { return options_.node_lock(); }

Result<StepResult> LiveActions::confirm_dead(const Step& step) {
  const Node* const primary = find(step.node);
  if (primary == nullptr) return failure("it is no node of the cluster");
  const Topology now =
      probe_topology(env_, {{primary->name, primary->host, primary->port}}, options_.cluster.mysql,
                     Deadline::after(env_.clock, options_.probe_timeout_s));
  const Node& probed = now.nodes[0];
  if (probed.alive())
    return failure(probed.error.empty() ? "it answers" : "it is alive: " + probed.error);
  if (!probed.silent()) return failure("it could not be asked: " + probed.error);
  return StepResult{probed.error};
}

Result<StepResult> LiveActions::recheck(const Step& step, const RunFacts& known) {
  for (const Node& node : topology_.nodes) {
    // The old primary is dead, or its session is busy with keeping it closed.
    if (!node.facts || (node.name == plan_.primary && plan_.primary != plan_.candidate)) continue;
    auto session = take(node.name);
    if (!session) return session.error();
    const auto ours = query_value(
        **session,
        fmt::format("SELECT IS_USED_LOCK({}) = CONNECTION_ID()", quote_string(lock_name())));
    if (!ours || *ours != "1") return failure("the lock on " + node.name + " is lost");
    give_back(node.name, *session);
  }
  if (plan_.command == "reopen") return compare_binlogs(step.node);
  if (plan_.command != "failover" || known.contains("fenced")) return StepResult{};
  return confirm_dead(step);
}

// Without GTIDs only the sizes of a restarted primary's binlogs tell whether it has lost what its
// replicas have received.
Result<StepResult> LiveActions::compare_binlogs(const std::string& primary) {
  auto session = take(primary);
  if (!session) return session.error();
  for (const Node& node : topology_.nodes)
    for (std::size_t c = 0; c < node.sources.size(); ++c) {
      const ChannelStatus& channel = node.channels()[c];
      if (!node.sources[c] || topology_.nodes[*node.sources[c]].name != primary ||
          channel.uses_gtid)
        continue;
      const auto lost = ends_before(**session, channel.read);
      if (!lost) return lost.error();
      if (*lost)
        return failure(fmt::format(
            "{0} has received events up to {2}:{3}, which {1} has lost; to promote a replica, "
            "stop {1} and run: mysql_ha failover",
            node.name, primary, channel.read.file, channel.read.offset));
    }
  give_back(primary, *session);
  return StepResult{};
}

Command LiveActions::command_of(const std::vector<std::string>& argv, const RunFacts& known) const {
  const Node *failed = find(plan_.primary), *successor = find(plan_.candidate);
  Command command{argv, {{"HA_COMMAND", plan_.command}, {"HA_RUN", run_id_}}};
  if (failed != nullptr) describe_node(command, "FAILED", *failed);
  if (successor != nullptr) describe_node(command, "SUCCESSOR", *successor);
  for (const auto& [fact, variable] : {std::pair("applied_file", "HA_BINLOG_FILE"),
                                       std::pair("applied_position", "HA_BINLOG_POSITION")})
    if (const auto found = known.find(fact); found != known.end())
      command.environment.emplace_back(variable, found->second);
  return command;
}

Result<ProcessOutcome> LiveActions::run_program(const std::vector<std::string>& argv,
                                                const RunFacts& known, const Deadline& deadline) {
  return env_.process.run(command_of(argv, known), deadline);
}

Deadline LiveActions::hook_deadline(const Deadline& deadline) const {
  return deadline.from_now(std::min(deadline.remaining_s(), options_.hook_timeout_s));
}

Result<StepResult> LiveActions::run_command(const Step& step, const RunFacts& known,
                                            const Deadline& deadline) {
  const auto outcome = run_program(step.argv, known, hook_deadline(deadline));
  if (!outcome) return outcome.error();
  const std::string text = describe_end(step.argv, *outcome);
  if (!outcome->succeeded()) return failure(text);
  return StepResult{text};
}

// The exit codes are those of MHA's scripts, which people have.
Result<StepResult> LiveActions::run_fence(const Step& step, const RunFacts& known,
                                          const Deadline& deadline) {
  constexpr int kOperatorAccepts = 10;
  Command command = command_of(step.argv, known);
  command.environment.emplace_back(kFenceAction, "off");
  const auto outcome = env_.process.run(command, hook_deadline(program_deadline(step, deadline)));
  if (!outcome) return outcome.error();
  const bool accepted =
      outcome->end == ProcessOutcome::End::kExited && outcome->code == kOperatorAccepts;
  const std::string text = describe_end(step.argv, *outcome);
  if (accepted && plan_.hung)
    return failure("only exit 0 is enough for a primary that hangs: " + text);
  if (accepted) {
    const std::string warning = "NOT fenced, the operator accepts it: " + text;
    return StepResult{warning, {}, fmt::format("{} is {}", step.node, warning)};
  }
  if (!outcome->succeeded()) return failure(text);
  return StepResult{text, {{"fenced", text}}};
}

// Closes a server for writes and ends its clients' connections: before, because table locks would
// keep it open, and after, because only then nobody new can write.
Result<StepResult> LiveActions::close_writers(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  // A statement that waits longer than we do would close the server when nobody wants it any more.
  if (const auto set = session.query("SET SESSION lock_wait_timeout=5"); !set) return set.error();
  const auto before = end_clients(session);
  if (!before) return before.error();
  if (const auto done = run_sql(only(step.statements, {Part::kClose}), session, known, deadline);
      !done)
    return done.error();
  const auto after = end_clients(session);
  if (!after) return after.error();
  if (const auto done = run_sql(without(step.statements, {Part::kClose}), session, known, deadline);
      !done)
    return done.error();
  const auto closed = read_switch(session, "read_only");
  if (!closed || !*closed) return failure("it still accepts writes");
  return StepResult{fmt::format("read-only, {} connections ended", *before + *after),
                    {{"closed", "yes"}}};
}

Result<StepResult> LiveActions::open(const Step& step, SqlSession& session, const RunFacts& known,
                                     const Deadline& deadline) {
  if (const auto done = run_sql(step.statements, session, known, deadline); !done)
    return done.error();
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  if (*closed) return failure("it is still read-only");
  return StepResult{"it accepts writes", {{kOpenedFact, "yes"}}};
}

namespace {

// Returns the statement that makes an event what it is not.
Statement change_of(const ServerEvent& event, const Version& version) {
  if (event.enabled) return {Part::kDisableEvent, disable_on_replica(version, event)};
  return {Part::kEnableEvent, enable(event)};
}

}  // namespace

// No binlog tells of it: each server's own role decides.
Result<StepResult> LiveActions::move_events(const Step& step, SqlSession& session,
                                            const RunFacts& known, const Deadline& deadline) const {
  if (const auto off = session.query("SET SESSION sql_log_bin=0"); !off) return off.error();
  const auto done = run_sql(step.statements, session, known, deadline);
  if (const auto on = session.query("SET SESSION sql_log_bin=1"); !on) return on.error();
  if (!done) return done.error();
  const auto events = read_events(session);
  if (!events) return events.error();
  for (const ServerEvent& event : *events)
    // Would it have to be run once more?
    if (std::ranges::find(step.statements, change_of(event, session.version())) !=
        step.statements.end())
      return failure(
          fmt::format("event {} is still {}", event.name, event.enabled ? "enabled" : "disabled"));
  return StepResult{fmt::format("{} events", step.statements.size())};
}

Result<StepResult> LiveActions::move_vip(const Step& step, const RunFacts& known,
                                         const Deadline& deadline) {
  const Node* const node = find(step.node);
  if (node == nullptr) return failure(fmt::format("no node is called '{}'", step.node));
  const bool up = step.action == Action::kVipUp;
  const auto host = env_.network.open_vip_host(options_.vip, node->host, env_.process, deadline);
  const auto moved =
      up ? take_vip(options_.vip, *host, env_.clock, deadline) : drop_vip(options_.vip, *host);
  // Whether a dead machine has let go of it shows when it is taken.
  if (!moved && !up && known.contains("fenced"))
    return StepResult{"it is fenced, and could not be asked: " + moved.error().text};
  if (!moved) return moved.error();
  return StepResult{fmt::format("{} {} it", options_.vip.address, up ? "is on" : "is not on")};
}

Result<StepResult> LiveActions::write_file(const Step& step) const {
  // Other programs read it: there is no secret in it.
  constexpr mode_t kReadable = 0644;
  if (const auto written = env_.files.write_atomic(step.path, step.content, kReadable); !written)
    return written.error();
  return StepResult{step.path};
}

}  // namespace ha
