// SPDX-License-Identifier: MIT
#include "common/failover/live_actions.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "common/failover/rescue.h"
#include "common/files.h"
#include "common/mysql/probe.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"
#include "common/text.h"
#include "common/vip/move.h"

namespace ha {

namespace {

// Polls are short beside what they wait for, and cheap: two statements.
void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

Error failure(std::string text) { return {Errc::kUnreachable, std::move(text)}; }

// Tells later steps that a node has applied all that it received.
std::string drained_fact(const std::string& node) { return "drained_" + node; }

const ChannelStatus* find_channel(const std::vector<ChannelStatus>& channels,
                                  const std::string& name) {
  const auto found = std::ranges::find(channels, name, &ChannelStatus::name);
  return found == channels.end() ? nullptr : &*found;
}

// Returns the connections of clients, not those of replicas and our own.
Result<std::set<std::string>> find_clients(SqlSession& session) {
  const auto own = query_value(session, "SELECT CONNECTION_ID()");
  if (!own) return own.error();
  const auto rows = session.query("SHOW PROCESSLIST");
  if (!rows) return rows.error();
  std::set<std::string> clients;
  for (std::size_t i = 0; i < rows->cells.size(); ++i) {
    const Row row(*rows, i);
    const std::string user = row.text("User").value_or(""), id = row.text("Id").value_or("");
    const std::string command = row.text("Command").value_or("");
    if (!id.empty() && id != *own && user != "system user" && user != "event_scheduler" &&
        !command.starts_with("Binlog Dump") && command != "Daemon")
      clients.insert(id);
  }
  return clients;
}

// Ends them; returns how many.
Result<int> end_clients(SqlSession& session) {
  const auto clients = find_clients(session);
  if (!clients) return clients.error();
  int ended = 0;
  // One that has gone by itself is ended too.
  for (const std::string& id : *clients)
    if (session.query("KILL CONNECTION " + id)) ++ended;
  return ended;
}

// Ends clients that wait for a lock of ours, and waits until they are gone: as long as they are
// there, the end of the lock lets them do what they waited for.
Result<Done> turn_away_clients(SqlSession& session) {
  constexpr double kPatience_s = 1;
  const auto waiting = find_clients(session);
  if (!waiting) return waiting.error();
  if (const auto ended = end_clients(session); !ended) return ended.error();
  for (const Deadline patience = Deadline::after(kPatience_s); !patience.passed(); pause()) {
    const auto left = find_clients(session);
    if (!left) return left.error();
    if (std::ranges::none_of(*waiting, [&](const auto& id) { return left->contains(id); })) break;
  }
  return Done{};
}

}  // namespace

std::string fill_in(std::string_view sql, const RunFacts& values) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '\'') quoted = !quoted;
    const std::size_t end = sql[i] == '{' && !quoted ? sql.find('}', i) : sql.npos;
    const auto value =
        end == sql.npos ? values.end() : values.find(std::string(sql.substr(i + 1, end - i - 1)));
    if (value == values.end()) {
      text += sql[i];
    } else {
      text += value->second;
      i = end;
    }
  }
  return text;
}

LiveActions::LiveActions(const FailoverOptions& options, const Situation& situation, Plan plan,
                         std::string run_id, std::string directory)
    : options_(options),
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
  auto session = connect(one);
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
      return move_vip(step, known, hook_deadline(deadline));
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
    if (step.action == Action::kFence && step.may_fail &&
        session.error().code == Errc::kUnreachable)
      return StepResult{"it does not answer"};
    return session.error();
  }
  auto result = perform_sql(step, **session, known, deadline);
  give_back(step.node, *session);
  return result;
}

