// SPDX-License-Identifier: MIT
// The server beside which a guard runs: whether it takes writes, and closing it, or killing it,
// when it may take no more. The process is known by what the server said of itself while it
// answered, so one that hangs can be killed as well.

#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/cluster/options.h"
#include "common/deadline.h"
#include "common/env.h"
#include "common/failover/own_closing.h"
#include "common/mysql/session.h"
#include "common/process.h"
#include "common/result.h"

namespace ha {

// All functions may be called from several threads at the same time, look() from one.
class OwnServer {
 public:
  OwnServer(const Env& env, const FailoverOptions& options, NodeAddress node);

  enum class State {
    kWritable,
    kClosed,  // read-only
    kUnread,  // it is alive, and does not tell
    kDenied,  // the same, because it refuses our account
    kSilent,  // no answer
    kEnded,   // its process has, or nothing listens and there was no process to know; also once
              // when it was started again
  };

  // Takes over which process it is, of an earlier guard. Before the first look.
  void recall(const ServerProcess& process);

  // Asks the server, over a session that stays open for some seconds: one that lets no client in
  // any more, and still answers those that it has, is silent. Blocks for some seconds then.
  State look();

  // Returns which process it is; nullopt: not known.
  std::optional<ServerProcess> process() const;

  // True when the server's process was known and has ended. Blocks for nothing.
  bool has_ended() const;

  struct Deed {
    std::string text = {};      // what was done
    bool found_closed = false;  // it was read-only before
  };
  // Takes the virtual IP away and makes the server read-only, its clients' connections ended.
  // Fails when it may still take writes. Connections that look() has made are used first.
  Result<Deed> close(const Deadline& deadline);

  // Fails as read_closed_server() does.
  Result<OwnClosing> read_closing() const;

  // Returns why the server could not be killed if it hung, with what to configure; empty: it could
  // be, or it has not answered yet.
  std::string find_kill_obstacle() const;

  // Kills the server: by the operator's command, else by its process, a stopped one too. Returns
  // when the process has ended.
  Result<Deed> kill(const Deadline& deadline);

 private:
  MysqlOptions login(double seconds) const;
  // Gives look() a session when it has none or an old one. True when the server was started since
  // the one before. Fails when the server lets no client in.
  Result<bool> log_in();
  // Reads which process the server is. True when the one that was known has ended.
  bool learn_process(SqlSession& session);
  // What close() works with.
  struct Sessions {
    std::shared_ptr<SqlSession> closing, beside;
  };
  Result<Sessions> open_sessions() const;
  // Keeps them for close(): a server with all its connections in use lets nobody in then, and one
  // whose host was stopped lets us in late.
  void reserve_sessions();
  Result<Deed> close_over(const Sessions& sessions, const Deadline& deadline) const;
  Result<Done> run_kill_command(const Deadline& deadline);

  const Env env_;
  const FailoverOptions options_;
  const NodeAddress node_;
  std::shared_ptr<SqlSession> session_ = {};  // of look()
  double logged_in_s_ = 0;                    // when it was last tried: Clock::monotonic_s()
  mutable std::mutex mutex_;                  // of what follows
  std::optional<Sessions> reserved_ = {};
  std::optional<ServerProcess> process_ = {};
  std::string unknown_process_ = {};  // why there is none; empty: it has not answered yet
};

}  // namespace ha
