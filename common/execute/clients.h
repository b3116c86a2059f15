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

// Ends them, but for the connection `spared`, of this program too; returns how many.
Result<int> end_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                        const std::string& spared = "");

// Returns whether a client, ended or not, waits in its commit for semi-sync replicas.
Result<bool> waits_for_replicas(SqlSession& session);

// Ends clients that wait for a lock of ours, and waits until they are gone: as long as they are
// there, the end of the lock lets them do what they waited for.
Result<Done> turn_away_clients(SqlSession& session, const std::vector<std::string>& our_locks,
                               Clock& clock);

}  // namespace ha
