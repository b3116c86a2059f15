// SPDX-License-Identifier: MIT
// The heartbeats that are rows of a table, one source per file. Every age is computed by the
// server, in the statement that reads the stamp: our own clock does not enter it.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/heartbeat/facts.h"
#include "common/heartbeat/spec.h"
#include "common/mysql/session.h"

namespace ha {

// Each reads the heartbeat that the spec asks for; place and clock_skew_s are left to the caller. A
// row that does not exist is a fact (`absence`). Fails with kMissing when there is no such table or
// database, kPrivilege with the GRANT to run, kBadData when the answer is not understood.
using SqlSource = Result<HeartbeatFacts>(SqlSession&, const HeartbeatSpec&);
SqlSource read_nagios1, read_ndo, read_ido, read_icingadb, read_zabbix, read_pandora,
    read_pt_heartbeat, read_sql;

// The server's time as SQL, in seconds since the epoch with fractions. Unlike NOW() it does not
// depend on the session's zone.
inline constexpr std::string_view kServerNow =
    "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000)";

// Returns the select expressions from which local_age_s() reads the age of a DATETIME in the
// session's time zone; `stamp` is an SQL expression.
std::string local_age_columns(const std::string& stamp);

// Returns the age; unset for NULL and the zero date. A time of the hour that the end of summer time
// repeats has two readings: the later one, unless that is in the future.
std::optional<double> local_age_s(const Row& row);

// A table of the spec's database, its name with the prefix.
struct HeartbeatTableName {
  HeartbeatTableName(const HeartbeatSpec& spec, std::string_view name);
  std::string sql;   // quoted
  std::string text;  // for messages
};

// Runs a statement; a missing privilege comes back with the GRANT on `table` (quoted).
Result<Rows> select(SqlSession& session, const std::string& sql, const std::string& table);

// Returns the column as a flag; unset when it is absent, NULL or neither a number nor 'y' or 'n'.
std::optional<bool> flag(const Row& row, std::string_view column);

// Lists names for a message: "m1, m2"; "none" when there are none.
std::string list_names(const std::vector<std::string>& names);

}  // namespace ha
