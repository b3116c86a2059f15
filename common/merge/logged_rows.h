// SPDX-License-Identifier: MIT
// Rows as a binlog has them: without the names of columns, and without which numbers have no sign,
// unless the server was told to log these (binlog_row_metadata). Plain values.

#pragma once

#include <string>
#include <vector>

#include "common/merge/table_sql.h"

namespace ha {

struct LoggedColumn {
  unsigned type = 0;  // enum_field_types of field_types.h, with the real one of an ENUM or a SET
  unsigned meta = 0;  // of that type
  std::string name = {};  // empty: not known
  bool has_no_sign = false;
  std::size_t padded = 0;  // BINARY(n): the log leaves out the zeros at its end
};

struct LoggedTable {
  std::string database = {}, table = {};
  std::vector<LoggedColumn> columns = {};

  std::string name() const { return database + "." + table; }
};

// A value in the form in which a merge reads it from a server (MergeColumn, ValueKind).
struct LoggedValue {
  MergeValue value = {};
  bool logged = true;  // false: binlog_row_image has left it out

  bool operator==(const LoggedValue&) const = default;
};

using LoggedRow = std::vector<LoggedValue>;

enum class RowChangeKind { kInsert, kUpdate, kDelete };

struct RowChange {
  RowChangeKind kind = RowChangeKind::kInsert;
  LoggedRow before = {}, after = {};  // an INSERT has no former, a DELETE no latter
};

}  // namespace ha
