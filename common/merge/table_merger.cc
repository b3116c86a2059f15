// SPDX-License-Identifier: MIT
#include "common/merge/table_merger.h"

#include <algorithm>
#include <optional>

#include "common/merge/span_merger.h"
#include "common/mysql/quote.h"
#include "common/parallel.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr double kReport_s = 5;
// Each statement has a limit of its own.
constexpr double kForever_s = 365 * 86400.0;

// Spans at the same time are inserted in any order, and hold more rows in memory.
bool is_merged_in_order(const TablePlan& plan) {
  return plan.refers_to_itself || !plan.triggers.empty() || plan.from_index.empty() ||
         plan.to_index.empty();
}

}  // namespace

TableMerger::TableMerger(const Env& env, const std::vector<MergeSessions>& sessions,
                         const TablePlan& plan, const TimeBounds& bounds, MergeEffect effect,
                         UnmergedRows& unmerged, const Log& log)
    : env_(env),
      sessions_(sessions),
      plan_(plan),
      bounds_(bounds),
      effect_(effect),
      unmerged_(unmerged),
      log_(log),
      begin_s_(env.clock.monotonic_s()),
      spans_(plan, bounds),
      next_report_(Deadline::after(env.clock, kReport_s)) {}

Result<Done> TableMerger::merge() {
  const auto total = count(MergeSide::kLoser);
  if (!total) return total.error();
  total_ = *total;
  const std::size_t at_once = is_merged_in_order(plan_) ? 1 : sessions_.size();
  const auto results =
      run_each<Result<Done>>(env_.workers, at_once, Deadline::after(env_.clock, kForever_s),
                             [this](std::size_t i) { return merge_spans(sessions_[i]); });
  for (const auto& result : results)
    if (!result || !*result) return result ? *result : Error{Errc::kInternal, "a thread is late"};
  const auto there = count(MergeSide::kWinner);
  if (!there) return there.error();
  winner_rows_ = *there;
  return Done{};
}

Result<Done> TableMerger::merge_spans(const MergeSessions& sessions) {
  const auto merged = merge_next_spans(sessions);
  const std::lock_guard guard(mutex_);
  failed_ |= !merged;
  return merged;
}

Result<Done> TableMerger::merge_next_spans(const MergeSessions& sessions) {
  // A server may log what it changes by the database that is used (binlog_do_db).
  const auto used = sessions.winner->query("USE " + quote_identifier(plan_.table.database));
  if (!used) return used.error();
  SpanMerger merger(env_, sessions, plan_, effect_, unmerged_);
  for (;;) {
    const auto span = take_span(sessions);
    if (!span) return span.error();
    if (!*span) return Done{};
    const auto merged = merger.merge(**span);
    if (!merged) return merged.error();
    add(*merged);
  }
}

Result<std::optional<MergeSpan>> TableMerger::take_span(const MergeSessions& sessions) {
  const std::lock_guard guard(mutex_);
  if (failed_) return std::optional<MergeSpan>();
  if (++open_span_.part < open_span_.parts) return std::optional(open_span_);
  auto span = spans_.next(sessions);
  if (span && *span) open_span_ = **span;
  return span;
}

void TableMerger::add(const MergeCounts& counts) {
  const std::lock_guard guard(mutex_);
  counts_ += counts;
  if (!next_report_.passed()) return;
  const double elapsed_s = env_.clock.monotonic_s() - begin_s_;
  // Ever more seldom: it is also mailed.
  next_report_ = next_report_.from_now(std::max(kReport_s, elapsed_s / 20));
  log_(describe_progress(plan_.table.name(), counts_, total_, effect_, elapsed_s));
}

Result<std::uint64_t> TableMerger::count(MergeSide side) const {
  const MergeSessions& sessions = sessions_.front();
  SqlSession& session = side == MergeSide::kLoser ? *sessions.loser : *sessions.winner;
  const auto text = query_value(session, count_rows(plan_, side, {bounds_.since, bounds_.until}));
  if (!text) return text.error();
  return static_cast<std::uint64_t>(parse_integer(*text).value_or(0));
}

}  // namespace ha
