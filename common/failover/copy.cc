// SPDX-License-Identifier: MIT
#include "common/failover/copy.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "common/failover/dump.h"
#include "common/failover/rescue.h"
#include "common/failover/step_tools.h"
#include "common/files.h"
#include "common/mysql/mariadb_gtid.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/replica_status.h"
#include "common/mysql/statements.h"

namespace ha {

namespace {

using Session = std::shared_ptr<SqlSession>;

constexpr double kTell_s = 5;
// For a server to come back after it was cloned, by itself or by hand.
constexpr double kRestart_s = 600;
constexpr double kPoll_s = 0.2;
// The databases that are not data.
constexpr char kSystem[] = "('information_schema', 'mysql', 'performance_schema', 'sys')";

double size_of(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? static_cast<double>(info.st_size) : 0;
}

std::string mebibytes(double bytes) { return fmt::format("{:.1f} MiB", bytes / (1 << 20)); }

std::string copy_lock(const FailoverOptions& options) { return options.node_lock() + ":copy"; }

std::string store_path(const FailoverOptions& options, const std::string& node) {
  return fmt::format("{}/{}/{}", options.state_dir, options.resync_store(), node);
}

// A file that is there for as long as a node is no whole copy, with what is to be put back then.
class Note {
 public:
  Note(const FailoverOptions& options, const std::string& node)
      : path_(store_path(options, node) + ".copying") {
    const auto text = read_file(path_);
    exists_ = text || text.error().code != Errc::kMissing;
    if (text) words_ = *text;
  }

  bool exists() const { return exists_; }
  bool has(std::string_view word) const { return words_.find(word) != words_.npos; }

  Result<Done> add(std::string_view word) {
    if (exists_ && has(word)) return Done{};
    exists_ = true;
    words_ += fmt::format("{}\n", word);
    return write_file_atomic(path_, words_);
  }

  void remove() const { unlink(path_.c_str()); }

 private:
  std::string path_, words_;
  bool exists_ = false;
};

constexpr char kBegun[] = "begun", kPersisted[] = "super_read_only", kEvents[] = "event_scheduler";

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

std::vector<std::string> sources_of(const std::vector<ChannelStatus>& channels) {
  std::vector<std::string> sources;
  for (const ChannelStatus& channel : channels) sources.push_back(channel.name + channel.source());
  std::ranges::sort(sources);
  return sources;
}

// Runs statements one after the other.
Result<Done> run_all(SqlSession& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements)
    if (const auto rows = session.query(sql); !rows) return rows.error();
  return Done{};
}

Result<bool> is_half_copied(SqlSession& session) {
  const auto found = query_value(
      session,
      fmt::format("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '{}'",
                  kHalfCopy));
  if (!found) return found.error();
  return *found != "0";
}

class Copier {
 public:
  Copier(const Node& from, const Node& to, const FailoverOptions& options,
         const ResyncOptions& resync, const CopyBegins& begins, Clock& clock, const Say& say)
      : from_(from),
        to_(to),
        options_(options),
        resync_(resync),
        begins_(begins),
        clock_(clock),
        say_(say),
        deadline_(Deadline::after(resync.timeout_s)),
        note_(options, to.name) {}

  Result<BinlogPosition> copy() {
    const auto method = prepare();
    if (!method) return method.error();
    constexpr const char* kNames[] = {"", "clone", "dump", "command"};
    say_(fmt::format("copying {} to {} by {}: about {}", from_.name, to_.name,
                     kNames[static_cast<std::size_t>(*method)], mebibytes(bytes_)));
    const std::string path = store_path(options_, to_.name) + ".copy";
    const auto done = *method == CopyMethod::kClone  ? clone()
                      : *method == CopyMethod::kDump ? dump_and_load(path)
                                                     : run_command(path);
    unlink(path.c_str());
    if (done) note_.remove();
    if (done || !note_.exists()) return done;
    return Error{done.error().code, fmt::format("{}; {} holds no whole copy, run this again",
                                                done.error().text, to_.name)};
  }

 private:
  bool is_mysql() const { return target_->version().flavour == Flavour::kMysql; }

