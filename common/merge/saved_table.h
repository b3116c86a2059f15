// SPDX-License-Identifier: MIT
// How the saved rows of one table go to the primary: what its table there says, put on the columns
// that a binlog has by number alone. Pure.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/merge/logged_rows.h"
#include "common/merge/saved_changes.h"
#include "common/merge/table_facts.h"
#include "common/merge/table_plan.h"
#include "common/result.h"

namespace ha {

struct SavedTable {
  TablePlan plan = {};                     // of all columns
  TablePlan fresh = {};                    // of rows that come anew: without what is regenerated
  std::vector<std::size_t> logged = {};    // the place in the log of each column of `plan`
  std::vector<std::size_t> of_fresh = {};  // the place in `plan` of each column of `fresh`
  std::optional<UniqueKey> key = {};       // the primary key; by places in `plan`
  // Why rows can only be inserted: other tables' rows would change with them. Empty: they can.
  std::string cascade = {};

  std::vector<std::size_t> key_places() const;
};

// Plans a table of the node `to`. Fails as plan_table() does.
Result<SavedTable> plan_saved_table(const MergeTable& table, const TableFacts& facts,
                                    const std::string& to, const std::vector<MergeTable>& tables);

// Puts what the server's table says on the columns of the log, as far as both have as many. Fails
// with kRefused, and what to do, when they have not.
Result<Done> describe_logged_table(const TableFacts& facts, LoggedTable& table);

// Fails with kRefused when the values of a described table do not fit into that of the plan.
Result<Done> expect_same_types(const SavedTable& saved, const LoggedTable& table);

// Returns a change by the plan's columns. Fails with kRefused when not all of them were logged.
Result<NetChange> change_of_plan(const SavedTable& saved, const RowChange& change);

// Returns the row without the columns that are regenerated.
RowData fresh_row(const SavedTable& saved, const RowData& row);

// Return the statements that change a row which is still as it was before.
Result<std::string> update_row(const SavedTable& saved, const RowData& before,
                               const RowData& after);
Result<std::string> delete_row(const SavedTable& saved, const RowData& before);

// Returns the statement that inserts a row.
Result<std::string> insert_row(const TablePlan& plan, const RowData& row);

// Returns the expression that is 1 when exactly this row is there.
Result<std::optional<std::string>> row_exists(const SavedTable& saved, const RowData& row);

}  // namespace ha