Result<StepResult> LiveActions::perform_sql(const Step& step, SqlSession& session,
                                            const RunFacts& known, const Deadline& deadline) {
  switch (step.action) {
    case Action::kLock:
      return lock(step, session);
    case Action::kFence:
    case Action::kBlockWriters:
      return close_writers(step, session, known);
    case Action::kDrain:
      return drain(step, session, known, deadline);
    case Action::kCatchUp:
    case Action::kWaitEqual:
      return wait_for_node(step, session, known, deadline);
    case Action::kRecord:
      return record(step, session);
    case Action::kRescue:
      return rescue(step, session, known, deadline);
    case Action::kSaveExtra:
      return save_extra(step, session, deadline);
    case Action::kPromote:
      return promote(step, session, known);
    case Action::kRepoint:
      return follow_source(step, session, known, deadline);
    case Action::kMakeWritable:
      return open(step, session, known);
    case Action::kRestore:
      return restore(step, session, known);
    case Action::kUnblock:
      // Who waits for the lock would write when it ends, and nobody would follow.
      if (const auto gone = turn_away_clients(session); !gone) return gone.error();
      break;
    default:
      break;
  }
  if (const auto done = run_sql(step.sql, session, known); !done) return done.error();
  return StepResult{};
}

Result<Done> LiveActions::run_sql(const std::vector<std::string>& statements, SqlSession& session,
                                  const RunFacts& known) const {
  RunFacts values = known;
  for (const char* const name : {"binlog_file", "applied_file"})
    if (const auto found = values.find(name); found != values.end())
      found->second = quote_string(found->second);
  for (const std::string& sql : statements) {
    std::string filled = fill_in(sql, values);
    if (filled.find(kReplPassword) != filled.npos) {
      if (!options_.repl_password)
        return Error{Errc::kUsage,
                     "the password of the replication account is not known "
                     "(--repl-defaults-file)"};
      values["repl_password"] = quote_string(*options_.repl_password);
      filled = fill_in(filled, values);
    }
    if (const auto rows = session.query(filled); !rows) return rows.error();
  }
  return Done{};
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
  const auto closed = query_value(session, "SELECT @@GLOBAL.read_only");
  if (!closed) return closed.error();
  const auto channels = read_replica_status(session);
  if (!channels) return channels.error();
  const auto sources = [](const std::vector<ChannelStatus>& list) {
    std::vector<std::string> names;
    for (const ChannelStatus& channel : list) names.push_back(channel.name + channel.source());
    std::ranges::sort(names);
    return names;
  };
  if (node->writable() != (*closed == "0") || sources(node->channels()) != sources(*channels))
    return failure("another run has changed it");
  return StepResult{};
}

std::string LiveActions::lock_name() const { return options_.node_lock(); }

Result<StepResult> LiveActions::confirm_dead(const Step& step) {
  const Node* const primary = find(step.node);
  if (primary == nullptr) return failure("it is no node of the cluster");
  const Topology now =
      probe_topology({{primary->name, primary->host, primary->port}}, options_.cluster.mysql,
                     Deadline::after(options_.probe_timeout_s));
  const Node& probed = now.nodes[0];
  if (probed.alive())
    return failure(probed.error.empty() ? "it answers" : "it is alive: " + probed.error);
  return StepResult{probed.error};
}

Result<StepResult> LiveActions::recheck(const Step& step, const RunFacts& known) {
  for (const Node& node : topology_.nodes) {
    if (!node.facts || node.name == plan_.primary) continue;
    auto session = take(node.name);
    if (!session) return session.error();
    const auto ours = query_value(
        **session,
        fmt::format("SELECT IS_USED_LOCK({}) = CONNECTION_ID()", quote_string(lock_name())));
    if (!ours || *ours != "1") return failure("the lock on " + node.name + " is lost");
    give_back(node.name, *session);
  }
  if (plan_.command != "failover" || known.contains("fenced")) return StepResult{};
  return confirm_dead(step);
}

Result<ProcessOutcome> LiveActions::run_program(const std::vector<std::string>& argv,
                                                const RunFacts& known, const Deadline& deadline,
                                                const std::string& output_file) {
  const Node *failed = find(plan_.primary), *successor = find(plan_.candidate);
  Command command{argv, {{"HA_COMMAND", plan_.command}, {"HA_RUN", run_id_}}, output_file};
  const auto describe_node = [&](const char* role, const Node* node) {
    if (node == nullptr) return;
    command.environment.emplace_back(fmt::format("HA_{}_NODE", role), node->name);
    command.environment.emplace_back(fmt::format("HA_{}_HOST", role), node->host);
    command.environment.emplace_back(fmt::format("HA_{}_PORT", role), std::to_string(node->port));
  };
  describe_node("FAILED", failed);
  describe_node("SUCCESSOR", successor);
  for (const auto& [fact, variable] : {std::pair("applied_file", "HA_BINLOG_FILE"),
                                       std::pair("applied_position", "HA_BINLOG_POSITION")})
    if (const auto found = known.find(fact); found != known.end())
      command.environment.emplace_back(variable, found->second);
  return process_.run(command, deadline);
}