  Result<CopyMethod> prepare() {
    auto source = connect_to(from_, options_.deadline_s);
    auto target = connect_to(to_, options_.deadline_s);
    if (!source) return source.error();
    if (!target) return target.error();
    source_ = *source;
    target_ = *target;
    // Nobody else copies to this server, from whatever machine.
    if (const auto locked = take_lock(*target_, copy_lock(options_)); !locked)
      return locked.error();
    if (const auto looked = look(); !looked) return looked.error();
    return choose_method();
  }

  // `answer_s`: how long one statement may take.
  Result<Session> connect_to(const Node& node, double answer_s) const {
    MysqlOptions one = options_for({node.name, node.host, node.port}, options_.cluster.mysql,
                                   options_.probe_timeout_s);
    one.answer_timeout_s = static_cast<unsigned>(std::ceil(answer_s));
    auto session = connect(one);
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

  static Result<Done> take_lock(SqlSession& session, const std::string& name) {
    const auto got =
        query_value(session, fmt::format("SELECT GET_LOCK({}, 1)", quote_string(name)));
    if (!got) return got.error();
    if (*got != "1") return failure("another run is at work on it");
    return Done{};
  }

  // Does something to the target while no failover can choose it.
  Result<Done> under_lock(const std::function<Result<Done>()>& work) {
    const std::string name = options_.node_lock();
    if (const auto locked = take_lock(*target_, name); !locked) return locked;
    const auto done = work();
    const auto freed =
        query_value(*target_, fmt::format("SELECT RELEASE_LOCK({})", quote_string(name)));
    return done && !freed ? Result<Done>(freed.error()) : done;
  }

  // How much there is, and what does not suit every method.
  Result<Done> look() {
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
    return Done{};
  }

  Result<CopyMethod> choose_method() const {
    const Version &from = source_->version(), &to = target_->version();
    if (from.major != to.major || from.minor != to.minor)
      return failure(fmt::format("a server {} cannot take over the files or system tables of {}",
                                 to.text, from.text));
    std::string why;
    // The plugin's own rule. Before 8.0.37 the releases had to be the same.
    if (!is_mysql() || !to.at_least(8, 0, 17) ||
        (from.patch != to.patch && !(from.at_least(8, 0, 37) && to.at_least(8, 0, 37))))
      why = "only two servers of one release of MySQL, 8.0.17 or later, can be cloned";
    else if (from_.host.find(':') != from_.host.npos)
      why = "CLONE takes no IPv6 address";
    else if (foreigners_ > 0)
      why = fmt::format("{} tables of {} are not InnoDB's and would come empty", foreigners_,
                        from_.name);
    CopyMethod method = resync_.method;
    if (method == CopyMethod::kAuto)
      method = !resync_.copy_command.empty() ? CopyMethod::kCommand
               : why.empty()                 ? CopyMethod::kClone
                                             : CopyMethod::kDump;
    if (method == CopyMethod::kClone && !why.empty()) return failure(why);
    if (method == CopyMethod::kCommand && resync_.copy_command.empty())
      return Error{Errc::kUsage, "give --copy-command"};
    if (method == CopyMethod::kDump)
      if (const auto fits = expect_room_for_dump(); !fits) return fits.error();
    return method;
  }

  Result<Done> expect_room_for_dump() const {
    if (versioned_ > 0 && !source_->version().at_least(10, 11))
      return failure(fmt::format(
          "{} tables are system-versioned, and a dump of before 10.11 leaves their history out",
          versioned_));
    const char* const sql = "SELECT @@GLOBAL.max_allowed_packet";
    const auto theirs = query_value(*source_, sql), ours = query_value(*target_, sql);
    if (!theirs) return theirs.error();
    if (!ours) return ours.error();
    if (parse_integer(*ours) < parse_integer(*theirs))
      return failure(fmt::format("max_allowed_packet of {} is {}, less than the {} of {}", to_.name,
                                 *ours, *theirs, from_.name));
    return Done{};
  }

  // Tells now and then how far it is; false when it is to end, for the reason of `ended_`.
  bool watch(const std::function<std::string()>& progress) {
    if (clock_.stopping()) ended_ = failure("asked to stop");
    if (deadline_.passed()) ended_ = failure("--copy-timeout has passed");
    if (ended_) return false;
    if (!told_.passed()) return true;
    // Ever more seldom: it is also mailed.
    told_ = Deadline::after(std::max(kTell_s, (resync_.timeout_s - deadline_.remaining_s()) / 20));
    if (const std::string text = progress(); !text.empty()) say_(text);
    // Firewalls forget who is silent.
    for (const Session& session : {source_, target_}) static_cast<void>(session->query("DO 0"));
    return true;
  }

  // Waits for work in a thread of its own, which is abandoned when it is to end: the program leaves
  // by _exit, and the server notices.
  Result<Done> attend(std::function<Result<Done>()> work,
                      const std::function<std::string()>& progress) {
    std::packaged_task<Result<Done>()> task(std::move(work));
    std::future<Result<Done>> result = task.get_future();
    std::thread(std::move(task)).detach();
    while (result.wait_for(std::chrono::seconds(1)) != std::future_status::ready)
      if (!watch(progress)) return *ended_;
    return result.get();
  }

  // Before anything is replaced: no channel may write into it, nobody may take it for whole. Until
  // now it could be promoted like any other. Stopping may take long, so nobody waits for that.
  Result<Done> begin() {
    const auto channels = read_replica_status(*target_);
    if (!channels) return channels.error();
    for (const ChannelStatus& channel : *channels)
      if (const auto stopped = target_->query(stop_replication(target_->version(), channel.name));
          !stopped)
        return stopped.error();
    const auto begun = under_lock([&]() -> Result<Done> {
      if (const auto same = expect_unchanged(); !same) return same;
      if (const auto noted = note_.add(kBegun); !noted) return noted;
      if (const auto told = begins_(); !told) return told;
      if (const auto alone = detach(); !alone) return alone;
      return run_all(*target_, {fmt::format("CREATE DATABASE IF NOT EXISTS {}", kHalfCopy)});
    });
    if (!begun && !note_.exists())
      for (const ChannelStatus& channel : *channels)
        static_cast<void>(target_->query(start_replication(target_->version(), channel.name)));
    return begun;
  }

  // Fails when somebody has acted on the node, or written to it, since it was looked at.
  Result<Done> expect_unchanged() {
    const auto closed = query_value(*target_, "SELECT @@GLOBAL.read_only");
    if (!closed) return closed.error();
    if (*closed == "0") return failure("it accepts writes again: somebody has acted meanwhile");
    ServerFacts now = *to_.facts;
    if (const auto read = reread_replication(*target_, now); !read) return read;
    // One that was a replica and is none has been promoted. Whom it follows may change with a
    // failover, but only numbers tell that it has nothing new then.
    const bool numbered = !std::holds_alternative<std::monostate>(now.history);
    if (!now.channels || now.channels->empty() != to_.channels().empty() ||
        (!numbered && sources_of(*now.channels) != sources_of(to_.channels())))
      return failure("it replicates otherwise than before: somebody has acted meanwhile");
    if (resync_.surplus == Surplus::kDiscard) return Done{};
    const bool wrote = now.channels->empty()
                           ? now.binlog && to_.facts->binlog && !(*now.binlog == *to_.facts->binlog)
                           : own_transactions(now) != own_transactions(*to_.facts);
    if (wrote) return failure("it has written since it was looked at, run this again");
    return Done{};
  }

  // From here on only we write to it: read_only stays, which leaves administrators, and events that
  // run as one.
  Result<Done> detach() {
    const Version& version = target_->version();
    const auto channels = read_replica_status(*target_);
    if (!channels) return channels.error();
    const auto scheduler = query_value(*target_, "SELECT @@GLOBAL.event_scheduler");
    if (!scheduler) return scheduler.error();
    std::vector<std::string> sql;
    if (*scheduler == "ON" || *scheduler == "1") {
      if (const auto noted = note_.add(kEvents); !noted) return noted;
      sql.emplace_back("SET GLOBAL event_scheduler=OFF");
    }
    for (const ChannelStatus& channel : *channels) {
      sql.push_back(stop_replication(version, channel.name));
      sql.push_back(forget_source(version, channel.name));
    }
    sql.emplace_back("SET SESSION sql_log_bin=0");
    sql.push_back(is_mysql() ? "SET GLOBAL read_only=1, GLOBAL super_read_only=0"
                             : make_read_only(version));
    return run_all(*target_, sql);
  }

  // Puts back what was changed for the time of the copying.
  Result<Done> restore() {
    if (const auto disabled = disable_events(); !disabled) return disabled;
    std::vector<std::string> sql = {make_read_only(target_->version())};
    if (note_.has(kEvents)) sql.emplace_back("SET GLOBAL event_scheduler=ON");
    if (note_.has(kPersisted)) sql.emplace_back("RESET PERSIST IF EXISTS super_read_only");
    return run_all(*target_, sql);
  }

  // Events that run on a replica would write what the primary's have written already.
  Result<Done> disable_events() {
    const auto events = target_->query(
        "SELECT event_schema, event_name, definer FROM information_schema.events"
        " WHERE status = 'ENABLED'");
    if (!events) return events.error();
    for (std::size_t i = 0; i < events->cells.size(); ++i) {
      const Row row(*events, i);
      const std::string event = quote_identifier(row.text("event_schema").value_or("")) + "." +
                                quote_identifier(row.text("event_name").value_or(""));
      const std::string definer = row.text("definer").value_or("");
      const std::size_t at = definer.rfind('@');
      if (at == definer.npos) return failure("no definer of event " + event);
      const auto done = target_->query(disable_event(target_->version(), event,
                                                     quote_identifier(definer.substr(0, at)) + "@" +
                                                         quote_identifier(definer.substr(at + 1))));
      if (!done) return done.error();
    }
    return Done{};
  }

  // Dump

  Result<BinlogPosition> dump_and_load(const std::string& path) {
    if (const auto dumped = dump(path); !dumped) return dumped.error();
    std::ifstream file(path);
    auto moment = read_dump_moment(file);
    if (!moment) return moment.error();
    if (const auto known = complete_gtids(*moment); !known) return known.error();
    if (const auto begun = begin(); !begun) return begun.error();
    if (const auto loaded = load(path); !loaded) return loaded.error();
    if (const auto finished = finish(*moment); !finished) return finished.error();
    return moment->position;
  }

  // MariaDB's servers know domains that are not in their binlogs: those that they had before they
  // were copied themselves.
  Result<Done> complete_gtids(CopyMoment& moment) {
    if (is_mysql()) {
      const auto* const theirs = std::get_if<MysqlHistory>(&from_.facts->history);
      if (theirs != nullptr && !theirs->executed.empty() && moment.gtids.empty())
        return failure("the copy does not say which GTIDs it has");
      return Done{};
    }
    if (moment.gtids.empty()) {
      const auto gtids = query_value(
          *source_, fmt::format("SELECT BINLOG_GTID_POS({}, {})",
                                quote_string(moment.position.file), moment.position.offset));
      if (!gtids) return gtids.error();
      moment.gtids = *gtids;
    }
    auto all = MariadbGtids::parse(moment.gtids);
    if (!all) return all.error();
    const auto applied = MariadbGtids::parse(source_applied_);
    if (!applied) return applied.error();
    const std::vector<MariadbGtid> logged = all->list();
    for (const MariadbGtid& gtid : applied->list())
      if (std::ranges::find(logged, gtid.domain, &MariadbGtid::domain) == logged.end())
        all->add(gtid);
    moment.gtids = all->print();
    return Done{};
  }

  Result<Done> dump(const std::string& path) {
    if (foreigners_ > 0)
      say_(
          fmt::format("{} tables are not InnoDB's: whoever writes to {} waits until the dump is "
                      "written",
                      foreigners_, from_.name));
    const std::string login = path + ".cnf";
    Command command{resync_.dump_command, {}, path};
    if (command.argv.empty()) command.argv = {is_mysql() ? "mysqldump" : "mariadb-dump"};
    command.argv.push_back("--defaults-file=" + login);
    for (std::string& word :
         dump_arguments(from_, foreigners_ > 0 ? DumpLock::kAllTables : DumpLock::kNone))
      command.argv.push_back(std::move(word));
    if (versioned_ > 0) command.argv.emplace_back("--dump-history");
    command.may_go_on = [&] {
      return watch([&] {
        return fmt::format("dumped {} of about {}", mebibytes(size_of(path)), mebibytes(bytes_));
      });
    };
    const auto written = write_file_atomic(
        login, client_options(options_.cluster.mysql, source_->version().flavour));
    if (!written) return written.error();
    const auto outcome = PosixProcess().run(command, deadline_);
    unlink(login.c_str());
    if (!outcome) return outcome.error();
    if (ended_) return *ended_;
    if (!outcome->succeeded()) return failure(describe_end(command.argv, *outcome));
    return Done{};
  }

  Result<Done> load(const std::string& path) {
    const auto worker = connect_to(to_, resync_.timeout_s);
    if (!worker) return worker.error();
    const auto done = std::make_shared<std::atomic<double>>(0);
    return attend(
        [path, session = *worker, done]() -> Result<Done> {
          if (const auto dropped = drop_databases(*session); !dropped) return dropped;
          std::ifstream file(path);
          return for_each_statement(file, [&](const std::string& sql) -> Result<Done> {
            *done = *done + static_cast<double>(sql.size());
            if (is_about_server(sql)) return Done{};
            if (const auto rows = session->query(sql); !rows) return rows.error();
            return Done{};
          });
        },
        [&] { return fmt::format("loaded {} of {}", mebibytes(*done), mebibytes(size_of(path))); });
  }

  // All but the mark. A directory that is no database has a name of this kind.
  static Result<Done> drop_databases(SqlSession& session) {
    const auto databases =
        session.query(fmt::format("SELECT schema_name AS name FROM information_schema.schemata"
                                  " WHERE schema_name NOT IN {} AND schema_name <> '{}'"
                                  " AND schema_name NOT LIKE '#mysql50#%'",
                                  kSystem, kHalfCopy));
    if (!databases) return databases.error();
    std::vector<std::string> sql = {"SET SESSION sql_log_bin=0",
                                    "SET SESSION foreign_key_checks=0"};
    for (std::size_t i = 0; i < databases->cells.size(); ++i)
      sql.push_back("DROP DATABASE " +
                    quote_identifier(Row(*databases, i).text("name").value_or("")));
    return run_all(session, sql);
  }

  // Its history is that of the data from now on.
  Result<Done> finish(const CopyMoment& moment) {
    std::vector<std::string> sql = {"FLUSH PRIVILEGES"};
    if (is_mysql() || to_.facts->log_bin == true) sql.push_back(forget_binlogs(target_->version()));
    if (!is_mysql())
      sql.push_back("SET GLOBAL gtid_slave_pos=" + quote_string(moment.gtids));
    else if (!moment.gtids.empty())
      sql.push_back("SET GLOBAL gtid_purged=" + quote_string(moment.gtids));
    sql.push_back(fmt::format("DROP DATABASE IF EXISTS {}", kHalfCopy));
    if (const auto done = run_all(*target_, sql); !done) return done;
    return restore();
  }

  // A command of the operator's

  Result<BinlogPosition> run_command(const std::string& path) {
    if (const auto begun = begin(); !begun) return begun.error();
    if (const auto copied = copy_by_command(path); !copied) return copied.error();
    const auto printed = read_file(path);
    if (!printed) return printed.error();
    auto moment = parse_moment(*printed);
    if (!moment) return moment.error();
    if (const auto known = complete_gtids(*moment); !known) return known.error();
    if (const auto back = await_server(); !back) return back.error();
    const auto half = is_half_copied(*target_);
    if (!half) return half.error();
    if (*half) return failure("the command has not replaced what " + to_.name + " has");
    if (const auto finished = finish(*moment); !finished) return finished.error();
    return moment->position;
  }

  Result<Done> copy_by_command(const std::string& path) {
    Command command{resync_.copy_command, {{"HA_COMMAND", "resync"}}, path};
    for (const auto& [role, node] : {std::pair("SOURCE", &from_), std::pair("TARGET", &to_)}) {
      command.environment.emplace_back(fmt::format("HA_{}_NODE", role), node->name);
      command.environment.emplace_back(fmt::format("HA_{}_HOST", role), node->host);
      command.environment.emplace_back(fmt::format("HA_{}_PORT", role), std::to_string(node->port));
    }
    command.may_go_on = [&] {
      return watch([&] {
        return "copying for " + format_duration(resync_.timeout_s - deadline_.remaining_s());
      });
    };
    const auto outcome = PosixProcess().run(command, deadline_);
    if (!outcome) return outcome.error();
    if (ended_) return *ended_;
    if (!outcome->succeeded()) return failure(describe_end(command.argv, *outcome));
    return Done{};
  }

  Result<Done> await_server() {
    for (const Deadline patience = Deadline::after(kRestart_s);; clock_.sleep(kPoll_s)) {
      const auto session = connect_to(to_, options_.deadline_s);
      if (session) return take_over(*session);
      if (!is_no_answer(session.error()) || patience.passed() || clock_.stopping())
        return session.error();
    }
  }

  // A server that was started again knows nothing of us. The copy of a replica follows its source
  // as that one does.
  Result<Done> take_over(const Session& session) {
    target_ = session;
    if (const auto locked = take_lock(*target_, copy_lock(options_)); !locked) return locked;
    return under_lock([this] { return detach(); });
  }

  // Clone

  Result<BinlogPosition> clone() {
    const auto statement = clone_statement();
    if (!statement) return statement.error();
    for (const Session& session : {source_, target_})
      if (const auto installed = install_clone(*session); !installed) return installed.error();
    const auto worker = connect_to(to_, resync_.timeout_s);
    if (!worker) return worker.error();
    const auto own = query_value(**worker, "SELECT CONNECTION_ID()");
    if (!own) return own.error();
    if (const auto begun = begin(); !begun) return begun.error();
    if (const auto kept = keep_closed(); !kept) return kept.error();
    const auto cloned = attend(
        [session = *worker, sql = *statement]() -> Result<Done> {
          if (const auto rows = session->query(sql); !rows) return rows.error();
          return Done{};
        },
        [this] { return describe_clone(); });
    if (ended_) {
      // It would go on without us.
      if (const auto killed = target_->query("KILL " + *own); !killed) say_(killed.error().text);
      return *ended_;
    }
    const auto back = await_clone(cloned ? "" : cloned.error().text);
    if (!back) return back.error();
    const auto where =
        target_->query("SELECT binlog_file, binlog_position FROM performance_schema.clone_status");
    if (!where) return where.error();
    if (const auto restored = restore(); !restored) return restored.error();
    const Row row(*where, 0);
    return BinlogPosition{row.text("binlog_file").value_or(""),
                          static_cast<std::uint64_t>(row.integer("binlog_position").value_or(0))};
  }

  static Result<Done> install_clone(SqlSession& session) {
    const auto there = query_value(session,
                                   "SELECT COUNT(*) FROM information_schema.plugins"
                                   " WHERE plugin_name = 'clone' AND plugin_status = 'ACTIVE'");
    if (!there) return there.error();
    if (*there != "0") return Done{};
    // Nothing can be installed on a server that is closed for everybody.
    const auto closed = query_value(session, "SELECT @@GLOBAL.super_read_only");
    if (!closed) return closed.error();
    if (*closed == "1")
      if (const auto open = session.query("SET GLOBAL super_read_only=0"); !open)
        return open.error();
    const auto installed = session.query("INSTALL PLUGIN clone SONAME 'mysql_clone.so'");
    if (*closed == "1")
      if (const auto again = session.query("SET GLOBAL super_read_only=1"); !again)
        return again.error();
    if (!installed) return installed.error();
    return Done{};
  }

  // What it is set to now ends with the restart, and nothing can be cloned to a server that is
  // closed for administrators too.
  Result<Done> keep_closed() {
    const auto kept = query_value(*target_,
                                  "SELECT COUNT(*) FROM performance_schema.persisted_variables"
                                  " WHERE variable_name = 'super_read_only'"
                                  " AND variable_value = 'ON'");
    if (!kept) return kept.error();
    std::vector<std::string> sql = {
        "SET GLOBAL super_read_only=0",
        fmt::format("SET GLOBAL clone_valid_donor_list={}",
                    quote_string(fmt::format("{}:{}", from_.host, from_.port)))};
    if (*kept == "0") {
      if (const auto noted = note_.add(kPersisted); !noted) return noted;
      sql.insert(sql.begin(), "SET PERSIST super_read_only=1");
    }
    return run_all(*target_, sql);
  }

  Result<std::string> clone_statement() const {
    const MysqlOptions account = with_account_of_file(options_.cluster.mysql);
    if (account.user.empty()) return Error{Errc::kUsage, "give --username"};
    return fmt::format("CLONE INSTANCE FROM {}@{}:{} IDENTIFIED BY {}{}", quote_text(account.user),
                       quote_text(from_.host), from_.port,
                       quote_text(account.password.value_or("")),
                       effective_tls_mode(account) >= TlsMode::kRequired ? " REQUIRE SSL" : "");
  }

  std::string describe_clone() {
    const auto rows = target_->query(
        "SELECT SUM(data) AS done, SUM(estimate) AS estimate"
        " FROM performance_schema.clone_progress");
    if (!rows || rows->cells.empty()) return "";
    const Row row(*rows, 0);
    return fmt::format("cloned {} of about {}", mebibytes(row.number("done").value_or(0)),
                       mebibytes(row.number("estimate").value_or(0)));
  }

  // The server restarts when it has the copy; one that nothing starts again has stopped.
  Result<Done> await_clone(const std::string& error) {
    bool told = false;
    for (const Deadline patience = Deadline::after(kRestart_s); !patience.passed();) {
      const auto session = connect_to(to_, options_.deadline_s);
      const auto state = session ? query_value(**session,
                                               "SELECT CONCAT(STATE, ' ', ERROR_MESSAGE)"
                                               " FROM performance_schema.clone_status")
                                 : Result<std::string>(session.error());
      // What was completed before this one began has left the mark.
      const auto half = session ? is_half_copied(**session) : Result<bool>(session.error());
      if (state && half && !*half && state->starts_with("Completed")) return take_over(*session);
      if (half && *half && (!state || !state->starts_with("In Progress")))
        return failure(error.empty() ? to_.name + " was not cloned" : error);
      if (state && state->starts_with("Failed")) return failure(*state);
      if (session && !state && !is_no_answer(state.error())) return state.error();
      if (!session && !is_no_answer(session.error())) return session.error();
      if (!session && !told) {
        told = true;
        say_(fmt::format("{} restarts with the copy; start it if nothing else does", to_.name));
      }
      if (!clock_.sleep(kPoll_s)) return failure("asked to stop");
    }
    return failure(to_.name + " has not come back: start it");
  }

  const Node &from_, &to_;
  const FailoverOptions& options_;
  const ResyncOptions& resync_;
  const CopyBegins& begins_;
  Clock& clock_;
  const Say& say_;
  const Deadline deadline_;
  Note note_;
  Deadline told_ = Deadline::after(kTell_s);
  std::optional<Error> ended_ = {};              // why it is not gone on with
  Session source_ = nullptr, target_ = nullptr;  // answer within --deadline
  double bytes_ = 0;
  long long foreigners_ = 0, versioned_ = 0;  // tables that are not InnoDB's; that have a history
  std::string source_applied_ = {};           // MariaDB's gtid_slave_pos
};

}  // namespace

Result<Done> expect_no_copier(SqlSession& session, const FailoverOptions& options) {
  const auto holder = query_value(session, fmt::format("SELECT COALESCE(IS_USED_LOCK({}), '')",
                                                       quote_string(copy_lock(options))));
  if (!holder) return holder.error();
  if (!holder->empty())
    return failure(fmt::format("somebody copies to it (connection {})", *holder));
  return Done{};
}

Result<Done> expect_whole(SqlSession& session, const FailoverOptions& options,
                          const std::string& node) {
  if (const auto free = expect_no_copier(session, options); !free) return free;
  const auto half = is_half_copied(session);
  if (!half) return half.error();
  if (!*half && !Note(options, node).exists()) return Done{};
  return failure(fmt::format("{0} holds no whole copy; run: mysql_ha resync {0}", node));
}

Result<BinlogPosition> copy_server(const Node& from, const Node& to, const FailoverOptions& options,
                                   const ResyncOptions& resync, const CopyBegins& begins,
                                   Clock& clock, const Say& say) {
  return Copier(from, to, options, resync, begins, clock, say).copy();
}

}  // namespace ha
