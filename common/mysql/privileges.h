// SPDX-License-Identifier: MIT
// What the account of a session may do on the whole server.

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/server_facts.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Reads the privileges on *.*, in the server's words and with those of active roles (SHOW GRANTS).
Result<std::set<std::string>> read_privileges(SqlSession& session);

// True when `privileges` holds this one, or all.
bool holds(const std::set<std::string>& privileges, std::string_view privilege);

// Returns what an account with these privileges lacks to change who is the primary: to stop and
// start replication, open and close the server, end connections, read binlogs. Found by taking each
// away in turn.
std::vector<std::string> missing_to_manage(const ServerFacts& server,
                                           const std::set<std::string>& privileges);

}  // namespace ha
