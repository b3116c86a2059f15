// SPDX-License-Identifier: MIT
// The connections of a server's clients: not those of replicas, of the server itself, and ours,
// those included which hold one of our locks (FailoverOptions::session_locks()).

#pragma once

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Ends them, but for the connection `spared`, of this program too; returns how many. Those that
// wait in their commits for semi-sync replicas are ended last: MariaDB commits in groups, and when
// the first of a group is ended, which waits for all, those of the others that live are
// acknowledged.
Result<int> end_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                        const std::string& spared = "");

// Ends those that do not wait so; returns how many.
Result<int> end_clients_outside_commits(SqlSession& session,
                                        const std::vector<std::string>& our_locks);

// Returns whether a client, ended or not, waits in its commit for semi-sync replicas.
Result<bool> waits_for_replicas(SqlSession& session);

// Ends clients that wait for a lock of ours, and waits until they are gone: as long as they are
// there, the end of the lock lets them do what they waited for.
Result<Done> turn_away_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                               Clock& clock);

}  // namespace ha
