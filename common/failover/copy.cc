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
#include "common/mysql/replica_status.h"
#include "common/mysql/statements.h"

namespace ha {

namespace {

using Session = std::shared_ptr<SqlSession>;

constexpr double kTell_s = 5;
// For a server to come back after it was cloned, by itself or by hand.
constexpr double kRestart_s = 600;
constexpr double kPoll_s = 0.2;
constexpr unsigned kMostWait_s = 31536000;  // that wait_timeout takes
// The databases that are not data.
constexpr char kSystem[] = "('information_schema', 'mysql', 'performance_schema', 'sys')";

double size_of(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? static_cast<double>(info.st_size) : 0;
}

std::string mebibytes(double bytes) { return fmt::format("{:.1f} MiB", bytes / (1 << 20)); }

std::string copy_lock(const FailoverOptions& options) { return options.node_lock() + ":copy"; }

// Runs statements one after the other.
Result<Done> run_all(SqlSession& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements)
    if (const auto rows = session.query(sql); !rows) return rows.error();
  return Done{};
}

class Copier {
 public:
  Copier(const Node& from, const Node& to, const FailoverOptions& options,
         const ResyncOptions& resync, Clock& clock, const Say& say)
      : from_(from),
        to_(to),
        options_(options),
        resync_(resync),
        clock_(clock),
        say_(say),
        deadline_(Deadline::after(resync.timeout_s)) {}

  Result<BinlogPosition> copy(const std::string& directory) {
    auto source = connect_to(from_), target = connect_to(to_);
    if (!source) return source.error();
    if (!target) return target.error();
    source_ = *source;
    target_ = *target;
    if (const auto locked = lock(); !locked) return locked.error();
    if (const auto looked = look(); !looked) return looked.error();
    const auto method = choose_method();
    if (!method) return method.error();
    constexpr const char* kNames[] = {"", "clone", "dump", "command"};
    say_(fmt::format("copying {} to {} by {}: about {}", from_.name, to_.name,
                     kNames[static_cast<std::size_t>(*method)], mebibytes(bytes_)));
    if (*method == CopyMethod::kClone) return clone();
    const std::string path = fmt::format("{}/{}.copy", directory, to_.name);
    const auto done = *method == CopyMethod::kDump ? dump_and_load(path) : run_command(path);
    unlink(path.c_str());
    return done;
  }

 private:
  bool is_mysql() const { return target_->version().flavour == Flavour::kMysql; }

  Result<Session> connect_to(const Node& node) const {
    MysqlOptions one = options_for({node.name, node.host, node.port}, options_.cluster.mysql,
                                   options_.probe_timeout_s);
    one.answer_timeout_s = static_cast<unsigned>(std::ceil(resync_.timeout_s));
    auto session = connect(one);
    if (!session) return session.error();
    // It is idle for as long as the other server is at work, and its statements may be long.
    std::vector<std::string> sql = {
        fmt::format("SET SESSION wait_timeout={}", std::min(one.answer_timeout_s, kMostWait_s))};
    if ((*session)->version().flavour == Flavour::kMariadb)
      sql.emplace_back("SET SESSION max_statement_time=0");
    if (const auto set = run_all(**session, sql); !set) return set.error();
    return Session(std::move(*session));
  }

  // Nobody else copies to this server, from whatever machine.
  Result<Done> lock() { return take_lock(*target_, copy_lock(options_)); }

  static Result<Done> take_lock(SqlSession& session, const std::string& name) {
    const auto got =
        query_value(session, fmt::format("SELECT GET_LOCK({}, 1)", quote_string(name)));
    if (!got) return got.error();
    if (*got != "1") return failure("another run is at work on it");
    return Done{};
  }

  // How much there is, and how many tables InnoDB does not keep.
  Result<Done> look() {
    const auto rows = source_->query(
        fmt::format("SELECT SUM(data_length) AS bytes, SUM(engine <> 'InnoDB') AS foreigners"
                    " FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
                    " AND table_schema NOT IN {}",
                    kSystem));
    if (!rows) return rows.error();
    if (rows->cells.empty()) return Done{};
    bytes_ = Row(*rows, 0).number("bytes").value_or(0);
    foreigners_ = Row(*rows, 0).integer("foreigners").value_or(0);
    return Done{};
  }

