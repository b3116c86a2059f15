// SPDX-License-Identifier: MIT
#include "common/execute/closing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include "common/context/node_locks.h"
#include "common/deadline.h"
#include "common/execute/clients.h"
#include "common/execute/failure.h"
#include "common/failover/role_statements.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/variables.h"
#include "common/parallel.h"

namespace ha {

namespace {

// True when a closing waits for statements or commits, and lets no new one begin. MariaDB names it
// after its locks for backups.
bool holds_statements(const std::string& state) {
  return std::ranges::any_of(std::array{"read lock", "commit lock", "backup lock", "table flush"},
                             [&](const char* lock) { return state.find(lock) != state.npos; });
}

// Returns what makes commits wait for replicas; empty: none does.
Result<std::string> find_wait(SqlSession& session) {
  const auto waits = waits_for_replicas(session);
  if (!waits) return waits.error();
  if (!*waits) return std::string();
  const auto variables = read_variables(session, "SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync%'");
  if (!variables) return variables.error();
  for (const char* const name : {"rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"})
    if (variables->contains(name)) return std::string(name);
  return std::string();
}

// Waits until the closing lets no new statement begin; then ends all clients, and only then lets
// their commits go: no client is left to get an answer.
// Returns the switch that was set for that; empty: none was.
Result<std::string> let_go(const CommitRelease& release, const std::string& closing,
                           const std::atomic<bool>& closed, Clock& clock,
                           const Deadline& deadline) {
  SqlSession& session = *release.session;
  for (;; clock.pause(kPoll_s)) {
    const auto now = read_connection(session, "STATE", closing);
    if (!now) return now.error();
    if (holds_statements(*now)) break;
    // The commits have ended by themselves.
    if (closed) return std::string();
    if (deadline.passed()) return failure("it did not wait for commits");
  }
  if (const auto ended = end_clients(session, release.our_locks, closing); !ended)
    return ended.error();
  // A statement that had begun may come to its commit only now.
  for (;; clock.pause(kPoll_s)) {
    const auto variable =
        release.variable.empty() ? find_wait(session) : Result<std::string>(release.variable);
    if (!variable) return variable.error();
    // A server that is not being closed any more is to wait for its replicas.
    if (closed || (variable->empty() && deadline.passed())) return std::string();
    if (deadline.passed()) return failure("no time was left to end its commits");
    if (variable->empty()) continue;
    const auto off = session.query(semi_sync_switch(*variable, false).sql);
    return off ? variable : off.error();
  }
}

// A statement that waits longer than we do would close the server when that is not wanted any more.
Result<Done> limit_waits(SqlSession& session, unsigned patience_s) {
  const auto set = session.query(fmt::format("SET SESSION lock_wait_timeout={}", patience_s));
  return set ? Result<Done>(Done{}) : set.error();
}

}  // namespace

Result<int> close_to_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                             unsigned patience_s, const std::function<Result<Done>()>& close) {
  if (const auto limited = limit_waits(session, patience_s); !limited) return limited.error();
  const auto before = end_clients_outside_commits(session, our_locks);
  if (!before) return before.error();
  if (const auto done = close(); !done) return done.error();
  const auto after = end_clients(session, our_locks);
  if (!after) return after.error();
  return *before + *after;
}

Result<Done> close_behind_commits(Workers& workers, Clock& clock, SqlSession& closing,
                                  const CommitRelease& release,
                                  const std::function<Result<Done>()>& close) {
  const auto own = query_value(closing, "SELECT CONNECTION_ID()");
  if (!own) return own.error();
  const auto is_closed = std::make_shared<std::atomic<bool>>(false);
  const auto begun = Pending<Result<std::string>>::begin(
      workers,
      [release, own = *own, is_closed, &clock, limit = Deadline::after(clock, release.limit_s)] {
        return let_go(release, own, *is_closed, clock, limit);
      });
  if (!begun) return begun.error();
  auto closed = close();
  *is_closed = true;
  const bool ended = begun->wait(Deadline::after(clock, release.limit_s));
  const auto result = ended ? begun->result() : std::nullopt;
  if (closed || !result) return closed;
  if (!*result) return failure(closed.error().text + ": " + result->error().text);
  if ((*result)->empty()) return closed;
  const auto on = release.session->query(semi_sync_switch(**result, true).sql);
  return on ? closed
            : failure(fmt::format("{}; it takes writes without semi-sync: {}", closed.error().text,
                                  on.error().text));
}

Result<int> close_at_once(Workers& workers, Clock& clock, SqlSession& closing,
                          const CommitRelease& release, unsigned patience_s,
                          const std::function<Result<Done>()>& close) {
  if (const auto limited = limit_waits(closing, patience_s); !limited) return limited.error();
  const auto done = close_behind_commits(workers, clock, closing, release, close);
  if (!done) return done.error();
  return end_clients(closing, release.our_locks);
}

Result<ServerFacts> read_closed_server(SqlSession& session) {
  ServerFacts facts;
  facts.version = session.version();
  facts.log_bin = true;
  if (const auto read = read_binlog_end(session, facts); !read) return read.error();
  const auto set = read_read_only_origin(session);
  if (!set) return set.error();
  // Last: it was closed all the time, then.
  const auto closed = read_switch(session, "read_only");
  if (!closed) return closed.error();
  if (!*closed) return Error{Errc::kRefused, "it accepts writes again"};
  if (!facts.binlog) return Error{Errc::kMissing, "where its binlog ends is not known"};
  facts.read_only_set_at = set->at;
  return facts;
}

}  // namespace ha
