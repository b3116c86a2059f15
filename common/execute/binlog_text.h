// SPDX-License-Identifier: MIT
// The text that mysqlbinlog prints: transactions that only a dead primary's disk still had, or that
// only a diverged server has. Read as the mysql client reads it, statement by statement.

#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "common/env.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Calls `take` with each statement of a stream of SQL, which may set its own delimiter, until
// `take` fails. Fails with kBadData when the last statement has no end: the text is not whole.
Result<Done> for_each_statement(std::istream& text,
                                const std::function<Result<Done>(const std::string&)>& take);

// True for the statement, or the line, that gives the next transaction its identity. There is one
// before each transaction, with or without GTIDs.
bool begins_transaction(std::string_view statement);

// Fails with kBadData unless the text in a file has mysqlbinlog's last line. An exit code of 0 does
// not tell: ssh ends with that of the other side when its own output did not fit on the disk.
Result<Done> check_whole(Files& files, const std::string& path);

// Returns how many transactions the text in a file has.
Result<std::uint64_t> count_transactions(Files& files, const std::string& path);

// Runs the statements of a file and returns how many transactions they were. Stops at the first
// error, which says how many were applied.
Result<std::uint64_t> apply_events(Files& files, const std::string& path, SqlSession& session);

}  // namespace ha