  Result<CopyMethod> choose_method() const {
    const Version &from = source_->version(), &to = target_->version();
    std::string why;
    if (!is_mysql() || !from.at_least(8, 0, 17) || !to.at_least(8, 0, 17))
      why = "only MySQL 8.0.17 and later can be cloned";
    else if (from.major != to.major || from.minor != to.minor)
      why = fmt::format("a server {} cannot clone one of {}", to.text, from.text);
    else if (foreigners_ > 0)
      why = fmt::format("{} tables of {} are not InnoDB's and would come empty", foreigners_,
                        from_.name);
    if (resync_.method == CopyMethod::kClone && !why.empty()) return failure(why);
    if (resync_.method == CopyMethod::kCommand && resync_.copy_command.empty())
      return Error{Errc::kUsage, "give --copy-command"};
    if (resync_.method != CopyMethod::kAuto) return resync_.method;
    if (!resync_.copy_command.empty()) return CopyMethod::kCommand;
    return why.empty() ? CopyMethod::kClone : CopyMethod::kDump;
  }

  // Tells now and then how far it is; false when it is to end, for the reason of `ended_`.
  bool watch(const std::function<std::string()>& progress) {
    if (clock_.stopping()) ended_ = failure("asked to stop");
    if (deadline_.passed()) ended_ = failure("--copy-timeout has passed");
    if (ended_) return false;
    if (!told_.passed()) return true;
    told_ = Deadline::after(kTell_s);
    if (const std::string text = progress(); !text.empty()) say_(text);
    return true;
  }

  // Waits for work in a thread of its own, which is abandoned when it is to end: the program leaves
  // by _exit, and the server notices.
  template <class T>
  Result<T> attend(std::function<Result<T>()> work, const std::function<std::string()>& progress) {
    std::packaged_task<Result<T>()> task(std::move(work));
    std::future<Result<T>> result = task.get_future();
    std::thread(std::move(task)).detach();
    while (result.wait_for(std::chrono::seconds(1)) != std::future_status::ready)
      if (!watch(progress)) return *ended_;
    return result.get();
  }

  // Before anything is replaced: no channel may write into it, nobody may take it for whole. Under
  // the lock of failovers, for until now it could be promoted like any other.
  Result<Done> begin(SqlSession& session) const {
    const std::string name = options_.node_lock();
    if (const auto locked = take_lock(session, name); !locked) return locked;
    const auto closed = query_value(session, "SELECT @@GLOBAL.read_only");
    if (!closed) return closed.error();
    if (*closed == "0") return failure("it accepts writes again: somebody has acted meanwhile");
    const auto marked = mark(session);
    const auto freed =
        query_value(session, fmt::format("SELECT RELEASE_LOCK({})", quote_string(name)));
    if (!freed) return freed.error();
    return marked;
  }

  Result<Done> mark(SqlSession& session) const {
    if (const auto alone = detach(session); !alone) return alone;
    return run_all(session, {fmt::format("CREATE DATABASE IF NOT EXISTS {}", kHalfCopy)});
  }

  // From here on only we write to it: read_only stays, which leaves administrators.
  static Result<Done> detach(SqlSession& session) {
    const Version& version = session.version();
    const auto channels = read_replica_status(session);
    if (!channels) return channels.error();
    std::vector<std::string> sql;
    for (const ChannelStatus& channel : *channels) {
      sql.push_back(stop_replication(version, channel.name));
      sql.push_back(forget_source(version, channel.name));
    }
    sql.emplace_back("SET SESSION sql_log_bin=0");
    sql.push_back(version.flavour == Flavour::kMysql
                      ? "SET GLOBAL read_only=1, GLOBAL super_read_only=0"
                      : make_read_only(version));
    return run_all(session, sql);
  }

  // Events that run on a replica would write what the primary's have written already.
  static Result<Done> disable_events(SqlSession& session) {
    const auto events = session.query(
        "SELECT event_schema, event_name FROM information_schema.events WHERE status = 'ENABLED'");
    if (!events) return events.error();
    for (std::size_t i = 0; i < events->cells.size(); ++i) {
      const Row row(*events, i);
      const std::string event = quote_identifier(row.text("event_schema").value_or("")) + "." +
                                quote_identifier(row.text("event_name").value_or(""));
      if (const auto done = session.query(disable_event(session.version(), event)); !done)
        return done.error();
    }
    return Done{};
  }

