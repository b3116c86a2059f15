// SPDX-License-Identifier: MIT
// The text that mysqlbinlog prints: transactions that only a dead primary's disk still had, or that
// only a diverged server has. Read as the mysql client reads it, statement by statement.

#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "common/mysql/session.h"
#include "common/mysql/topology.h"
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
Result<Done> check_whole(const std::string& path);

// Returns how many transactions the text in a file has.
Result<std::uint64_t> count_transactions(const std::string& path);

// Fails with kBadData unless a server's name of a binlog can be a file's: not a path, nothing that
// a program takes for an option, no control character.
Result<Done> check_binlog_name(std::string_view name);

// Returns the arguments with which mysqlbinlog prints, from a live node, what it has and `known`
// lacks: from `from` on when that has a file, else from the beginning of `first_file`. Where the
// tool cannot tell by GTID, it prints more rather than less. Fails as check_binlog_name() does.
Result<std::vector<std::string>> binlog_arguments(const Node& node, const BinlogPosition& from,
                                                  const std::string& first_file, const History& own,
                                                  const History& known);

// Returns how many transactions a server's binlog has after a position, counting no further than
// kMostCounted; nullopt when it has no such file any more.
inline constexpr std::uint64_t kMostCounted = 100000;
Result<std::optional<std::uint64_t>> count_after(SqlSession& session,
                                                 const BinlogPosition& position);

// Tells whether a server still has the file of this position and it is shorter.
Result<bool> ends_before(SqlSession& session, const BinlogPosition& position);

// Runs the statements of a file and returns how many transactions they were. Stops at the first
// error, which says how many were applied.
Result<std::uint64_t> apply_events(const std::string& path, SqlSession& session);

}  // namespace ha
