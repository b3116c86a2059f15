// SPDX-License-Identifier: MIT
// The journals of merges, in a store of their own: a failover does not wait for a merge, and none
// is resumed; running it again does the rest.
//
// The records, all with a "time" (seconds since the epoch):
//   begin   from, to, tables, and since and until, or the run whose saved rows these are
//   table   table, text
//   end     outcome (done, warnings, failed), text

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/cluster/options.h"
#include "common/context/run_store.h"
#include "common/env.h"
#include "common/execute/outcome.h"
#include "common/journal.h"
#include "common/journal_record.h"
#include "common/merge/merge_options.h"
#include "common/result.h"

namespace ha {

// Opens or creates the store. Fails as RunStore::open() does.
Result<RunStore> open_merge_store(Files& files, const FailoverOptions& options);

// Takes the lock of the merges of this machine for as long as the store lives. Fails with the words
// of the refusal.
Result<RunStore> lock_merge_store(const Env& env, const FailoverOptions& options);

// The journal of a merge at work. One that was not begun, of a merge that only counts, takes no
// records.
class MergeJournal {
 public:
  // `about`: what the first record tells beside the tables. The store's lock must be held.
  Result<Done> begin(const Env& env, const RunStore& store, JournalRecord about,
                     const std::vector<MergeTable>& tables);

  // Appends a record with one more field, and a text.
  Result<Done> append(const Env& env, const std::string& event, const std::string& name,
                      const std::string& value, const std::string& text);

  // Appends the last record.
  Result<Done> end(const Env& env, const FailoverOutcome& outcome);

  const std::string& id() const { return id_; }  // empty: it was not begun

 private:
  std::optional<Journal> journal_ = {};
  std::string id_ = {};
};

// Returns the names of tables in one line. Pure.
std::string join_names(const std::vector<MergeTable>& tables);

// Returns a merge as one line, without its id: "merge      db1 -> db2  done". Pure.
std::string summarize_merge(const std::vector<JournalRecord>& records);

// Returns what a merge has done, a line for each record, times first. Pure.
std::vector<std::string> describe_merge(const std::vector<JournalRecord>& records);

// Reads the records of a merge. Fails with kMissing when there is none of this id.
Result<std::vector<JournalRecord>> read_merge(Files& files, const RunStore& store,
                                              const std::string& id);

// Removes the oldest journals until `most` are left; those with a file of rows stay. The lock must
// be held.
Result<Done> prune_merges(Files& files, const RunStore& store, std::size_t most);

// Returns the path of the file for rows that a merge did not bring over.
std::string unmerged_path(const RunStore& store, const std::string& id);

}  // namespace ha