  // Dump

  Result<BinlogPosition> dump_and_load(const std::string& path) {
    if (const auto dumped = dump(path); !dumped) return dumped.error();
    std::ifstream file(path);
    auto moment = read_dump_moment(file);
    if (!moment) return moment.error();
    if (!is_mysql()) {
      const auto gtids = query_value(
          *source_, fmt::format("SELECT BINLOG_GTID_POS({}, {})",
                                quote_string(moment->position.file), moment->position.offset));
      if (!gtids) return gtids.error();
      moment->gtids = *gtids;
    }
    if (const auto begun = begin(*target_); !begun) return begun.error();
    const auto loaded = load(path, *moment);
    if (!loaded)
      return Error{loaded.error().code,
                   fmt::format("{}; {} holds half a copy", loaded.error().text, to_.name)};
    return moment->position;
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
    command.argv.push_back("--defaults-extra-file=" + login);
    for (std::string& word :
         dump_arguments(from_, foreigners_ > 0 ? DumpLock::kAllTables : DumpLock::kNone))
      command.argv.push_back(std::move(word));
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

  Result<Done> load(const std::string& path, const CopyMoment& moment) {
    const auto done = std::make_shared<std::atomic<double>>(0);
    if (const auto dropped = drop_databases(); !dropped) return dropped;
    const auto loaded = attend<Done>(
        [path, session = target_, done]() -> Result<Done> {
          std::ifstream file(path);
          return for_each_statement(file, [&](const std::string& sql) -> Result<Done> {
            *done = *done + static_cast<double>(sql.size());
            if (is_about_server(sql)) return Done{};
            if (const auto rows = session->query(sql); !rows) return rows.error();
            return Done{};
          });
        },
        [&] { return fmt::format("loaded {} of {}", mebibytes(*done), mebibytes(size_of(path))); });
    if (!loaded) return loaded;
    return finish(moment);
  }

  Result<Done> drop_databases() {
    const auto databases =
        target_->query(fmt::format("SELECT schema_name AS name FROM information_schema.schemata"
                                   " WHERE schema_name NOT IN {} AND schema_name <> '{}'",
                                   kSystem, kHalfCopy));
    if (!databases) return databases.error();
    std::vector<std::string> sql = {"SET SESSION foreign_key_checks=0"};
    for (std::size_t i = 0; i < databases->cells.size(); ++i)
      sql.push_back("DROP DATABASE " +
                    quote_identifier(Row(*databases, i).text("name").value_or("")));
    return run_all(*target_, sql);
  }

  // Its history is that of the data from now on.
  Result<Done> finish(const CopyMoment& moment) {
    if (const auto disabled = disable_events(*target_); !disabled) return disabled;
    const Version& version = target_->version();
    std::vector<std::string> sql = {"FLUSH PRIVILEGES"};
    if (is_mysql() || to_.facts->log_bin == true) sql.push_back(forget_binlogs(version));
    if (!is_mysql())
      sql.push_back("SET GLOBAL gtid_slave_pos=" + quote_string(moment.gtids));
    else if (!moment.gtids.empty())
      sql.push_back("SET GLOBAL gtid_purged=" + quote_string(moment.gtids));
    sql.push_back(fmt::format("DROP DATABASE IF EXISTS {}", kHalfCopy));
    sql.push_back(make_read_only(version));
    return run_all(*target_, sql);
  }

  // A command of the operator's

  Result<BinlogPosition> run_command(const std::string& path) {
    if (const auto begun = begin(*target_); !begun) return begun.error();
    const auto copied = copy_by_command(path);
    if (!copied)
      return Error{copied.error().code,
                   fmt::format("{}; {} holds half a copy", copied.error().text, to_.name)};
    return copied;
  }

  Result<BinlogPosition> copy_by_command(const std::string& path) {
    Command command{resync_.copy_command, {{"HA_COMMAND", "resync"}}, path};
    for (const auto& [role, node] : {std::pair("SOURCE", &from_), std::pair("TARGET", &to_)}) {
      command.environment.emplace_back(fmt::format("HA_{}_NODE", role), node->name);
      command.environment.emplace_back(fmt::format("HA_{}_HOST", role), node->host);
      command.environment.emplace_back(fmt::format("HA_{}_PORT", role), std::to_string(node->port));
    }
    const auto begin = Deadline::Clock::now();
    command.may_go_on = [&] {
      return watch([&] {
        const auto passed = Deadline::Clock::now() - begin;
        return "copying for " +
               format_duration(static_cast<double>(
                   std::chrono::duration_cast<std::chrono::seconds>(passed).count()));
      });
    };
    const auto outcome = PosixProcess().run(command, deadline_);
    if (!outcome) return outcome.error();
    if (ended_) return *ended_;
    if (!outcome->succeeded()) return failure(describe_end(command.argv, *outcome));
    const auto printed = read_file(path);
    if (!printed) return printed.error();
    const auto moment = parse_moment(*printed);
    if (!moment) return moment.error();
    auto target = await_server();
    if (!target) return target.error();
    target_ = *target;
    const auto half = is_half_copied(*target_);
    if (!half) return half.error();
    if (*half) return failure("the command has not replaced what " + to_.name + " has");
    if (const auto alone = detach(*target_); !alone) return alone.error();
    if (const auto finished = finish(*moment); !finished) return finished.error();
    return moment->position;
  }

  Result<Session> await_server() {
    for (const Deadline patience = Deadline::after(kRestart_s);; clock_.sleep(kPoll_s)) {
      auto session = connect_to(to_);
      if (session || !is_no_answer(session.error()) || patience.passed() || clock_.stopping())
        return session;
    }
  }

  // Clone

  Result<BinlogPosition> clone() {
    if (const auto ready = prepare_clone(); !ready) return ready.error();
    if (const auto kept = keep_closed(); !kept) return kept.error();
    const auto statement = clone_statement();
    if (!statement) return statement.error();
    const auto observer = connect_to(to_);
    if (!observer) return observer.error();
    const auto own = query_value(*target_, "SELECT CONNECTION_ID()");
    if (!own) return own.error();
    const auto cloned = attend<Done>(
        [session = target_, sql = *statement]() -> Result<Done> {
          if (const auto rows = session->query(sql); !rows) return rows.error();
          return Done{};
        },
        [observer = *observer] { return describe_clone(*observer); });
    if (ended_) {
      // It would go on without us.
      if (const auto killed = (*observer)->query("KILL " + *own); !killed)
        say_(killed.error().text);
      return failure(fmt::format("{}; {} may be empty now", ended_->text, to_.name));
    }
    auto target = await_clone(cloned ? "" : cloned.error().text);
    if (!target) return target.error();
    target_ = *target;
    return finish_clone();
  }

  // Both servers need the plugin, and the recipient has to know the donor.
  Result<Done> prepare_clone() {
    if (const auto begun = begin(*target_); !begun) return begun;
    for (const Session& session : {source_, target_}) {
      const auto there = query_value(*session,
                                     "SELECT COUNT(*) FROM information_schema.plugins"
                                     " WHERE plugin_name = 'clone' AND plugin_status = 'ACTIVE'");
      if (!there) return there.error();
      if (*there != "0") continue;
      // Nothing can be installed on a server that is closed for everybody.
      const auto closed = query_value(*session, "SELECT @@GLOBAL.super_read_only");
      if (!closed) return closed.error();
      std::vector<std::string> sql = {"INSTALL PLUGIN clone SONAME 'mysql_clone.so'"};
      if (*closed == "1") {
        sql.insert(sql.begin(), "SET GLOBAL super_read_only=0");
        sql.emplace_back("SET GLOBAL super_read_only=1");
      }
      const auto installed = run_all(*session, sql);
      if (*closed == "1" && !installed)
        if (const auto again = session->query(sql.back()); !again) return again.error();
      if (!installed) return installed;
    }
    return run_all(*target_,
                   {fmt::format("SET GLOBAL clone_valid_donor_list={}",
                                quote_string(fmt::format("{}:{}", from_.host, from_.port)))});
  }

  // What it is set to now ends with the restart, and nothing can be cloned to a server that is
  // closed for administrators too.
  Result<Done> keep_closed() {
    const auto kept = query_value(*target_,
                                  "SELECT COUNT(*) FROM performance_schema.persisted_variables"
                                  " WHERE variable_name = 'super_read_only'");
    if (!kept) return kept.error();
    persisted_ = *kept == "0";
    std::vector<std::string> sql = {"SET GLOBAL super_read_only=0"};
    if (persisted_) sql.insert(sql.begin(), "SET PERSIST super_read_only=1");
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

  static std::string describe_clone(SqlSession& session) {
    const auto rows = session.query(
        "SELECT SUM(data) AS done, SUM(estimate) AS estimate FROM "
        "performance_schema.clone_progress");
    if (!rows || rows->cells.empty()) return "";
    const Row row(*rows, 0);
    return fmt::format("cloned {} of about {}", mebibytes(row.number("done").value_or(0)),
                       mebibytes(row.number("estimate").value_or(0)));
  }

  // The server restarts when it has the copy; one that nothing starts again has stopped.
  Result<Session> await_clone(const std::string& error) {
    bool told = false;
    for (const Deadline patience = Deadline::after(kRestart_s); !patience.passed();) {
      auto session = connect_to(to_);
      const auto state = session ? query_value(**session,
                                               "SELECT CONCAT(STATE, ' ', ERROR_MESSAGE)"
                                               " FROM performance_schema.clone_status")
                                 : Result<std::string>(session.error());
      // What was completed before this one began has left the mark.
      const auto half = session ? is_half_copied(**session) : Result<bool>(session.error());
      if (state && half && !*half && state->starts_with("Completed")) return session;
      if (half && *half && (!state || !state->starts_with("In Progress")))
        return failure(error.empty() ? to_.name + " was not cloned" : error);
      if (state && state->starts_with("Failed")) return failure(*state);
      if (session && !state && !is_no_answer(state.error())) return state.error();
      if (!session && !is_no_answer(session.error())) return session.error();
      if (!session && !told) {
        told = true;
        say_(fmt::format("{} restarts with the copy; start it if nothing else does", to_.name));
      }
      if (!clock_.sleep(kPoll_s)) break;
    }
    return failure(fmt::format("{} has not come back; start it, then run: mysql_ha resync {}",
                               to_.name, to_.name));
  }

  // The clone of a replica follows its source as that one does.
  Result<BinlogPosition> finish_clone() {
    const auto where =
        target_->query("SELECT binlog_file, binlog_position FROM performance_schema.clone_status");
    if (!where) return where.error();
    if (const auto alone = detach(*target_); !alone) return alone.error();
    if (const auto disabled = disable_events(*target_); !disabled) return disabled.error();
    std::vector<std::string> sql = {make_read_only(target_->version())};
    if (persisted_) sql.emplace_back("RESET PERSIST IF EXISTS super_read_only");
    if (const auto closed = run_all(*target_, sql); !closed) return closed.error();
    const Row row(*where, 0);
    return BinlogPosition{row.text("binlog_file").value_or(""),
                          static_cast<std::uint64_t>(row.integer("binlog_position").value_or(0))};
  }

  const Node &from_, &to_;
  const FailoverOptions& options_;
  const ResyncOptions& resync_;
  Clock& clock_;
  const Say& say_;
  const Deadline deadline_;
  Deadline told_ = Deadline::after(kTell_s);
  std::optional<Error> ended_ = {};  // why it is not gone on with
  Session source_ = nullptr, target_ = nullptr;
  double bytes_ = 0;
  long long foreigners_ = 0;
  bool persisted_ = false;  // by us, for the time of the restart
};

}  // namespace

Result<bool> is_half_copied(SqlSession& session) {
  const auto found = query_value(
      session,
      fmt::format("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '{}'",
                  kHalfCopy));
  if (!found) return found.error();
  return *found != "0";
}

Result<Done> expect_no_copier(SqlSession& session, const FailoverOptions& options) {
  const auto holder = query_value(session, fmt::format("SELECT COALESCE(IS_USED_LOCK({}), '')",
                                                       quote_string(copy_lock(options))));
  if (!holder) return holder.error();
  if (!holder->empty())
    return failure(fmt::format("somebody copies to it (connection {})", *holder));
  return Done{};
}

Result<BinlogPosition> copy_server(const Node& from, const Node& to, const FailoverOptions& options,
                                   const ResyncOptions& resync, const std::string& directory,
                                   Clock& clock, const Say& say) {
  return Copier(from, to, options, resync, clock, say).copy(directory);
}

}  // namespace ha
