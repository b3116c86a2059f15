// SPDX-License-Identifier: MIT
// What a server tells of its binlogs in SQL.

#pragma once

#include <cstdint>
#include <optional>

#include "common/mysql/server_facts.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Returns how many transactions a server's binlog has after a position, counting no further than
// kMostCounted; nullopt when it has no such file any more.
inline constexpr std::uint64_t kMostCounted = 100000;
Result<std::optional<std::uint64_t>> count_after(SqlSession& session,
                                                 const BinlogPosition& position);

// Tells whether a server still has the file of this position and it is shorter.
Result<bool> ends_before(SqlSession& session, const BinlogPosition& position);

}  // namespace ha
