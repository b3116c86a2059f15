// SPDX-License-Identifier: MIT
// Reads what a server says of a table, from information_schema.

#pragma once

#include "common/merge/merge_options.h"
#include "common/merge/table_facts.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Reads the facts of a table, which may be none: see TableFacts::kind.
Result<TableFacts> read_table_facts(SqlSession& session, const MergeTable& table);

}  // namespace ha
