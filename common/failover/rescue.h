// SPDX-License-Identifier: MIT
// Applies to a server what mysqlbinlog has printed: the events that only a dead primary's disk
// still had. Read as the mysql client reads it, statement by statement.

#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Calls `take` with each statement of a stream of SQL, which may set its own delimiter, until
// `take` fails. Fails with kBadData when the last statement has no end: the text is not whole.
Result<Done> for_each_statement(std::istream& text,
                                const std::function<Result<Done>(const std::string&)>& take);

// Runs the statements of a file and returns how many transactions were committed. Stops at the
// first error, which says how many had been.
Result<std::uint64_t> apply_events(const std::string& path, SqlSession& session);

}  // namespace ha
