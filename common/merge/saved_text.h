// SPDX-License-Identifier: MIT
// What mysqlbinlog printed of a node's extra transactions (ID.extra.sql): rows as binlog events in
// base64, all else as statements. It is read as it comes: no more of it is kept than one event.
// Nothing else is read.

#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>
#include <string_view>

#include "common/merge/row_events.h"
#include "common/result.h"

namespace ha {

struct SavedStatement {
  std::string database = {};  // that it uses
  std::string text = {};      // its beginning, where it is long
  std::uint64_t bytes = 0;    // of the whole
};

struct SavedTextReader {
  RowEvents::Describe describe;
  RowEvents::Take row;
  std::function<Result<Done>(const SavedStatement&)> statement;
};

struct SavedTextCounts {
  std::uint64_t transactions = 0;
  std::uint64_t statements = 0;
  std::uint64_t rolled_back = 0;  // of which not all rows stayed, as far as the log tells
};

// Reads all of it and calls the functions in the order of the log. A statement is one that changes
// something beside rows; settings of the session are passed over. Fails with kBadData and the line,
// or as the functions do.
Result<SavedTextCounts> read_saved_text(std::istream& text, const SavedTextReader& reader);

}  // namespace ha
