// SPDX-License-Identifier: MIT
// The values of a binlog's rows. Sources: the binlog formats of MySQL and MariaDB (log_event.cc,
// rpl_record.cc, my_time.cc, decimal.c). Pure.

#pragma once

#include "common/merge/byte_reader.h"
#include "common/merge/logged_rows.h"
#include "common/merge/table_plan.h"
#include "common/result.h"

namespace ha {

// Reads how a column is described after its type: its part of a table's metadata.
void read_column_meta(ByteReader& metadata, LoggedColumn& column);

// Reads one value, which is not NULL. Fails with kBadData when it cannot be one of the type, or the
// type is not known.
Result<std::string> read_logged_value(ByteReader& row, const LoggedColumn& column);

// Returns how values of the column travel; those of one kind fit into a column of that kind.
ValueKind kind_of_logged(const LoggedColumn& column);

// True when the type counts for the metadata that tells which numbers have no sign.
bool is_numeric(const LoggedColumn& column);

}  // namespace ha
