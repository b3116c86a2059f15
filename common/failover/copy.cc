// SPDX-License-Identifier: MIT
#include "common/failover/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/failover/copier.h"
#include "common/failover/node_locks.h"
#include "common/failover/step_tools.h"
#include "common/failover/tool_login.h"
#include "common/mysql/events.h"
#include "common/mysql/mariadb_gtid.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/statements.h"
#include "common/mysql/variables.h"

namespace ha {

namespace {

// Returns what a server has written itself, as far as its GTIDs tell.
std::string own_transactions(const ServerFacts& facts) {
  if (const auto* mysql = std::get_if<MysqlHistory>(&facts.history))
    return mysql->executed.of_server(facts.server_uuid).print();
  MariadbGtids own;
  if (const auto* mariadb = std::get_if<MariadbHistory>(&facts.history))
    for (const MariadbGtid& gtid : mariadb->binlog_state.list())
      if (gtid.server == facts.server_id) own.add(gtid);
  return own.print();
}

}  // namespace

Result<Done> run_all(SqlSession& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements)
    if (const auto rows = session.query(sql); !rows) return rows.error();
  return Done{};
}

std::string mebibytes(double bytes) { return fmt::format("{:.1f} MiB", bytes / (1 << 20)); }

Result<CopyResult> Copier::copy() {
  const auto method = prepare();
  if (!method) return method.error();
  constexpr const char* kNames[] = {"", "clone", "dump", "command"};
  log_(fmt::format("copying {} to {} by {}: about {}", from_.name, to_.name,
                   kNames[static_cast<std::size_t>(*method)], mebibytes(bytes_)));
  // A file of its own: a program of a run that was killed must not write into it.
  const std::string path = fmt::format("{}.{}.copy", resync_path(options_, to_.name), run_id_);
  const auto done = *method == CopyMethod::kClone  ? clone()
                    : *method == CopyMethod::kDump ? dump_and_load(path)
                                                   : run_command(path);
  static_cast<void>(env_.files.remove(path));
  if (done) {
    record_.remove();
    return CopyResult{*done, std::move(warnings_)};
  }
  if (!record_.exists()) return done.error();
  return Error{done.error().code, fmt::format("{}; {} holds no whole copy, run this again",
                                              done.error().text, to_.name)};
}

Result<Done> Copier::check() {
  if (const auto opened = open_sessions(); !opened) return opened;
  if (const auto looked = look(); !looked) return looked;
  const auto method = choose_method();
  return method ? expect_privileges(*method) : Result<Done>(method.error());
}

Result<Done> Copier::open_sessions() {
  auto source = connect_to(from_, kAnswer_s), target = connect_to(to_, kAnswer_s);
  if (!source) return source.error();
  if (!target) return target.error();
  source_ = *source;
  target_ = *target;
  return Done{};
}

Result<CopyMethod> Copier::prepare() {
  if (const auto opened = open_sessions(); !opened) return opened.error();
  auto guard = connect_to(primary_, kAnswer_s);
  if (!guard) return guard.error();
  guard_ = *guard;
  // Nobody else copies to this server, from whatever machine.
  for (const auto& [session, name] : {std::pair(guard_, copy_guard_lock(to_.facts->server_id)),
                                      std::pair(target_, std::string(kCopyLock))})
    if (const auto locked = take_lock(*session, name, 1); !locked) return locked.error();
  if (const auto ended = end_old_worker(); !ended) return ended.error();
  if (const auto looked = look(); !looked) return looked.error();
  // What it wrote until it was closed is told now, and not after hours.
  if (const auto same = expect_unchanged(); !same) return same.error();
  note_activity();
  if (resync_.verify != Verify::kNone && activity_.empty())
    return failure(from_.name + " does not tell how many rows it writes, give --verify none");
  return choose_method();
}

Result<Copier::Session> Copier::connect_to(const Node& node, double answer_s) const {
  MysqlOptions one = options_for({node.name, node.host, node.port}, options_.cluster.mysql,
                                 options_.probe_timeout_s);
  one.answer_timeout_s = static_cast<unsigned>(std::ceil(answer_s));
  auto session = env_.connector.connect(one);
  if (!session) return session.error();
  const Version& version = (*session)->version();
  // A day idle, and long statements; what a dump creates was allowed once.
  std::vector<std::string> sql = {"SET SESSION sql_mode=''", "SET SESSION wait_timeout=86400",
                                  "SET SESSION lock_wait_timeout=60",
                                  "SET SESSION innodb_strict_mode=0"};
  if (version.flavour == Flavour::kMariadb)
    sql.emplace_back("SET SESSION max_statement_time=0");
  else if (version.at_least(8, 0, 13))
    sql.emplace_back("SET SESSION sql_require_primary_key=0");
  if (version.flavour == Flavour::kMysql && version.at_least(8, 4))
    sql.emplace_back("SET SESSION restrict_fk_on_non_standard_key=0");
  if (const auto set = run_all(**session, sql); !set) return set.error();
  return Session(std::move(*session));
}

