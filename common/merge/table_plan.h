// SPDX-License-Identifier: MIT
// How the rows of one table are read, compared and inserted, decided from what both servers say of
// it. Pure.
//
// Rows are compared by their content: all columns but those that a server computes, the one that
// is numbered anew, and those that the table names as not compared. So a row that both servers have
// is never doubled, whatever its keys are.

#pragma once

#include <string>
#include <vector>

#include "common/merge/merge_options.h"
#include "common/merge/table_facts.h"
#include "common/result.h"

namespace ha {

// How a value travels without loss.
enum class ValueKind {
  kNumber,    // whole and decimal ones, years: as text
  kFloat,     // read as double, of which its text tells every bit
  kDouble,    // by the shortest text that tells every bit
  kUnsigned,  // bits, enumerations and sets: by their number
  kTime,      // as text, in UTC where the column is a TIMESTAMP
  kWord,      // addresses and UUIDs of MariaDB: as ASCII
  kText,      // short strings: their bytes
  kLong,      // long ones: their bytes, compared by a hash
  kJson,      // MySQL's JSON: likewise, as utf8mb4
};

struct MergeColumn {
  std::string name = {};
  ValueKind kind = ValueKind::kNumber;
  std::string charset = {};  // of kText
  bool compared = true;

  bool operator==(const MergeColumn&) const = default;
};

// How the window bounds the time column.
enum class TimeKind {
  kEpoch,      // seconds since the epoch
  kTimestamp,  // an instant
  kDatetime,   // the time of the servers' zone
};

// What must exist on the winner for a row, unless one of its columns is NULL.
struct ParentKey {
  std::vector<std::size_t> columns = {};  // places in TablePlan::columns
  std::string database = {}, table = {};
  std::vector<std::string> keys = {};
  bool zero_is_none = false;
};

// A unique key of the winner, which a row must not have in common with another one.
struct UniqueKey {
  struct Part {
    std::size_t column;  // place in TablePlan::columns
    unsigned prefix;     // characters; 0: all
  };
  std::string name = {};
  std::vector<Part> parts = {};
};

struct TablePlan {
  MergeTable table = {};
  std::vector<MergeColumn> columns = {};
  TimeKind time = TimeKind::kEpoch;
  std::string from_index = {}, to_index = {};  // that begin with the time column; empty: none
  std::vector<ParentKey> parents = {};
  std::vector<UniqueKey> unique_keys = {};
  // No row is long, so all of a span are read at once, and compared by their text.
  bool narrow = false;
  bool refers_to_itself = false;           // by a foreign key
  std::vector<std::string> triggers = {};  // of the winner, for INSERT
  std::vector<std::string> warnings = {};
};

// Both sides of a merge and what is known of one table there.
struct TablePair {
  std::string from = {}, to = {};  // names of the nodes
  TableFacts loser = {}, winner = {};
};

// Plans the merge of one of `tables`. Fails with kMissing, kPrivilege or kRefused and the reason.
// Without a time column the plan is for rows that no window bounds.
// Foreign keys to a table that is merged as well are left to the server: the parent may come with
// this merge.
Result<TablePlan> plan_table(const MergeTable& table, const TablePair& pair,
                             const std::vector<MergeTable>& tables);

}  // namespace ha
