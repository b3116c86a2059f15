// SPDX-License-Identifier: MIT
// A server's variables by name, as SHOW tells them: unlike SELECT @@x it passes over names that
// this version does not have.

#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

using Variables = std::map<std::string, std::string>;  // names in lower case

// Runs a SHOW VARIABLES or SHOW STATUS.
Result<Variables> read_variables(SqlSession& session, const std::string& query);

// Returns a switch, nullopt when it is absent. Anything but off counts as on: MariaDB 12 has
// several kinds of read_only, and no event is run while the scheduler is DISABLED.
std::optional<bool> flag(const Variables& variables, const std::string& name);

}  // namespace ha
