// SPDX-License-Identifier: MIT
// Brings the rows of one table from the loser to the winner.
//
// It goes through the window by the loser's times, in spans of a few thousand rows, so the memory
// that it takes does not grow with the table. Several spans are merged at the same time, each by a
// pair of sessions of its own: what takes the time is that the winner inserts.

#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "common/deadline.h"
#include "common/env.h"
#include "common/execute/log.h"
#include "common/merge/merge_counts.h"
#include "common/merge/merge_sessions.h"
#include "common/merge/span_finder.h"
#include "common/merge/table_plan.h"
#include "common/merge/unmerged_rows.h"

namespace ha {

class TableMerger {
 public:
  TableMerger(const Env& env, const std::vector<MergeSessions>& sessions, const TablePlan& plan,
              const TimeBounds& bounds, MergeEffect effect, UnmergedRows& unmerged, const Log& log);

  // Merges the table. Fails with what a server or the file has said; what is committed stays.
  Result<Done> merge();

  const MergeCounts& counts() const { return counts_; }
  // How many rows the winner has in the window at the end.
  std::uint64_t winner_rows() const { return winner_rows_; }

 private:
  // Merges spans until there is none left, or another pair of sessions has failed.
  Result<Done> merge_spans(const MergeSessions& sessions);
  Result<Done> merge_next_spans(const MergeSessions& sessions);
  // Returns the next span, or a part of one; nullopt: there is none.
  Result<std::optional<MergeSpan>> take_span(const MergeSessions& sessions);
  void add(const MergeCounts& counts);
  Result<std::uint64_t> count(MergeSide side) const;

  const Env env_;
  const std::vector<MergeSessions>& sessions_;
  const TablePlan& plan_;
  const TimeBounds bounds_;
  const MergeEffect effect_;
  UnmergedRows& unmerged_;
  const Log& log_;
  std::uint64_t total_ = 0, winner_rows_ = 0;
  const double begin_s_;
  // Of all pairs of sessions.
  std::mutex mutex_;
  SpanFinder spans_;
  MergeSpan open_span_ = {};  // whose parts were not all taken
  bool failed_ = false;
  MergeCounts counts_ = {};
  Deadline next_report_;
};

}  // namespace ha
