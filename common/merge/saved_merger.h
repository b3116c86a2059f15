// SPDX-License-Identifier: MIT
// Brings the saved changes of one table's rows to the primary: what is there already is passed
// over, what is different there is left out and kept. In batches, each of which is a transaction.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/env.h"
#include "common/merge/merge_options.h"
#include "common/merge/merge_sessions.h"
#include "common/merge/row_lookup.h"
#include "common/merge/saved_table.h"
#include "common/merge/unmerged_rows.h"
#include "common/result.h"

namespace ha {

struct SavedCounts {
  std::uint64_t inserted = 0, updated = 0, deleted = 0;  // or to be, when they are only counted
  std::uint64_t present = 0;                             // were as they should be
  std::uint64_t orphans = 0;                             // without a parent on the primary
  std::uint64_t conflicts = 0;                           // whose row is another one there
  std::uint64_t refused = 0;  // that cannot be brought for another reason

  std::uint64_t done() const { return inserted + updated + deleted; }
  std::uint64_t left_out() const { return orphans + conflicts + refused; }
  SavedCounts& operator+=(const SavedCounts& other);
};

// Returns the counts in one line.
std::string describe_saved_counts(const SavedCounts& counts, MergeEffect effect,
                                  const std::string& to);

class SavedMerger {
 public:
  // All must outlive it.
  SavedMerger(const Env& env, const MergeSessions& sessions, const SavedTable& table,
              MergeEffect effect, UnmergedRows& unmerged);

  // Brings changes, none of which concerns a row of another. Fails with the reason; what was
  // committed stays and is counted.
  Result<Done> merge(std::vector<NetChange> changes);

  // Keeps a change that cannot be brought.
  Result<Done> leave_out(const NetChange& change, const std::string& reason);

  const SavedCounts& counts() const { return counts_; }
  // The first changes that were left out, with their reasons, for people.
  const std::vector<std::string>& examples() const { return examples_; }

 private:
  enum class Verdict { kPresent, kToDo, kOther };
  struct Attempt {
    SavedCounts counts = {};
    std::string unmerged = {};
    std::vector<std::string> examples = {};
    std::vector<FoundRow> keyed = {}, fresh = {};  // rows that must be there then
  };

  Result<Done> merge_batch(const std::vector<NetChange>& batch);
  Result<Done> try_batch(const std::vector<NetChange>& batch, Attempt& attempt);
  Result<Done> take_new(const std::vector<NetChange>& batch, Attempt& attempt);
  Result<Done> take_changed(const std::vector<NetChange>& batch, Attempt& attempt);
  Result<Done> insert_rows(const std::vector<FoundRow>& rows, Attempt& attempt);
  Result<Done> insert(const FoundRow& row, Attempt& attempt);
  Result<Done> change(const NetChange& change, Attempt& attempt);
  // Returns the rows of `rows` that are not there, as often as they lack.
  Result<std::vector<FoundRow>> find_new(const std::vector<FoundRow>& rows, Attempt& attempt);
  Result<std::vector<std::uint64_t>> count_equal(const std::vector<FoundRow>& rows);
  Result<std::vector<Verdict>> judge(const std::vector<NetChange>& changes);
  Result<Done> keep_out(const NetChange& change, const std::string& reason, Attempt& attempt);
  Result<Done> commit(const Attempt& attempt);
  Result<Done> run(const std::string& sql);

  const Env& env_;
  const MergeSessions& sessions_;
  const SavedTable& table_;
  const MergeEffect effect_;
  UnmergedRows& unmerged_;
  RowLookup lookup_, fresh_lookup_;
  const bool by_key_;  // new rows are told apart by the primary key
  SavedCounts counts_ = {};
  std::vector<std::string> examples_ = {};
};

}  // namespace ha
