// SPDX-License-Identifier: MIT
// Cuts a window into spans of time that hold a few thousand rows on each side. It goes by the
// loser's rows: where it has none, the winner's are not looked at.

#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "common/merge/merge_sessions.h"
#include "common/merge/table_sql.h"

namespace ha {

// The window as values of the time column, SQL.
struct TimeBounds {
  std::string since = {}, until = {};
};

class SpanFinder {
 public:
  SpanFinder(const TablePlan& plan, TimeBounds bounds);

  // Returns the span that comes next; nullopt: the loser has no more rows. A span of one time is
  // cut into parts: its rows may be many. Fails with kBadData when a server's answers lead nowhere.
  Result<std::optional<MergeSpan>> next(const MergeSessions& sessions);

 private:
  Result<MergeSpan> find_end(const MergeSessions& sessions, const std::string& first) const;
  Result<MergeSpan> span_of_one_time(const MergeSessions& sessions, const std::string& time) const;
  // Returns a time as SQL; nullopt: there is none.
  Result<std::optional<std::string>> read_time(SqlSession& session, MergeSide side,
                                               const std::string& begin, Begin from,
                                               const std::string& end, std::size_t after) const;

  const TablePlan& plan_;
  const TimeBounds bounds_;
  const std::size_t rows_;  // of a span
  std::string begin_;
  Begin from_ = Begin::kFrom;
};

}  // namespace ha