Deadline LiveActions::hook_deadline(const Deadline& deadline) const {
  return Deadline::after(std::min(deadline.remaining_s(), options_.hook_timeout_s));
}

Result<StepResult> LiveActions::run_command(const Step& step, const RunFacts& known,
                                            const Deadline& deadline) {
  const auto outcome = run_program(step.argv, known, hook_deadline(deadline));
  if (!outcome) return outcome.error();
  const std::string text = fmt::format("{} {}: {}", step.argv[0], describe(*outcome),
                                       shorten(sanitize(trim(outcome->output)), 300));
  if (!outcome->succeeded()) return failure(text);
  return StepResult{text};
}

// The exit codes are those of MHA's scripts, which people have.
Result<StepResult> LiveActions::run_fence(const Step& step, const RunFacts& known,
                                          const Deadline& deadline) {
  constexpr int kOperatorAccepts = 10;
  const auto outcome = run_program(step.argv, known, hook_deadline(deadline));
  if (!outcome) return outcome.error();
  const bool accepted =
      outcome->end == ProcessOutcome::End::kExited && outcome->code == kOperatorAccepts;
  const std::string text = fmt::format("{} {}: {}", step.argv[0], describe(*outcome),
                                       shorten(sanitize(trim(outcome->output)), 300));
  if (accepted) return StepResult{"NOT fenced, the operator accepts it: " + text};
  if (!outcome->succeeded()) return failure(text);
  return StepResult{text, {{"fenced", text}}};
}

// Closes a server for writes and ends its clients' connections: before, because table locks would
// keep it open, and after, because only then nobody new can write.
Result<StepResult> LiveActions::close_writers(const Step& step, SqlSession& session,
                                              const RunFacts& known) {
  // A statement that waits longer than we do would close the server when nobody wants it any more.
  if (const auto set = session.query("SET SESSION lock_wait_timeout=5"); !set) return set.error();
  const auto before = end_clients(session);
  if (!before) return before.error();
  if (const auto done = run_sql({step.sql[0]}, session, known); !done) return done.error();
  const auto after = end_clients(session);
  if (!after) return after.error();
  if (const auto done = run_sql({step.sql.begin() + 1, step.sql.end()}, session, known); !done)
    return done.error();
  const auto closed = query_value(session, "SELECT @@GLOBAL.read_only");
  if (!closed || *closed == "0") return failure("it still accepts writes");
  return StepResult{fmt::format("read-only, {} connections ended", *before + *after),
                    {{"closed", "yes"}}};
}