Result<Done> Copier::take_lock(SqlSession& session, const std::string& name, int patience_s) {
  const auto got = take_node_lock(session, name, patience_s);
  if (!got) return got.error();
  if (!*got) return failure("another run is at work on it");
  return Done{};
}

Result<Copier::Session> Copier::connect_worker() const {
  auto worker = connect_to(to_, resync_.timeout_s);
  if (!worker) return worker;
  if (const auto locked = take_lock(**worker, kCopyWorkLock, kPatience_s); !locked)
    return Error{locked.error().code,
                 "a statement of an earlier copying is still at work on " + to_.name};
  return worker;
}

// We have kCopyLock, so the process whose session it was is dead.
Result<Done> Copier::end_old_worker() {
  const auto worker = node_lock_holder(*target_, kCopyWorkLock);
  if (!worker) return worker.error();
  // It may have ended by itself meanwhile; whoever works next waits for the lock.
  if (!worker->empty()) static_cast<void>(target_->query("KILL " + *worker));
  return Done{};
}

Result<Done> Copier::under_lock(const std::function<Result<Done>()>& work) {
  const std::string name = options_.node_lock();
  if (const auto locked = take_lock(*target_, name, kPatience_s); !locked) return locked;
  const auto done = work();
  const auto freed = release_node_lock(*target_, name);
  return done && !freed ? freed : done;
}

// How much there is, and what does not suit every method.
Result<Done> Copier::look() {
  const auto rows = source_->query(
      fmt::format("SELECT SUM(data_length) AS bytes, SUM(engine <> 'InnoDB') AS foreigners,"
                  " SUM(table_type = 'SYSTEM VERSIONED') AS versioned"
                  " FROM information_schema.tables WHERE"
                  " table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN {}",
                  kSystem));
  if (!rows) return rows.error();
  if (!rows->cells.empty()) {
    const Row row(*rows, 0);
    bytes_ = row.number("bytes").value_or(0);
    foreigners_ = row.integer("foreigners").value_or(0);
    versioned_ = row.integer("versioned").value_or(0);
  }
  if (is_mysql()) return Done{};
  // Before the copy: what is not in the binlog cannot move.
  const auto position = query_value(*source_, "SELECT @@GLOBAL.gtid_slave_pos");
  if (!position) return position.error();
  source_applied_ = *position;
  const auto logged = query_value(*source_, "SELECT @@GLOBAL.gtid_binlog_state");
  if (!logged) return logged.error();
  source_logged_ = *logged;
  return Done{};
}

// Empty: nothing speaks against it.
Result<std::string> Copier::why_no_clone() const {
  const Version &from = source_->version(), &to = target_->version();
  // The plugin's own rule. Before 8.0.37 the releases had to be the same.
  if (!is_mysql() || !to.at_least(8, 0, 17) ||
      (from.patch != to.patch && !(from.at_least(8, 0, 37) && to.at_least(8, 0, 37))))
    return std::string("only two servers of one release of MySQL, 8.0.17 or later, can be cloned");
  if (from_.host.find(':') != from_.host.npos) return std::string("CLONE takes no IPv6 address");
  if (foreigners_ > 0)
    return fmt::format("{} tables of {} are not InnoDB's and would come empty", foreigners_,
                       from_.name);
  const TlsMode mode = effective_tls_mode(options_.cluster.mysql);
  if (mode < TlsMode::kVerifyCa) return std::string();
  if (mode == TlsMode::kVerifyIdentity)
    return std::string(
        "CLONE checks no server's name; give --method dump, or --ssl-mode=verify-ca");
  // Otherwise the server that is cloned to gives our password to any server that answers.
  const auto checks = query_value(*target_,
                                  "SELECT COUNT(*) FROM performance_schema.global_variables"
                                  " WHERE variable_name = 'clone_ssl_ca' AND variable_value <> ''");
  if (!checks) return checks.error();
  if (*checks != "0") return std::string();
  return fmt::format(
      "{} would not check the certificate of {}; set clone_ssl_ca on {}, or give --method dump",
      to_.name, from_.name, to_.name);
}

