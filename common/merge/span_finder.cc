// SPDX-License-Identifier: MIT
#include "common/merge/span_finder.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"

namespace ha {

namespace {

// Without an index each span reads the table whole, so there are fewer of them.
constexpr std::size_t kRows = 5000, kRowsWithoutIndex = 100'000;

// More rows of one time than any table has.
constexpr unsigned long long kMostParts = 1'000'000;

// Whether a time is before another one; both are literals.
bool is_before(const TablePlan& plan, std::string a, std::string b) {
  if (plan.time == TimeKind::kEpoch) {
    const auto whole_a = parse_integer(a), whole_b = parse_integer(b);
    if (whole_a && whole_b) return *whole_a < *whole_b;
    return parse_number(a).value_or(0) < parse_number(b).value_or(0);
  }
  // Their digits are in one order; a fraction may be written with fewer of them.
  for (std::string* const text : {&a, &b}) {
    text->pop_back();
    if (text->find('.') == std::string::npos) continue;
    text->erase(text->find_last_not_of('0') + 1);
    if (text->back() == '.') text->pop_back();
  }
  return a < b;
}

SqlSession& session_of(const MergeSessions& sessions, MergeSide side) {
  return side == MergeSide::kLoser ? *sessions.loser : *sessions.winner;
}

}  // namespace

SpanFinder::SpanFinder(const TablePlan& plan, TimeBounds bounds)
    : plan_(plan),
      bounds_(std::move(bounds)),
      rows_(plan.from_index.empty() || plan.to_index.empty() ? kRowsWithoutIndex : kRows),
      begin_(bounds_.since) {}

Result<std::optional<std::string>> SpanFinder::read_time(SqlSession& session, MergeSide side,
                                                         const std::string& begin, Begin from,
                                                         const std::string& end,
                                                         std::size_t after) const {
  const auto rows = session.query(select_time(plan_, side, begin, from, end, after));
  if (!rows) return rows.error();
  if (rows->cells.empty()) return std::optional<std::string>();
  const auto time = Row(*rows, 0).text("time_");
  if (!time) return Error{Errc::kBadData, "a row of " + plan_.table.name() + " has no time"};
  // It becomes SQL as it is.
  if (plan_.time == TimeKind::kEpoch && !parse_number(*time))
    return Error{Errc::kBadData, "a time of " + plan_.table.name() + " is no number"};
  std::string literal = time_literal(plan_, *time);
  // Such times would lead round in a circle.
  if (is_before(plan_, literal, begin) || !is_before(plan_, literal, end) ||
      (from == Begin::kBeyond && literal == begin))
    return Error{Errc::kBadData, fmt::format("a time of {} is not where it was asked for: {}",
                                             plan_.table.name(), shorten(sanitize(*time), 40))};
  return std::optional(std::move(literal));
}

Result<std::optional<MergeSpan>> SpanFinder::next(const MergeSessions& sessions) {
  const auto first = read_time(*sessions.loser, MergeSide::kLoser, begin_, from_, bounds_.until, 0);
  if (!first) return first.error();
  if (!*first) return std::optional<MergeSpan>();
  auto span = find_end(sessions, **first);
  if (!span) return span.error();
  from_ = span->end.empty() ? Begin::kBeyond : Begin::kFrom;
  begin_ = span->end.empty() ? span->begin : span->end;
  return std::optional(std::move(*span));
}

Result<MergeSpan> SpanFinder::find_end(const MergeSessions& sessions,
                                       const std::string& first) const {
  std::string end = bounds_.until;
  for (const MergeSide side : {MergeSide::kLoser, MergeSide::kWinner}) {
    const auto earlier =
        read_time(session_of(sessions, side), side, first, Begin::kFrom, end, rows_);
    if (!earlier) return earlier.error();
    if (*earlier) end = **earlier;
  }
  return end == first ? span_of_one_time(sessions, first) : MergeSpan{first, end};
}

Result<MergeSpan> SpanFinder::span_of_one_time(const MergeSessions& sessions,
                                               const std::string& time) const {
  MergeSpan span{time};
  unsigned long long most = 0;
  for (const MergeSide side : {MergeSide::kLoser, MergeSide::kWinner}) {
    const auto count = query_value(session_of(sessions, side), count_rows(plan_, side, span));
    if (!count) return count.error();
    const long long rows = parse_integer(*count).value_or(-1);
    if (rows < 0 || static_cast<unsigned long long>(rows) / rows_ > kMostParts)
      return Error{Errc::kBadData, fmt::format("{} counts no rows but {}", plan_.table.name(),
                                               shorten(sanitize(*count), 40))};
    most = std::max(most, static_cast<unsigned long long>(rows));
  }
  // Two at least: rows that are equal come as one then.
  span.parts = static_cast<unsigned>(2 + most / rows_);
  return span;
}

}  // namespace ha