namespace {

// True when nobody works on the rest of a relay log that receives nothing more: it is the first
// part of a transaction that will never be whole.
Result<bool> is_torn_end(const ChannelStatus& channel, SqlSession& session) {
  if (channel.io.running() || !channel.applier_idle || channel.executed == channel.read)
    return false;
  const auto busy = query_value(
      session,
      session.version().flavour == Flavour::kMysql
          ? "SELECT COUNT(*) FROM performance_schema.replication_applier_status_by_worker"
            " JOIN performance_schema.threads USING (THREAD_ID) WHERE CHANNEL_NAME = " +
                quote_string(channel.name) +
                " AND PROCESSLIST_STATE NOT LIKE 'Waiting for an event from Coordinator%'"
          : "SELECT COUNT(*) FROM information_schema.processlist WHERE COMMAND = 'Slave_worker'"
            " AND STATE NOT LIKE 'Waiting for work%'");
  if (!busy) return busy.error();
  return *busy == "0";
}

// Makes a channel ready to be stopped. MySQL's parallel applier that has come to a torn end waits a
// minute for the rest of it, unless it has ended before it is asked to stop; nothing of the
// transaction is committed.
Result<Done> let_stop(const ChannelStatus& channel, SqlSession& session) {
  if (session.version().flavour != Flavour::kMysql || channel.io.running() ||
      !channel.sql.running())
    return Done{};
  // One that is far from the end stops between two transactions.
  constexpr double kNear_s = 1, kEnd_s = 5;
  bool killed = false;
  for (Deadline patience = Deadline::after(kNear_s); !patience.passed(); pause()) {
    const auto rows = session.query(
        "SELECT PROCESSLIST_ID, PROCESSING_TRANSACTION <> '' AS open,"
        " PROCESSLIST_STATE LIKE '%has read all relay log%' AS idle"
        " FROM performance_schema.replication_applier_status_by_coordinator"
        " JOIN performance_schema.threads USING (THREAD_ID) WHERE CHANNEL_NAME = " +
        quote_string(channel.name));
    // A single applier stops at once.
    if (!rows || rows->cells.empty()) return Done{};
    const Row row(*rows, 0);
    if (killed || row.integer("idle") != 1) continue;
    if (row.integer("open") != 1) return Done{};
    const auto ended = session.query("KILL " + row.text("PROCESSLIST_ID").value_or(""));
    if (!ended)
      return Error{
          ended.error().code,
          fmt::format("its applier holds half a transaction and cannot be ended: {}; run: {}",
                      ended.error().text, grant_statement(session, "SYSTEM_USER", "*.*"))};
    killed = true;
    patience = Deadline::after(kEnd_s);
  }
  return Done{};
}

}  // namespace

Result<StepResult> LiveActions::drain(const Step& step, SqlSession& session, const RunFacts& known,
                                      const Deadline& deadline) {
  constexpr double kStill_s = 0.5;  // without a move; MySQL notes its progress every 0.3 s
  if (const auto done = run_sql(step.sql, session, known); !done) return done.error();
  BinlogPosition last = {};
  Deadline still = Deadline::after(kStill_s);
  for (;; pause()) {
    const auto facts = read_again(step.node, session);
    if (!facts) return facts.error();
    const ChannelStatus* const channel =
        facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
    // A run before this one has promoted it already.
    if (channel == nullptr) return StepResult{"it is no replica any more"};
    const bool by_gtid = channel->uses_gtid && unapplied(facts->history).has_value();
    if (by_gtid ? unapplied(facts->history) == 0u : channel->executed == channel->read)
      return StepResult{"", {{drained_fact(step.node), "yes"}}};
    if (channel->sql.error_number != 0 || !channel->sql.running())
      return failure(describe_stop("SQL", channel->sql));
    if (!(channel->executed == last)) still = Deadline::after(kStill_s);
    last = channel->executed;
    // Only file and position count what is torn.
    if (still.passed() && !by_gtid) {
      const auto torn = is_torn_end(*channel, session);
      if (!torn) return torn.error();
      if (*torn)
        return StepResult{
            fmt::format("what follows {}:{} is half a transaction", last.file, last.offset),
            {{drained_fact(step.node), "yes"}}};
    }
    if (deadline.passed())
      return failure(fmt::format("not all is applied: at {}:{} of {}:{}", last.file, last.offset,
                                 channel->read.file, channel->read.offset));
  }
}

Result<StepResult> LiveActions::wait_for_node(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  auto other = take(step.other);
  if (!other) return other.error();
  const auto wanted = read_again(step.other, **other);
  give_back(step.other, *other);
  if (!wanted) return wanted.error();
  if (const auto done = run_sql(step.sql, session, known); !done) return done.error();
  for (;; pause()) {
    const auto facts = read_again(step.node, session);
    if (!facts) return facts.error();
    const ChannelStatus* const channel =
        facts->channels ? find_channel(*facts->channels, step.channel) : nullptr;
    if (channel == nullptr) return failure("it is no replica any more");
    if (channel->uses_gtid ? has_applied(facts->history, wanted->history) == true
                           : wanted->binlog == channel->executed) {
      StepResult result;
      if (step.action == Action::kWaitEqual && wanted->binlog) {
        result.facts["closed_file"] = wanted->binlog->file;
        result.facts["closed_position"] = std::to_string(wanted->binlog->offset);
      }
      return result;
    }
    if (channel->sql.error_number != 0) return failure(describe_stop("SQL", channel->sql));
    if (channel->io.error_number != 0 && channel->io.state == ThreadState::kStopped)
      return failure(describe_stop("IO", channel->io));
    if (deadline.passed()) return failure("it does not get as far as " + step.other);
  }
}