Result<CopyMethod> Copier::choose_method() const {
  const Version &from = source_->version(), &to = target_->version();
  if (from.major != to.major || from.minor != to.minor)
    return failure(fmt::format("a server {} cannot take over the files or system tables of {}",
                               to.text, from.text));
  const auto why = why_no_clone();
  if (!why) return why.error();
  CopyMethod method = resync_.method;
  if (method == CopyMethod::kAuto)
    method = !resync_.copy_command.empty() ? CopyMethod::kCommand
             : why->empty()                ? CopyMethod::kClone
                                           : CopyMethod::kDump;
  if (method == CopyMethod::kClone && !why->empty()) return failure(*why);
  if (method == CopyMethod::kCommand && resync_.copy_command.empty())
    return Error{Errc::kUsage, "give --copy-command"};
  if (method == CopyMethod::kDump && versioned_ > 0 && !from.at_least(10, 11))
    return failure(fmt::format(
        "{} tables are system-versioned, and a dump of before 10.11 leaves their history out",
        versioned_));
  return method;
}

bool Copier::watch(const std::function<std::string()>& progress) {
  if (env_.clock.stopping()) ended_ = failure("asked to stop");
  if (deadline_.passed()) ended_ = failure("--copy-timeout has passed");
  if (ended_) return false;
  note_activity();
  // Firewalls forget who is silent.
  if (alive_.passed()) {
    alive_ = deadline_.from_now(kAlive_s);
    for (const Session& session : {source_, target_, guard_})
      static_cast<void>(session->query("DO 0"));
  }
  if (!told_.passed()) return true;
  // Ever more seldom: it is also mailed.
  told_ = deadline_.from_now(std::max(kTell_s, (resync_.timeout_s - deadline_.remaining_s()) / 20));
  if (const std::string text = progress(); !text.empty()) log_(text);
  return true;
}

Result<Done> Copier::attend(std::function<Result<Done>()> work,
                            const std::function<std::string()>& progress) {
  const auto pending = Pending<Result<Done>>::begin(env_.workers, std::move(work));
  if (!pending) return pending.error();
  while (!pending->wait(deadline_.from_now(kWatch_s)))
    if (!watch(progress)) return *ended_;
  return *pending->result();
}

Result<Done> Copier::begin() {
  // What an earlier copying has left, on whatever machine, cannot be put back.
  const auto half = is_half_copied(*target_);
  if (!half) return half.error();
  if (*half)
    if (const auto noted = record_.add(kBegun); !noted) return noted;
  const auto channels = read_replica_status(*target_);
  if (!channels) return channels.error();
  Result<Done> begun = Done{};
  for (const ChannelStatus& channel : *channels)
    if (const auto stopped = target_->query(stop_replication(target_->version(), channel.name));
        begun && !stopped)
      begun = stopped.error();
  if (begun)
    begun = under_lock([&]() -> Result<Done> {
      if (const auto same = expect_unchanged(); !same) return same;
      // What may be refused comes first: up to here everything can be put back.
      if (const auto closed = close_and_mark(); !closed) return closed;
      if (const auto told = begins_(); !told) return told;
      if (const auto noted = record_.add(kBegun); !noted) return noted;
      return forget_sources();
    });
  if (!begun && !record_.has(kBegun)) take_back(*channels);
  return begun;
}

// In a new session: the old one may be what has failed.
void Copier::take_back(const std::vector<ChannelStatus>& channels) {
  const auto session = connect_to(to_, kAnswer_s);
  if (!session) return log_(session.error().text);
  const Version& version = (*session)->version();
  std::vector<std::string> sql;
  if (marked_) {
    sql.emplace_back("SET SESSION sql_log_bin=0");
    if (const auto half = is_half_copied(**session); !half || *half)
      sql.push_back(fmt::format("DROP DATABASE {}", kHalfCopy));
    if (is_mysql()) sql.push_back(make_read_only(version));
    if (record_.has(kEvents)) sql.emplace_back("SET GLOBAL event_scheduler=ON");
  }
  for (const ChannelStatus& channel : channels) {
    if (channel.io.state != ThreadState::kStopped)
      sql.push_back(start_receiver(version, channel.name));
    if (channel.sql.running()) sql.push_back(start_applier(version, channel.name));
  }
  // One that fails must not keep the others from being done.
  for (const std::string& one : sql)
    if (const auto done = (*session)->query(one); !done) log_(done.error().text);
  record_.remove();
}

