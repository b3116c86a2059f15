// SPDX-License-Identifier: MIT
// Brings the rows of one span of a table from the loser to the winner.
//
// A span is one transaction: the digests of both sides are read, the rows that the winner lacks are
// inserted, what it has then is read again and compared, and only that is committed. A merge that
// was killed has left whole spans, and the next one finds these rows on both sides.

#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/env.h"
#include "common/merge/difference.h"
#include "common/merge/merge_counts.h"
#include "common/merge/merge_sessions.h"
#include "common/merge/row_lookup.h"
#include "common/merge/span_finder.h"
#include "common/merge/table_plan.h"
#include "common/merge/unmerged_rows.h"

namespace ha {

class SpanMerger {
 public:
  SpanMerger(const Env& env, const MergeSessions& sessions, const TablePlan& plan,
             MergeEffect effect, UnmergedRows& unmerged);

  // Merges a span and commits it. Fails with what a server or the file has said; nothing of the
  // span stays then, unless its commit was not answered.
  Result<MergeCounts> merge(const MergeSpan& span);

 private:
  enum class Insertion { kTogether, kOneByOne };
  // Rows of one content, by its digest: they may differ in what is not compared.
  using RowValues = std::unordered_map<std::string, std::vector<FoundRow>>;

  struct Orphan {
    FoundRow row;
    std::string reason;  // the server's
  };

  // Of one attempt at a span.
  struct Attempt {
    Insertion insertion = Insertion::kTogether;
    MergeCounts counts = {};
    RowValues values = {};                      // of rows of the loser that were read
    bool has_values = false;                    // all of them
    RowTallies unmerged = {};                   // by digest
    std::string unmerged_rows = {};             // SQL that is not in the file yet
    std::unique_lock<std::mutex> writing = {};  // from the first row in the file to the end
    std::uint64_t unmerged_begin = 0;           // of these rows in the file
  };

  Result<Done> try_span(const MergeSpan& span, Attempt& attempt);
  Result<Done> roll_back(Attempt& attempt);
  // True when the loser's rows are so short that all are read at once.
  Result<bool> are_short(const MergeSpan& span) const;
  Result<RowTallies> read_loser(const MergeSpan& span, Attempt& attempt) const;
  Result<RowTallies> read_digests(MergeSide side, const MergeSpan& span) const;
  Result<Done> read_values(const MergeSpan& span, const std::vector<MissingRows>& piece,
                           RowValues& values) const;
  Result<Done> add_values(Rows rows, RowValues& values) const;
  Result<std::vector<FoundRow>> find_rows(const MergeSpan& span,
                                          const std::vector<MissingRows>& piece,
                                          Attempt& attempt) const;
  Result<Done> take_piece(const MergeSpan& span, const std::vector<MissingRows>& piece,
                          Attempt& attempt);
  Result<Done> keep_out(const FoundRow& row, const std::string& reason, Attempt& attempt);
  Result<Done> write_kept(Attempt& attempt);
  Result<Done> insert_together(const std::vector<FoundRow>& rows, Attempt& attempt);
  Result<Done> insert_one_by_one(std::vector<FoundRow> rows, Attempt& attempt);
  // Inserts the copies of a row, or keeps them out; where its parent is lacking, it is moved to
  // `orphans`.
  Result<Done> insert_one(FoundRow& row, std::vector<Orphan>& orphans, Attempt& attempt);
  Result<Done> run(const std::string& sql) const;
  Result<std::string> row_literal(const FoundRow& row) const;
  Result<Done> commit(const MergeSpan& span, const RowTallies& theirs, const Attempt& attempt);

  const Env env_;
  const MergeSessions& sessions_;
  const TablePlan& plan_;
  const MergeEffect effect_;
  UnmergedRows& unmerged_;
  RowLookup lookup_;
};

}  // namespace ha