// Who has caught up from a sibling has what that one has, and follows it: only the sibling's
// channel still tells a position in the old primary's binlog.
Result<StepResult> LiveActions::record(const Step& step, SqlSession& session) {
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  StepResult result;
  if (facts->binlog) {
    result.facts["binlog_file"] = facts->binlog->file;
    result.facts["binlog_position"] = std::to_string(facts->binlog->offset);
    result.text =
        fmt::format("its binlog ends at {}:{}", facts->binlog->file, facts->binlog->offset);
  }
  auto channels = facts->channels.value_or(std::vector<ChannelStatus>());
  if (!step.other.empty()) {
    const auto other = take(step.other);
    if (!other) return other.error();
    auto read = read_replica_status(**other);
    give_back(step.other, *other);
    if (!read) return read.error();
    channels = std::move(*read);
  }
  const Node* const node = find(step.other.empty() ? step.node : step.other);
  for (std::size_t c = 0; node != nullptr && c < std::min(channels.size(), node->sources.size());
       ++c) {
    if (!node->sources[c] || topology_.nodes[*node->sources[c]].name != plan_.primary) continue;
    const BinlogPosition& applied = channels[c].executed;
    result.facts["applied_file"] = applied.file;
    result.facts["applied_position"] = std::to_string(applied.offset);
    result.text += fmt::format("{}it has {}'s up to {}:{}", result.text.empty() ? "" : ", ",
                               plan_.primary, applied.file, applied.offset);
  }
  return result;
}

// Applies what the dead primary wrote after what the candidate has, in a session of its own: the
// events change its settings.
Result<StepResult> LiveActions::rescue(const Step& step, SqlSession& session, const RunFacts& known,
                                       const Deadline& deadline) {
  const std::string path = fmt::format("{}/{}.rescued.sql", directory_, run_id_);
  // Only MySQL passes over the GTIDs that it has; everybody else would apply them twice.
  const bool repeatable = plan_.by_gtid && session.version().flavour == Flavour::kMysql;
  if (!repeatable && access(path.c_str(), F_OK) == 0)
    return failure("it was interrupted and is not repeated, see " + path);
  const auto outcome = run_program(step.argv, known, deadline, path);
  if (!outcome) return outcome.error();
  if (!outcome->succeeded())
    return failure(fmt::format("{} {}: {}", step.argv[0], describe(*outcome),
                               shorten(sanitize(trim(outcome->output)), 300)));
  const auto applier = connect_to(step.node);
  if (!applier) return applier.error();
  // read_only stays, which lets only administrators write.
  const bool super = session.version().flavour == Flavour::kMysql;
  if (super)
    if (const auto open = session.query("SET GLOBAL super_read_only=0"); !open) return open.error();
  const auto applied = apply_events(path, **applier);
  if (super)
    if (const auto closed = session.query("SET GLOBAL super_read_only=1"); !closed)
      return closed.error();
  if (!applied) return applied.error();
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  StepResult result{fmt::format("{} transactions applied, kept in {}", *applied, path),
                    {{"rescued", std::to_string(*applied)}}};
  // Whoever had these transactions itself begins after them.
  if (facts->binlog) {
    result.facts["return_file"] = facts->binlog->file;
    result.facts["return_position"] = std::to_string(facts->binlog->offset);
  }
  return result;
}

