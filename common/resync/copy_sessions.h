// SPDX-License-Identifier: MIT
// The sessions of one copying, and the locks on the servers that keep other copiers away.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/deadline.h"
#include "common/env.h"
#include "common/mysql/session.h"
#include "common/resync/copy.h"

namespace ha {

// For a server to come back after its data were replaced, by itself or by hand.
inline constexpr double kRestart_s = 600, kRestartPoll_s = 0.2;

// Runs statements one after the other.
Result<Done> run_all(SqlSession& session, const std::vector<std::string>& statements);

class CopySessions {
 public:
  using Session = std::shared_ptr<SqlSession>;

  CopySessions(const Env& env, const CopyTask& task, const FailoverOptions& options,
               const ResyncOptions& resync)
      : env_(env),
        task_(task),
        options_(options),
        timeout_s_(resync.timeout_s),
        next_sign_(Deadline::after(env.clock, kSilence_s)) {}

  // Each answers within a few minutes. The second one is replaced when the server was.
  SqlSession& source() const { return *source_; }
  SqlSession& target() const { return *target_; }
  bool is_mysql() const { return target_->version().flavour == Flavour::kMysql; }

  // Logs in to the source and the target.
  Result<Done> open();

  // Takes the locks of a copying on the target and the primary, and ends what a copier that was
  // killed still does on the target.
  Result<Done> lock();

  // Returns a new session with a node, of which a statement may take the time of the whole copying.
  Result<Session> connect_for_long(const Node& node) const;

  // Returns such a session with the target; there is one at a time, of all copiers.
  Result<Session> connect_worker() const;

  // Returns a new session with the target, whose server may have ended.
  Result<Session> connect_to_target() const;

  // Does something to the target while no failover can choose it.
  Result<Done> under_run_lock(const std::function<Result<Done>()>& work);

  // Waits until the target, whose data were replaced, answers again, by itself or by hand.
  Result<Session> await_target() const;

  // Goes on with a new session after the target was started again; takes its lock anew.
  Result<Done> replace_target(const Session& session);

  // Sends something now and then: firewalls forget connections that are silent.
  void keep_alive();

 private:
  static constexpr double kSilence_s = 60;

  Result<Session> connect(const Node& node, double answer_s) const;
  Result<Done> end_old_worker();

  const Env env_;
  const CopyTask& task_;
  const FailoverOptions& options_;
  const double timeout_s_;
  Deadline next_sign_;
  Session source_ = nullptr, target_ = nullptr;
  Session guard_ = nullptr;  // with the primary, and a lock there
};

}  // namespace ha
