// SPDX-License-Identifier: MIT
// Sends the statements of a step to a server, with what only a run knows.

#pragma once

#include <optional>
#include <string>

#include "common/deadline.h"
#include "common/failover/statement.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// What stands for placeholders; nullopt: it is not known. A position without a file is the
// beginning of the first one.
struct PlaceholderValues {
  std::optional<BinlogPosition> binlog_end = {}, applied = {}, relay = {};
  std::optional<std::string> repl_password = {};
};

// Returns the SQL of a statement with its placeholders replaced. Fails when one is not known.
Result<std::string> complete(const Statement& statement, const PlaceholderValues& values);

// Runs them in their order until one fails, or no time is left.
Result<Done> run_statements(const Statements& statements, SqlSession& session,
                            const PlaceholderValues& values, const Deadline& deadline);

}  // namespace ha