// Writes what only this node has into a file that people can read and the mysql client can apply.
Result<StepResult> LiveActions::save_extra(const Step& step, SqlSession& session,
                                           const Deadline& deadline) {
  auto other = take(step.other);
  if (!other) return other.error();
  const auto known = read_history(**other, 0);
  give_back(step.other, *other);
  if (!known) return known.error();
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  const auto logs = session.query("SHOW BINARY LOGS");
  if (!logs) return logs.error();
  if (logs->cells.empty()) return failure("it has no binlog");
  const Node* const node = find(step.node);
  const std::string path = fmt::format("{}/{}.extra.sql", directory_, run_id_);
  const std::string login = fmt::format("{}/{}.cnf", directory_, run_id_);
  const Flavour flavour = facts->version.flavour;
  std::vector<std::string> argv = options_.binlog_command;
  if (argv.empty()) argv = {flavour == Flavour::kMysql ? "mysqlbinlog" : "mariadb-binlog"};
  argv.push_back("--defaults-extra-file=" + login);
  for (std::string& word :
       binlog_arguments(*node, step.position, Row(*logs, 0).text("Log_name").value_or(""),
                        facts->history, *known))
    argv.push_back(std::move(word));
  const auto written = write_file_atomic(login, client_options(options_.cluster.mysql, flavour));
  if (!written) return written.error();
  const auto outcome = run_program(argv, {}, deadline, path);
  unlink(login.c_str());
  if (!outcome) return outcome.error();
  if (!outcome->succeeded())
    return failure(fmt::format("{} {}: {}", argv[0], describe(*outcome),
                               shorten(sanitize(trim(outcome->output)), 300)));
  const auto count = count_transactions(path);
  if (!count) return count.error();
  return StepResult{fmt::format("{} transactions saved in {}", *count, path),
                    {{"saved", std::to_string(*count)}, {"saved_in", path}}};
}

Result<StepResult> LiveActions::promote(const Step& step, SqlSession& session,
                                        const RunFacts& known) {
  const auto before = read_replica_status(session);
  if (!before) return before.error();
  // A run before this one may have made it forget its source; the rest is to be done in any case.
  constexpr int kForget = 2;
  const ChannelStatus* const channel = find_channel(*before, step.channel);
  if (channel != nullptr)
    if (const auto ready = let_stop(*channel, session); !ready) return ready.error();
  const auto first = step.sql.begin() + (channel == nullptr ? kForget : 0);
  if (const auto done = run_sql({first, step.sql.end()}, session, known); !done)
    return done.error();
  const auto after = read_replica_status(session);
  if (!after) return after.error();
  if (find_channel(*after, step.channel) != nullptr) return failure("it is still a replica");
  return StepResult{};
}

// A channel that was not forgotten after all keeps all its settings and only has to go on.
Result<StepResult> LiveActions::restore(const Step& step, SqlSession& session,
                                        const RunFacts& known) {
  bool kept = false;
  if (!step.other.empty()) {
    const auto channels = read_replica_status(session);
    if (!channels) return channels.error();
    kept = find_channel(*channels, step.channel) != nullptr;
  }
  const std::vector<std::string> start = {step.sql.back()};
  if (const auto done = run_sql(kept ? start : step.sql, session, known); !done)
    return done.error();
  return StepResult{};
}

// To MariaDB's administrators read_only means nothing.
Result<Done> LiveActions::compare_with_closing(const Step& step, SqlSession& session,
                                               const RunFacts& known) const {
  const auto file = known.find("closed_file"), position = known.find("closed_position");
  if (step.node != plan_.primary || file == known.end() || position == known.end()) return Done{};
  const auto facts = read_again(step.node, session);
  if (!facts) return facts.error();
  if (!facts->binlog || (facts->binlog->file == file->second &&
                         std::to_string(facts->binlog->offset) == position->second))
    return Done{};
  return failure(
      fmt::format("an administrator has written to it since it was closed; run: "
                  "mysql_ha rejoin {}",
                  step.node));
}

