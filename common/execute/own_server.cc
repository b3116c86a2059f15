// SPDX-License-Identifier: MIT
#include "common/execute/own_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/context/operator_program.h"
#include "common/execute/closing.h"
#include "common/failover/role_statements.h"
#include "common/mysql/variables.h"
#include "common/text.h"
#include "common/vip/move.h"

namespace ha {

namespace {

constexpr double kConnect_s = 1, kMostLogin_s = 10;
constexpr unsigned kAnswer_s = 2;
constexpr double kEndPoll_s = 0.02;
// Between two tries whether the server lets us in.
constexpr double kSoonest_s = 10, kLatest_s = 60;

// The server tells which file names its process; on another machine that file may be another
// server's, which was hardly started at the same time.
Result<Done> compare_age(SqlSession& session, const ServerProcess& process) {
  constexpr double kMost_s = 30;
  const auto uptime_s = read_uptime_s(session);
  if (!uptime_s) return uptime_s.error();
  if (*uptime_s && std::abs(process.age_s - **uptime_s) < kMost_s) return Done{};
  return Error{Errc::kRefused,
               fmt::format("process {} was not started when the server was", process.id)};
}

Result<int> read_process_id(const Env& env, const std::string& path) {
  constexpr std::size_t kLongest = 64;
  const auto content = env.files.read(path, kLongest);
  if (!content) return content.error();
  const auto id = parse_integer(trim(*content));
  if (!id || *id <= 0 || *id > INT32_MAX) return Error{Errc::kBadData, path + " names no process"};
  return static_cast<int>(*id);
}

// Returns the process that a file names, and that listens where the server does. `known`: the one
// that was found before, if it still runs. To look for who listens takes long where there are many
// connections.
Result<ServerProcess> find_process(const Env& env, const FailoverOptions& options,
                                   SqlSession& session, const std::optional<ServerProcess>& known) {
  const bool told = options.lease.pid_file.empty();
  const auto path = told ? query_value(session, "SELECT @@GLOBAL.pid_file")
                         : Result<std::string>(options.lease.pid_file);
  if (!path) return path.error();
  const auto id = read_process_id(env, *path);
  if (!id) return id.error();
  if (known && known->id == *id) return *known;
  const auto port = query_value(session, "SELECT @@GLOBAL.port");
  const auto number = port ? parse_integer(*port) : std::nullopt;
  if (!number || *number <= 0)
    return port ? Error{Errc::kBadData, "the server tells no port"} : port.error();
  auto process = env.process.find_server(*id, static_cast<unsigned>(*number));
  if (!process || !told) return process;
  const auto same = compare_age(session, *process);
  return same ? std::move(process) : same.error();
}

}  // namespace

OwnServer::OwnServer(const Env& env, const FailoverOptions& options, NodeAddress node)
    : env_(env), options_(options), node_(std::move(node)) {}

MysqlOptions OwnServer::login(double seconds) const {
  MysqlOptions login = options_for(node_, options_.cluster.mysql, seconds);
  login.answer_timeout_s = kAnswer_s;
  return login;
}

void OwnServer::recall(const ServerProcess& process) {
  const std::lock_guard guard(mutex_);
  process_ = process;
}

std::optional<ServerProcess> OwnServer::process() const {
  const std::lock_guard guard(mutex_);
  return process_;
}

bool OwnServer::has_ended() const {
  const auto known = process();
  return known && !env_.process.is_running(*known);
}

bool OwnServer::learn_process(SqlSession& session) {
  const auto known = process();
  const bool ended = has_ended();
  const auto found = find_process(env_, options_, session, ended ? std::nullopt : known);
  const std::lock_guard guard(mutex_);
  // A question that fails now takes nothing away: a server that begins to hang is to be killed.
  if (!found && process_ && !ended) return false;
  process_ = found ? std::optional(*found) : std::nullopt;
  unknown_process_ = found ? "" : found.error().text;
  return ended;
}

// A server that is full, or shuts down, is told by the session that there is.
Result<bool> OwnServer::log_in() {
  const double now_s = env_.clock.monotonic_s();
  // A login over TLS costs as much as hundreds of questions.
  const double session_s = std::clamp(options_.policy.hung_after_s * 2 / 3, kSoonest_s, kLatest_s);
  if (session_ && now_s - logged_in_s_ < session_s) return false;
  logged_in_s_ = now_s;
  // A server on which logins are slow is not to be killed for it.
  auto session = env_.connector.connect(
      login(std::clamp(options_.policy.hung_after_s / 3, kConnect_s, kMostLogin_s)));
  if (session) {
    session_ = std::move(*session);
    reserve_sessions();
    return learn_process(*session_);
  }
  if (session_ && (!is_no_answer(session.error()) || is_refused(session.error()))) return false;
  session_.reset();
  return session.error();
}

OwnServer::State OwnServer::look() {
  Error error;
  if (const auto started = log_in(); !started)
    error = started.error();
  else if (*started)
    return State::kEnded;
  if (session_) {
    const auto closed = read_switch(*session_, "read_only");
    if (closed) {
      // A guard that is started again while the server hangs has to know it from this one.
      if (!process()) learn_process(*session_);
      return *closed ? State::kClosed : State::kWritable;
    }
    error = closed.error();
    session_.reset();
  }
  if (error.code == Errc::kAccessDenied) return State::kDenied;
  if (!is_no_answer(error)) return State::kUnread;
  if (process()) return has_ended() ? State::kEnded : State::kSilent;
  // No network is between that could tell so.
  return is_refused(error) ? State::kEnded : State::kSilent;
}

Result<OwnServer::Sessions> OwnServer::open_sessions() const {
  Sessions sessions;
  for (auto* const session : {&sessions.closing, &sessions.beside}) {
    auto opened = env_.connector.connect(login(kConnect_s));
    if (!opened) return opened.error();
    *session = std::move(*opened);
  }
  return sessions;
}

void OwnServer::reserve_sessions() {
  std::unique_lock guard(mutex_);
  auto sessions = std::exchange(reserved_, std::nullopt);
  guard.unlock();
  const auto lives = [](SqlSession& session) { return session.query("DO 0").has_value(); };
  if (!sessions || !lives(*sessions->closing) || !lives(*sessions->beside)) {
    const auto opened = open_sessions();
    sessions = opened ? std::optional(*opened) : std::nullopt;
  }
  guard.lock();
  reserved_ = std::move(sessions);
}

Result<OwnServer::Deed> OwnServer::close(const Deadline& deadline) {
  std::string vip;
  if (!options_.vip.address.empty()) {
    const Deadline half = deadline.from_now(deadline.remaining_s() / 2);
    const auto host = env_.network.open_vip_host(options_.vip, "", env_.process, half);
    const auto dropped = drop_vip(options_.vip, *host);
    vip =
        fmt::format(", {} {}", options_.vip.address,
                    dropped ? "is not on it" : "could not be taken away: " + dropped.error().text);
  }
  const auto with_vip = [&](Result<Deed> deed) {
    if (deed) deed->text += vip;
    return deed;
  };
  std::unique_lock guard(mutex_);
  const auto reserved = std::exchange(reserved_, std::nullopt);
  guard.unlock();
  if (reserved) {
    auto closed = close_over(*reserved, deadline);
    // They may have been ended since.
    if (closed || !is_no_answer(closed.error())) return with_vip(std::move(closed));
  }
  const auto sessions = open_sessions();
  if (!sessions) return sessions.error();
  return with_vip(close_over(*sessions, deadline));
}

Result<OwnServer::Deed> OwnServer::close_over(const Sessions& sessions,
                                              const Deadline& deadline) const {
  SqlSession& session = *sessions.closing;
  const auto before = read_switch(session, "read_only");
  if (!before) return before.error();
  const CommitRelease release{sessions.beside, options_.session_locks(), "",
                              std::min(deadline.remaining_s(), kAnswer_s / 2.0)};
  const auto ended =
      close_at_once(env_.workers, env_.clock, session, release, kAnswer_s, [&]() -> Result<Done> {
        const auto done = session.query(close_server(session.version()).sql);
        return done ? Result<Done>(Done{}) : done.error();
      });
  if (!ended) return ended.error();
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  if (!*closed) return Error{Errc::kRefused, "it still accepts writes"};
  return Deed{fmt::format("read-only{}, {} connections ended", *before ? " before" : "", *ended),
              *before};
}

Result<OwnClosing> OwnServer::read_closing() const {
  const auto session = env_.connector.connect(login(kConnect_s));
  if (!session) return session.error();
  const auto facts = read_closed_server(**session);
  if (!facts) return facts.error();
  return OwnClosing{node_.name, *facts->binlog, facts->read_only_set_at};
}

Result<Done> OwnServer::run_kill_command(const Deadline& deadline) {
  Command command{options_.lease.kill_command, {{"HA_COMMAND", "guard"}}};
  describe_node(command, "FAILED", {.name = node_.name, .host = node_.host, .port = node_.port});
  const auto outcome = env_.process.run(command, deadline);
  if (!outcome) return outcome.error();
  if (outcome->succeeded()) return Done{};
  return Error{Errc::kRefused, describe_end(options_.lease.kill_command, *outcome)};
}

std::string OwnServer::find_kill_obstacle() const {
  if (!options_.lease.kill_command.empty()) return "";
  const std::lock_guard guard(mutex_);
  if (process_ || unknown_process_.empty()) return "";
  return fmt::format(
      "{} could not be killed if it hung: {}; to have it killed, configure kill-command = COMMAND",
      node_.name, unknown_process_);
}

Result<OwnServer::Deed> OwnServer::kill(const Deadline& deadline) {
  std::string failed;
  const auto known = process();
  if (!options_.lease.kill_command.empty()) {
    const auto run = run_kill_command(deadline.from_now(deadline.remaining_s() / 2));
    if (run && !known) return Deed{options_.lease.kill_command[0] + " has killed it"};
    if (!run) failed = run.error().text + "; ";
  }
  if (!known) {
    const std::lock_guard guard(mutex_);
    return Error{Errc::kMissing, fmt::format("{}its process is not known: {}", failed,
                                             unknown_process_.empty() ? "it has not answered yet"
                                                                      : unknown_process_)};
  }
  const auto killed = env_.process.kill_server(*known);
  if (!killed) return Error{killed.error().code, failed + killed.error().text};
  while (env_.process.is_running(*known)) {
    if (deadline.passed())
      return Error{Errc::kTimedOut,
                   fmt::format("{}process {} was killed and has not ended", failed, known->id)};
    env_.clock.pause(kEndPoll_s);
  }
  return Deed{fmt::format("{}process {} was killed", failed, known->id)};
}

}  // namespace ha
