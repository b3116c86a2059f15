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
#include "common/heartbeat/stamp_memory.h"
#include "common/mysql/session.h"

namespace ha {

// Each reads the heartbeat that the spec asks for; place and clock_skew_s are left to the caller. A
// row that does not exist is a fact (`absence`). Fails with kMissing when there is no such table or
// database, kPrivilege with the GRANT to run, kBadData when the answer is not understood.
using SqlSource = Result<HeartbeatFacts>(SqlSession&, const HeartbeatSpec&, StampMemory&);
SqlSource read_nagios1, read_ndo, read_ido, read_icingadb, read_zabbix, read_pandora,
    read_pt_heartbeat, read_sql;

// Reads the row's stamp (see local_stamp_columns()); `name` says which row it is.
void take_age(HeartbeatFacts& facts, const Row& row, StampMemory& memory,
              const std::string& name = "");

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
