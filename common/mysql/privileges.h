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

// Returns what an account with these privileges lacks to change which node is the primary: to stop
// and start replication, open and close the server, end connections, read binlogs. Found by taking
// each away in turn.
std::vector<std::string> missing_to_manage(const ServerFacts& server,
                                           const std::set<std::string>& privileges);

// Returns what MySQL's partial_revokes take away from the privileges on *.*, as the server prints
// it: "REVOKE SELECT ON `shop`.* FROM ...".
Result<std::vector<std::string>> read_revokes(SqlSession& session);

// A server's part in being copied.
enum class CopyPart {
  kRead,      // it is copied by whatever method: all of its rows are counted
  kDumped,    // by a dump
  kCloned,    // by the clone plugin
  kReplaced,  // it is replaced by whatever method
  kLoaded,    // by loading a dump
  kReceives,  // by the clone plugin
  kInstalls   // the clone plugin is installed there first
};

// Returns what an account with these privileges lacks for all of these parts.
std::vector<std::string> missing_to_copy(const Version& version,
                                         const std::set<std::string>& privileges,
                                         const std::vector<CopyPart>& parts);

}  // namespace ha
