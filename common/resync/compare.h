// SPDX-License-Identifier: MIT
// Whether a copy has the rows of what was copied. Pure.
//
// The copy shows one moment, M. The rows of its source are counted a little later, in one snapshot,
// while it takes writes: a table that was not written since before M has to be equal, and another
// one cannot have lost or won more rows than the server counted in that time.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/mysql/channel_status.h"

namespace ha {

// How the names of the system's own tables begin.
inline constexpr char kSystemTables[] = "`mysql`.";

// What a server has counted since its start, at a time of its own clock.
struct RowActivity {
  double time_s = 0;
  double inserted = 0, deleted = 0;  // rows, of all tables
  double open = 0;                   // rows changed by transactions that are not committed yet
  double emptied = 0;                // statements that create, truncate or drop a table
  double renamed = 0;                // statements that alter or rename one, or exchange partitions
  BinlogPosition position = {};      // read after the numbers; empty: unknown
};

struct TableRows {
  std::optional<double> rows = {};  // nullopt: they cannot be counted
  double written_s = 0;             // last, by its server's clock; 0: not since its start
  double created_s = 0;             // or altered, likewise
  bool cascades = false;            // rows vanish with those of another table, uncounted
  bool versioned = false;           // it has a history, which is counted too
};

struct RowCounts {
  std::map<std::string, TableRows> tables = {};  // by quoted name
  RowActivity activity = {};                     // when the snapshot was taken
};

// Both lists hold one sentence for each table.
struct Differences {
  std::vector<std::string> faults = {};   // a copy cannot have
  std::vector<std::string> unknown = {};  // may come from what was written meanwhile
};

// Returns the last activity that was read before the moment of a copy, else the first one.
// Precondition: there is one.
const RowActivity& last_before(const std::vector<RowActivity>& read, const BinlogPosition& moment);

// True when a table may have been written since an activity was read.
bool was_written_since(const TableRows& table, const RowActivity& before);

// Compares a copy with its source, which is called `name`; `before` was read before the moment that
// the copy shows.
Differences compare_rows(const RowCounts& source, const std::string& name, const RowCounts& copy,
                         const RowActivity& before);

}  // namespace ha
