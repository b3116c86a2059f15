// SPDX-License-Identifier: MIT
// What the account of a session may do on the whole server.

#pragma once

#include <set>
#include <string>
#include <string_view>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Reads the privileges on *.*, in the server's words and with those of active roles (SHOW GRANTS).
Result<std::set<std::string>> read_privileges(SqlSession& session);

// True when `privileges` holds this one, or all.
bool holds(const std::set<std::string>& privileges, std::string_view privilege);

}  // namespace ha
