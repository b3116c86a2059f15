// SPDX-License-Identifier: MIT
// The statements of a merge. Pure text.
//
// They are written for sessions with the settings of settings_for_merging(): literals and results
// are bytes, in the character set of their column, and a time is one of UTC.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/merge/table_plan.h"
#include "common/mysql/version.h"
#include "common/result.h"

namespace ha {

enum class MergeSide { kLoser, kWinner };

// Rows by their time. Values of the time column are SQL.
struct MergeSpan {
  std::string begin = {};
  std::string end = {};  // is outside; empty: the rows of `begin` alone
  // Of many rows of one time, those whose content has this number.
  unsigned parts = 1, part = 0;
};

// A value as it came from a server; nullopt: NULL.
using MergeValue = std::optional<std::string>;

// Returns the settings of a session with either side; the loser's can write nothing.
std::vector<std::string> settings_for_merging(const Version& version, MergeSide side);

// Returns a time of the window as SQL. `text` is what read_bounds() has answered.
std::string time_literal(const TablePlan& plan, std::string_view text);

// Returns the statement that converts both ends of a window into values of the time column, named
// since_ and until_. Of a TIMESTAMP or a DATETIME also how long it is between them by that clock,
// micros_, and in which zone they are, zone_.
std::string read_bounds(const TablePlan& plan, const MergeWindow& window);

// Returns the statement that reads one time: the first, or the one `after` that many rows, from
// `begin` on (or beyond it) and before `end`.
enum class Begin { kFrom, kBeyond };
std::string select_time(const TablePlan& plan, MergeSide side, const std::string& begin, Begin from,
                        const std::string& end, std::size_t after);

std::string count_rows(const TablePlan& plan, MergeSide side, const MergeSpan& span);

// Returns the statement that reads what the rows of a span contain: "digest", which is equal for
// equal rows alone, "copies" and "bytes" of one row's strings. The digest is all compared columns
// as text where the table is narrow, else 64 hexadecimal digits.
std::string select_digests(const TablePlan& plan, MergeSide side, const MergeSpan& span);

// Returns the statement that sums up the bytes of the strings of the loser's rows.
std::string sum_bytes(const TablePlan& plan, const MergeSpan& span);

// Returns the statement that reads the loser's rows themselves: the same three columns, then those
// that are merged in their order, from kFirstValue on. Without `digests` it reads all rows of the
// span.
inline constexpr std::ptrdiff_t kFirstValue = 3;
std::string select_rows(const TablePlan& plan, const MergeSpan& span,
                        const std::vector<std::string>& digests);

// Returns a value as a literal. Fails with kBadData when a number is none.
Result<std::string> value_literal(const MergeColumn& column, const MergeValue& value);

// Returns the front of a statement that inserts rows, each written "(LITERAL, ...)".
std::string insert_front(const TablePlan& plan);

// Returns the statement that reads which of these literals are keys of a parent whose key is one
// column.
std::string parents_among(const ParentKey& parent, const std::vector<std::string>& literals);

// Returns a table's name, quoted.
std::string quoted_name(const std::string& database, const std::string& table);

// Returns the condition that a row has these values of a unique key, by the columns' collations;
// nullopt: one of them is NULL.
Result<std::optional<std::string>> key_condition(const TablePlan& plan, const UniqueKey& key,
                                                 const std::vector<MergeValue>& values);

// Returns the condition that a row has exactly these values in all columns that are compared.
Result<std::string> row_condition(const TablePlan& plan, const std::vector<MergeValue>& values);

// Returns the expression that is 1 when the parent of a row is there, or when a row with its unique
// key is; nullopt: the row needs no parent, or its key is NULL.
Result<std::optional<std::string>> parent_exists(const TablePlan& plan, const ParentKey& parent,
                                                 const std::vector<MergeValue>& values);
Result<std::optional<std::string>> key_exists(const TablePlan& plan, const UniqueKey& key,
                                              const std::vector<MergeValue>& values);

}  // namespace ha
