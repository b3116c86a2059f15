// SPDX-License-Identifier: MIT
// What an operator asks a merge for: which rows of which tables. Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/merge/merge_time.h"
#include "common/result.h"

namespace ha {

// What a column's value must be found in, beside the table's own foreign keys. Values are numbers;
// 0 may mean that there is no parent.
struct MergeParent {
  enum class Zero { kValue, kNoParent };
  std::string column = {};
  std::string table = {};  // of the same database
  std::string key = {};    // its column
  Zero zero = Zero::kValue;
};

struct MergeTable {
  std::string database = {}, table = {};
  std::string time_column = {};
  std::string regenerate = {};  // a column whose values the winner numbers anew; empty: none
  std::vector<MergeParent> parents = {};
  // Columns that are inserted and not compared: people change them in rows that both sides have.
  // Not every version of the table has all of them.
  std::vector<std::string> uncompared = {};

  std::string name() const { return database + "." + table; }
};

enum class MergePreset { kNone, kPandora };

// Whether rows are inserted or only counted.
enum class MergeEffect { kInsert, kCount };

struct MergeOptions {
  std::string from = {}, to = {};  // the loser and the winner
  MergePreset preset = MergePreset::kNone;
  std::string database = {};            // of the preset; empty: "pandora"
  std::vector<std::string> words = {};  // of --table
  std::string since = {}, until = {};   // as given
  bool dry_run = false;

  // Set by complete_merge_options().
  MergeEffect effect = MergeEffect::kInsert;
  std::vector<MergeTable> tables = {};
  MergeWindow window = {};
};

// Parses DB.TABLE:TIMECOL[:regenerate=ID]. Fails with kUsage and what is accepted.
Result<MergeTable> parse_merge_table(std::string_view text);

// Returns the tables of Pandora FMS that hold what monitoring writes all the time, with their
// parents; those of tevento may be 0. Without a name, the database has that of an installation.
// Source: pandora_console/pandoradb.sql.
std::vector<MergeTable> pandora_tables(const std::string& name);

// Completes the tables, the window and the effect out of the words. Fails with kUsage when
// something is missing or does not read, or a table is named twice.
Result<Done> complete_merge_options(MergeOptions& options);

}  // namespace ha
