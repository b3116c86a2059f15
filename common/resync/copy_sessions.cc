// SPDX-License-Identifier: MIT
#include "common/resync/copy_sessions.h"

#include <cmath>
#include <utility>

#include "common/context/node_locks.h"
#include "common/execute/failure.h"
#include "common/mysql/statements.h"

namespace ha {

namespace {

// For one statement, and for a lock that another run has.
constexpr double kAnswer_s = 600;
constexpr int kPatience_s = 60;

Result<Done> take_lock(SqlSession& session, const std::string& name, int patience_s) {
  const auto got = take_node_lock(session, name, patience_s);
  if (!got) return got.error();
  if (!*got) return failure("another run is at work on it");
  return Done{};
}

}  // namespace

Result<Done> run_all(SqlSession& session, const std::vector<std::string>& statements) {
  for (const std::string& sql : statements)
    if (const auto rows = session.query(sql); !rows) return rows.error();
  return Done{};
}

Result<CopySessions::Session> CopySessions::connect(const Node& node, double answer_s) const {
  MysqlOptions one = options_for({node.name, node.host, node.port}, options_.cluster.mysql,
                                 options_.probe_timeout_s);
  one.answer_timeout_s = static_cast<unsigned>(std::ceil(answer_s));
  auto session = env_.connector.connect(one);
  if (!session) return session.error();
  const auto set = run_all(**session, settings_for_copying((*session)->version()));
  if (!set) return set.error();
  return Session(std::move(*session));
}

Result<Done> CopySessions::open() {
  auto source = connect(task_.from, kAnswer_s), target = connect(task_.to, kAnswer_s);
  if (!source) return source.error();
  if (!target) return target.error();
  source_ = *source;
  target_ = *target;
  return Done{};
}

Result<Done> CopySessions::lock() {
  auto guard = connect(task_.primary, kAnswer_s);
  if (!guard) return guard.error();
  guard_ = *guard;
  const std::string guard_lock = copy_guard_lock(task_.to.facts->server_id);
  if (const auto locked = take_lock(*guard_, guard_lock, 1); !locked) return locked;
  if (const auto locked = take_lock(*target_, kCopyLock, 1); !locked) return locked;
  return end_old_worker();
}

// We have kCopyLock, so the process whose session it was is dead.
Result<Done> CopySessions::end_old_worker() {
  const auto worker = node_lock_holder(*target_, kCopyWorkLock);
  if (!worker) return worker.error();
  // It may have ended by itself meanwhile; what works next waits for the lock.
  if (!worker->empty()) static_cast<void>(target_->query("KILL " + *worker));
  return Done{};
}

Result<CopySessions::Session> CopySessions::connect_for_long(const Node& node) const {
  return connect(node, timeout_s_);
}

Result<CopySessions::Session> CopySessions::connect_to_target() const {
  return connect(task_.to, kAnswer_s);
}

Result<CopySessions::Session> CopySessions::connect_worker() const {
  auto worker = connect_for_long(task_.to);
  if (!worker) return worker;
  const auto got = take_node_lock(**worker, kCopyWorkLock, kPatience_s);
  if (!got) return got.error();
  if (!*got)
    return failure("a statement of an earlier copying is still at work on " + task_.to.name);
  return worker;
}

Result<Done> CopySessions::under_run_lock(const std::function<Result<Done>()>& work) {
  const std::string name = options_.node_lock();
  if (const auto locked = take_lock(*target_, name, kPatience_s); !locked) return locked;
  const auto done = work();
  const auto freed = release_node_lock(*target_, name);
  return done && !freed ? freed : done;
}

Result<CopySessions::Session> CopySessions::await_target() const {
  const Deadline patience = Deadline::after(env_.clock, kRestart_s);
  for (;; env_.clock.sleep(kRestartPoll_s)) {
    auto session = connect_to_target();
    if (session || !may_be_restarting(session.error()) || patience.passed() ||
        env_.clock.stopping())
      return session;
  }
}

Result<Done> CopySessions::replace_target(const Session& session) {
  target_ = session;
  return take_lock(*target_, kCopyLock, kPatience_s);
}

void CopySessions::keep_alive() {
  if (!next_sign_.passed()) return;
  next_sign_ = next_sign_.from_now(kSilence_s);
  for (const Session& session : {source_, target_, guard_})
    static_cast<void>(session->query("DO 0"));
}

}  // namespace ha
