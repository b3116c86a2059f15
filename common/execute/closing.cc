// SPDX-License-Identifier: MIT
#include "common/execute/closing.h"

#include "common/deadline.h"
#include "common/execute/clients.h"
#include "common/execute/failure.h"
#include "common/failover/role_statements.h"
#include "common/mysql/read_facts.h"
#include "common/parallel.h"

namespace ha {

namespace {

// Waits until the closing lets no new statement begin; then ends all clients, and only then lets
// their commits go: an answer could reach nobody any more.
Result<Done> let_go(const CommitRelease& release, const std::string& closing, Clock& clock,
                    const Deadline& deadline) {
  SqlSession& session = *release.session;
  const std::string state =
      "SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = " + closing;
  for (;; clock.pause(kPoll_s)) {
    const auto now = query_value(session, state);
    if (!now) return now.error();
    if (now->find("read lock") != now->npos || now->find("commit lock") != now->npos) break;
    if (deadline.passed()) return failure("it did not wait for commits");
  }
  if (const auto ended = end_clients(session, release.our_locks, closing); !ended)
    return ended.error();
  if (deadline.passed()) return failure("no time was left to end its commits");
  const auto off = session.query(semi_sync_switch(release.variable, false).sql);
  return off ? Result<Done>(Done{}) : off.error();
}

}  // namespace

Result<Done> close_behind_commits(Workers& workers, Clock& clock, SqlSession& closing,
                                  const CommitRelease& release,
                                  const std::function<Result<Done>()>& close) {
  const auto own = query_value(closing, "SELECT CONNECTION_ID()");
  if (!own) return own.error();
  const auto begun = Pending<Result<Done>>::begin(
      workers, [release, own = *own, &clock, limit = Deadline::after(clock, release.limit_s)] {
        return let_go(release, own, clock, limit);
      });
  if (!begun) return begun.error();
  auto closed = close();
  const bool ended = begun->wait(Deadline::after(clock, release.limit_s));
  const auto result = ended ? begun->result() : std::nullopt;
  if (!closed && result && !*result)
    return failure(closed.error().text + ": " + result->error().text);
  return closed;
}

}  // namespace ha
