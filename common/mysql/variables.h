// SPDX-License-Identifier: MIT
// A server's variables by name, as SHOW prints them: unlike SELECT @@x it passes over names that
// this version does not have. What the value of a switch means is known here alone.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

using Variables = std::map<std::string, std::string>;  // names in lower case

// Runs a SHOW VARIABLES or SHOW STATUS.
Result<Variables> read_variables(SqlSession& session, const std::string& query);

// What the value of a switch means, however the server spells it. Anything but off counts as on:
// MariaDB 12 has several kinds of read_only (OFF, ON, NO_LOCK, NO_LOCK_NO_ADMIN), where others
// answer 0 and 1, and no event is run while the scheduler is DISABLED.
bool is_on(std::string_view value);

// Returns a switch, nullopt when it is absent.
std::optional<bool> flag(const Variables& variables, const std::string& name);

// Reads for how many seconds the server has run, by its own word; nullopt: it does not tell.
Result<std::optional<double>> read_uptime_s(SqlSession& session);

// Reads one global switch as it is now; fails where the server does not have it.
Result<bool> read_switch(SqlSession& session, std::string_view name);

}  // namespace ha