Result<Done> Copier::expect_unchanged() {
  const auto closed = read_switch(*target_, "read_only");
  if (!closed) return closed.error();
  if (!*closed)
    return failure("it accepts writes again: another client or run has acted meanwhile");
  ServerFacts now = *to_.facts;
  if (const auto read = reread_replication(*target_, now); !read) return read;
  // One that was a replica and is none has been promoted. Whom it follows may change with a
  // failover, but only numbers tell that it has nothing new then.
  const bool numbered = !std::holds_alternative<std::monostate>(now.history);
  if (!now.channels || now.channels->empty() != to_.channels().empty() ||
      (!numbered && sources_of(*now.channels) != sources_of(to_.channels())))
    return failure(
        "it replicates otherwise than before: another client or run has acted meanwhile");
  if (resync_.surplus == Surplus::kDiscard) return Done{};
  // Without numbers only a node that does not replicate can tell, by the end of its binlog.
  const bool moved = now.binlog && to_.facts->binlog && !(*now.binlog == *to_.facts->binlog);
  const bool wrote = numbered ? own_transactions(now) != own_transactions(*to_.facts)
                              : now.channels->empty() && moved;
  if (wrote) return failure("it has written since it was looked at, run this again");
  return Done{};
}

Result<Done> Copier::close_and_mark() {
  const auto scheduler = query_value(*target_, "SELECT @@GLOBAL.event_scheduler");
  if (!scheduler) return scheduler.error();
  std::vector<std::string> sql = {"SET SESSION sql_log_bin=0"};
  if (*scheduler == "ON") {
    if (const auto noted = record_.add(kEvents); !noted) return noted;
    sql.emplace_back("SET GLOBAL event_scheduler=OFF");
  }
  sql.push_back(is_mysql() ? "SET GLOBAL read_only=1, GLOBAL super_read_only=0"
                           : make_read_only(target_->version()));
  sql.push_back(fmt::format("CREATE DATABASE IF NOT EXISTS {}", kHalfCopy));
  marked_ = true;
  return run_all(*target_, sql);
}

Result<Done> Copier::forget_sources() {
  const auto channels = read_replica_status(*target_);
  if (!channels) return channels.error();
  std::vector<std::string> sql;
  for (const ChannelStatus& channel : *channels) {
    sql.push_back(stop_replication(target_->version(), channel.name));
    sql.push_back(forget_source(target_->version(), channel.name));
  }
  return run_all(*target_, sql);
}

Result<Done> Copier::restore() {
  if (const auto disabled = disable_events(); !disabled) return disabled;
  std::vector<std::string> sql = {make_read_only(target_->version())};
  const auto scheduler = query_value(*target_, "SELECT @@GLOBAL.event_scheduler");
  if (!scheduler) return scheduler.error();
  if (record_.has(kEvents) && *scheduler == "OFF")
    sql.emplace_back("SET GLOBAL event_scheduler=ON");
  if (record_.has(kPersisted)) sql.emplace_back("RESET PERSIST IF EXISTS super_read_only");
  return run_all(*target_, sql);
}

Result<Done> Copier::disable_events() {
  const auto events = read_events(*target_);
  if (!events) return events.error();
  for (const ServerEvent& event : *events)
    if (event.enabled)
      if (const auto done = target_->query(disable_on_replica(target_->version(), event)); !done)
        return done.error();
  return Done{};
}

Result<Copier::Session> Copier::await_server() {
  for (const Deadline patience = deadline_.from_now(kRestart_s);; env_.clock.sleep(kPoll_s)) {
    auto session = connect_to(to_, kAnswer_s);
    if (session || !is_no_answer(session.error()) || patience.passed() || env_.clock.stopping())
      return session;
  }
}

Result<Done> Copier::take_over(const Session& session) {
  target_ = session;
  if (const auto locked = take_lock(*target_, kCopyLock, kPatience_s); !locked) return locked;
  return under_lock([this]() -> Result<Done> {
    if (const auto forgotten = forget_sources(); !forgotten) return forgotten;
    return close_and_mark();
  });
}

Result<Done> check_copy(const Env& env, const CopyTask& task, const FailoverOptions& options,
                        const ResyncOptions& resync, const Log& log) {
  return Copier(env, task, options, resync, {}, log).check();
}

Result<CopyResult> copy_server(const Env& env, const CopyTask& task, const FailoverOptions& options,
                               const ResyncOptions& resync, const CopyBegins& begins,
                               const Log& log) {
  return Copier(env, task, options, resync, begins, log).copy();
}

void remove_leftovers_of_copies(Files& files, const std::string& store) {
  remove_login_files(files, store);
  const auto names = files.list(store);
  if (!names) return;
  for (const std::string& name : *names)
    if (name.ends_with(".copy")) static_cast<void>(files.remove(store + "/" + name));
}

}  // namespace ha