Result<StepResult> LiveActions::follow_source(const Step& step, SqlSession& session,
                                              const RunFacts& known, const Deadline& deadline) {
  const auto before = read_replica_status(session);
  if (!before) return before.error();
  const ChannelStatus* const own = find_channel(*before, step.channel);
  const Node* const source = find(step.other);
  // A run before this one got as far. From the same place again it would apply everything twice.
  const bool follows = own != nullptr && source != nullptr && own->source_host == source->host &&
                       own->source_port == source->port && own->io.state != ThreadState::kStopped;
  // What is still in its relay log would be gone, and the new primary does not send it by position.
  const bool by_position = std::ranges::any_of(
      step.sql, [](const std::string& sql) { return sql.find(kBinlogFile) != sql.npos; });
  if (by_position && plan_.command == "failover" && !follows &&
      !known.contains(drained_fact(step.node)))
    return failure("it has not applied all that it received, and needs a resync if it cannot");
  if (!follows)
    if (const auto same = compare_with_closing(step, session, known); !same) return same.error();
  if (own != nullptr && !follows)
    if (const auto ready = let_stop(*own, session); !ready) return ready.error();
  const std::vector<std::string> start = {step.sql.back()};
  if (const auto done = run_sql(follows ? start : step.sql, session, known); !done)
    return done.error();
  for (;; pause()) {
    const auto channels = read_replica_status(session);
    if (!channels) return channels.error();
    const ChannelStatus* const channel = find_channel(*channels, step.channel);
    if (channel == nullptr) return failure("it has no such channel");
    if (channel->io.running() && channel->sql.running()) break;
    if (channel->sql.error_number != 0) return failure(describe_stop("SQL", channel->sql));
    if (channel->io.error_number != 0 && channel->io.state == ThreadState::kStopped)
      return failure(describe_stop("IO", channel->io));
    if (deadline.passed())
      return failure(
          fmt::format("it does not reach {}: {}", step.other, describe_stop("IO", channel->io)));
  }
  return wait_for_acknowledger(step, deadline);
}

// Under semi-sync the source has to know its replica before anybody may write.
Result<StepResult> LiveActions::wait_for_acknowledger(const Step& step, const Deadline& deadline) {
  const Node *source = find(step.other), *replica = find(step.node);
  const auto waits = [](const Node* node) {
    return node != nullptr && node->facts && node->facts->semi_sync.source_enabled == true;
  };
  const bool acknowledges =
      replica != nullptr && replica->facts && replica->facts->semi_sync.replica_enabled == true;
  if (!waits(source) || !acknowledges) return StepResult{};
  auto session = take(step.other);
  if (!session) return session.error();
  for (ServerFacts facts = *source->facts;; pause()) {
    if (const auto done = reread_semi_sync(**session, facts); !done) return done.error();
    if (facts.semi_sync.clients.value_or(0) > 0 && facts.semi_sync.source_active == true) break;
    if (deadline.passed()) return failure(step.other + " does not count it as semi-sync replica");
  }
  give_back(step.other, *session);
  return StepResult{"it acknowledges"};
}

Result<StepResult> LiveActions::open(const Step& step, SqlSession& session, const RunFacts& known) {
  if (const auto done = run_sql(step.sql, session, known); !done) return done.error();
  const auto closed = query_value(session, "SELECT @@GLOBAL.read_only");
  if (!closed) return closed.error();
  if (*closed != "0") return failure("it is still read-only");
  return StepResult{"it accepts writes"};
}

Result<StepResult> LiveActions::move_vip(const Step& step, const RunFacts& known,
                                         const Deadline& deadline) {
  const Node* const node = find(step.node);
  if (node == nullptr) return failure(fmt::format("no node is called '{}'", step.node));
  const bool up = step.action == Action::kVipUp;
  const auto moved = up ? take_vip(options_.vip, node->host, process_, deadline)
                        : drop_vip(options_.vip, node->host, process_, deadline);
  // Whether a dead machine has let go of it shows when it is taken.
  if (!moved && !up && known.contains("fenced"))
    return StepResult{"it is fenced, and could not be asked: " + moved.error().text};
  if (!moved) return moved.error();
  return StepResult{fmt::format("{} {} it", options_.vip.address, up ? "is on" : "is not on")};
}

Result<StepResult> LiveActions::write_file(const Step& step) {
  if (const auto written = write_file_atomic(step.other, step.text); !written)
    return written.error();
  // Other programs read it: there is no secret in it.
  constexpr mode_t kReadable = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
  if (chmod(step.other.c_str(), kReadable) != 0)
    return failure(fmt::format("{} is readable by us alone", step.other));
  return StepResult{step.other};
}

}  // namespace ha
