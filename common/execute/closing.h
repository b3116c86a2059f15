// SPDX-License-Identifier: MIT
// Closing a server for writes, also one whose clients wait for semi-sync replicas in their commits.
// MySQL keeps a connection that was ended in its commit until a replica acknowledges, and with it
// the locks that a closing needs. To end semi-sync before the server is closed would acknowledge
// writes that exist there alone.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/mysql/server_facts.h"
#include "common/mysql/session.h"
#include "common/result.h"
#include "common/workers.h"

namespace ha {

// Closes a server by `close` and ends its clients' connections: before, because table locks would
// keep it open, and after, because only then no new client can write. Those that wait in their
// commits are left to `close`. Nothing waits for a lock longer than `patience_s`. Returns how many
// connections were ended; fails as `close` does.
Result<int> close_to_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                             unsigned patience_s, const std::function<Result<Done>()>& close);

// Reads of a read-only server what tells whether it is still as a guard has left it
// (find_change_since()), and nothing else. Fails when it takes writes, or has no binlog.
Result<ServerFacts> read_closed_server(SqlSession& session);

// What lets the commits go that a closing waits for.
struct CommitRelease {
  std::shared_ptr<SqlSession> session;  // beside that which closes
  std::vector<std::string> our_locks;   // FailoverOptions::session_locks()
  std::string variable;                 // that makes commits wait; empty: it is asked for
  double limit_s;                       // well before the closing gives up
};

// Closes the server by `close`, over `closing`; fails as that does. Clients that wait in their
// commits are ended first, and get no acknowledgement.
Result<Done> close_behind_commits(Workers& workers, Clock& clock, SqlSession& closing,
                                  const CommitRelease& release,
                                  const std::function<Result<Done>()>& close);

// Closes a server that may take no more writes as close_to_clients() does, but begins with `close`:
// from then on no new statement begins, and only what holds it up is ended before.
Result<int> close_at_once(Workers& workers, Clock& clock, SqlSession& closing,
                          const CommitRelease& release, unsigned patience_s,
                          const std::function<Result<Done>()>& close);

}  // namespace ha
