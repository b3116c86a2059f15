// SPDX-License-Identifier: MIT
// The file in which a run has saved a node's extra transactions, and what one may ask for of it.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/run_store.h"
#include "common/env.h"
#include "common/merge/merge_options.h"
#include "common/merge/saved_text.h"
#include "common/result.h"

namespace ha {

struct SavedFile {
  std::string run = {};   // its id
  std::string node = {};  // whose transactions these are
  std::string path = {};
};

struct SavedOptions {
  std::vector<std::string> words = {};  // of --apply: DB.TABLE[:regenerate=COLUMN]
  MergePreset preset = MergePreset::kNone;
  std::string database = {};  // of the preset
  MergeEffect effect = MergeEffect::kInsert;
};

// Returns the tables that are asked for; those of a preset have its parents and what it
// regenerates. Fails with kUsage.
Result<std::vector<MergeTable>> parse_saved_tables(const SavedOptions& options);

// Returns where a run saves a node's transactions, and whether it has.
std::string saved_path(const RunStore& store, const std::string& id);
bool has_saved_transactions(Files& files, const RunStore& store, const std::string& id);

// Finds the file of a run. Fails with kMissing when it has none, kRefused when it was a merge,
// kBadData when the file is not whole.
Result<SavedFile> find_saved_file(Files& files, const FailoverOptions& options,
                                  const std::string& id);

// How many changes of rows a table has, and about how many bytes they are.
struct SavedTableSize {
  std::uint64_t inserts = 0, updates = 0, deletes = 0, bytes = 0;

  void add(const RowChange& change);
};

using SavedTableSizes = std::map<std::string, SavedTableSize>;  // by "db.table"

// Reads the file through. `describe` and the others are as of SavedTextReader.
Result<SavedTextCounts> read_saved_file(Files& files, const SavedFile& file,
                                        const SavedTextReader& reader);

}  // namespace ha
