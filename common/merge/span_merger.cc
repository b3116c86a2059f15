// SPDX-License-Identifier: MIT
#include "common/merge/span_merger.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/execute/failure.h"
#include "common/merge/row_errors.h"
#include "common/mysql/quote.h"
#include "common/mysql/variables.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr int kMostAttempts = 5;
// Of the rows that are read and inserted at once; one row may have more.
constexpr std::size_t kPieceRows = 5000;
constexpr std::uint64_t kPieceBytes = 8u << 20, kStatementBytes = 1u << 20, kKeptBytes = 1u << 20;

}  // namespace

SpanMerger::SpanMerger(const Env& env, const MergeSessions& sessions, const TablePlan& plan,
                       MergeEffect effect, UnmergedRows& unmerged)
    : env_(env),
      sessions_(sessions),
      plan_(plan),
      effect_(effect),
      unmerged_(unmerged),
      lookup_(*sessions.winner, plan, std::min(kStatementBytes, sessions.most_bytes)) {}

Result<MergeCounts> SpanMerger::merge(const MergeSpan& span) {
  Insertion insertion = Insertion::kTogether;
  for (int attempts = 1;; ++attempts) {
    if (env_.clock.stopping()) return failure("asked to stop");
    Attempt attempt{insertion};
    const auto done = try_span(span, attempt);
    if (done) return attempt.counts;
    const auto undone = roll_back(attempt);
    const bool one_by_one = insertion == Insertion::kTogether && is_of_row(done.error());
    if (!undone || (!one_by_one && (!is_passing(done.error()) || attempts >= kMostAttempts)))
      return done.error();
    if (one_by_one) insertion = Insertion::kOneByOne;
  }
}

Result<Done> SpanMerger::roll_back(Attempt& attempt) {
  for (const auto& session : {sessions_.loser, sessions_.winner})
    if (const auto undone = session->query("ROLLBACK"); !undone) return undone.error();
  return attempt.writing.owns_lock() ? unmerged_.cut_to(attempt.unmerged_begin) : Done{};
}

Result<Done> SpanMerger::try_span(const MergeSpan& span, Attempt& attempt) {
  for (const auto& session : {sessions_.loser, sessions_.winner})
    if (const auto begun = session->query("START TRANSACTION"); !begun) return begun.error();
  const auto theirs = read_loser(span, attempt);
  if (!theirs) return theirs.error();
  const auto ours = read_digests(MergeSide::kWinner, span);
  if (!ours) return ours.error();
  attempt.counts.rows = count_of(*theirs);
  for (const auto& piece : cut_into_pieces(find_missing(*theirs, *ours), kPieceRows, kPieceBytes))
    if (const auto taken = take_piece(span, piece, attempt); !taken) return taken;
  if (const auto ended = sessions_.loser->query("COMMIT"); !ended) return ended.error();
  if (effect_ == MergeEffect::kCount || attempt.counts.added == 0) return run("ROLLBACK");
  return commit(span, *theirs, attempt);
}

Result<RowTallies> SpanMerger::read_digests(MergeSide side, const MergeSpan& span) const {
  SqlSession& session = side == MergeSide::kLoser ? *sessions_.loser : *sessions_.winner;
  const auto rows = session.query_long(select_digests(plan_, side, span));
  if (!rows) return rows.error();
  return tally_rows(*rows);
}

// What is read twice is also computed twice: by their digests come long rows alone.
Result<bool> SpanMerger::are_short(const MergeSpan& span) const {
  if (plan_.narrow) return true;
  const auto sum = query_value(*sessions_.loser, sum_bytes(plan_, span));
  if (!sum) return sum.error();
  const auto bytes = parse_integer(*sum);
  return bytes && *bytes >= 0 && static_cast<std::uint64_t>(*bytes) <= kPieceBytes;
}

Result<RowTallies> SpanMerger::read_loser(const MergeSpan& span, Attempt& attempt) const {
  const auto at_once = are_short(span);
  if (!at_once) return at_once.error();
  if (!*at_once) return read_digests(MergeSide::kLoser, span);
  attempt.has_values = true;
  auto rows = sessions_.loser->query_long(select_rows(plan_, span, {}));
  if (!rows) return rows.error();
  auto tallies = tally_rows(*rows);
  if (!tallies) return tallies.error();
  if (const auto added = add_values(std::move(*rows), attempt.values); !added) return added.error();
  return tallies;
}

Result<Done> SpanMerger::add_values(Rows rows, RowValues& values) const {
  for (auto& cells : rows.cells) {
    if (cells.size() != plan_.columns.size() + static_cast<std::size_t>(kFirstValue) || !cells[0])
      return Error{Errc::kBadData, "a row has not the columns that were asked for"};
    FoundRow row{"", static_cast<std::uint64_t>(parse_integer(cells[1].value_or("")).value_or(0))};
    row.values.assign(std::make_move_iterator(cells.begin() + kFirstValue),
                      std::make_move_iterator(cells.end()));
    std::vector<FoundRow>& equal = values[std::move(*cells[0])];
    if (!equal.empty() && equal.back().values == row.values)
      equal.back().copies += row.copies;
    else
      equal.push_back(std::move(row));
  }
  return Done{};
}

Result<Done> SpanMerger::read_values(const MergeSpan& span, const std::vector<MissingRows>& piece,
                                     RowValues& values) const {
  std::vector<std::string> digests;
  for (const MissingRows& one : piece) digests.push_back(one.digest);
  auto rows = sessions_.loser->query_long(select_rows(plan_, span, digests));
  if (!rows) return rows.error();
  return add_values(std::move(*rows), values);
}

Result<std::vector<FoundRow>> SpanMerger::find_rows(const MergeSpan& span,
                                                    const std::vector<MissingRows>& piece,
                                                    Attempt& attempt) const {
  if (!attempt.has_values)
    if (const auto read = read_values(span, piece, attempt.values); !read) return read.error();
  std::vector<FoundRow> found;
  for (const MissingRows& one : piece) {
    std::uint64_t open = one.copies;
    for (FoundRow& row : attempt.values[one.digest]) {
      row.copies = std::min(row.copies, open);
      open -= row.copies;
      row.digest = one.digest;
      if (row.copies > 0) found.push_back(std::move(row));
    }
    attempt.values.erase(one.digest);
    if (open > 0) return contradiction("rows of " + sessions_.from + " have vanished");
  }
  return found;
}

Result<Done> SpanMerger::take_piece(const MergeSpan& span, const std::vector<MissingRows>& piece,
                                    Attempt& attempt) {
  auto rows = find_rows(span, piece, attempt);
  if (!rows) return rows.error();
  const auto orphans = lookup_.find_orphans(*rows);
  if (!orphans) return orphans.error();
  std::vector<FoundRow> good;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    if ((*orphans)[i].empty()) {
      good.push_back(std::move((*rows)[i]));
      continue;
    }
    attempt.counts.orphans += (*rows)[i].copies;
    if (const auto kept = keep_out((*rows)[i], (*orphans)[i], attempt); !kept) return kept;
  }
  if (effect_ == MergeEffect::kInsert) {
    const auto inserted = attempt.insertion == Insertion::kTogether
                              ? insert_together(good, attempt)
                              : insert_one_by_one(good, attempt);
    return inserted ? write_kept(attempt) : inserted;
  }
  const auto conflicts = lookup_.find_conflicts(good);
  if (!conflicts) return conflicts.error();
  for (std::size_t i = 0; i < good.size(); ++i)
    ((*conflicts)[i].empty() ? attempt.counts.added : attempt.counts.conflicts) += good[i].copies;
  return Done{};
}

// A row that is not brought over is on the disk before anything of its span is committed.
Result<Done> SpanMerger::keep_out(const FoundRow& row, const std::string& reason,
                                  Attempt& attempt) {
  attempt.unmerged[row.digest].copies += row.copies;
  if (effect_ == MergeEffect::kCount) return Done{};
  const auto literal = row_literal(row);
  if (!literal) return literal.error();
  attempt.unmerged_rows += fmt::format("-- {}\n", sanitize(reason));
  for (std::uint64_t i = 0; i < row.copies; ++i) {
    attempt.unmerged_rows += fmt::format("{}{};\n", insert_front(plan_), *literal);
    if (attempt.unmerged_rows.size() < kKeptBytes) continue;
    if (const auto written = write_kept(attempt); !written) return written;
  }
  return Done{};
}

Result<Done> SpanMerger::write_kept(Attempt& attempt) {
  const std::string text = std::exchange(attempt.unmerged_rows, "");
  if (text.empty()) return Done{};
  // What a span has written is cut off again when it fails, so no other writes behind it before.
  if (!attempt.writing.owns_lock()) {
    attempt.writing = unmerged_.lock();
    attempt.unmerged_begin = unmerged_.size();
  }
  return unmerged_.append(text);
}

Result<std::string> SpanMerger::row_literal(const FoundRow& row) const {
  std::string text = "(";
  for (std::size_t i = 0; i < row.values.size(); ++i) {
    const auto literal = value_literal(plan_.columns[i], row.values[i]);
    if (!literal) return literal.error();
    text += (i == 0 ? "" : ", ") + *literal;
  }
  return text + ")";
}

Result<Done> SpanMerger::run(const std::string& sql) const {
  if (sql.size() > sessions_.most_bytes)
    return failure(
        fmt::format("a row of {} needs a statement of {} bytes, and {} takes {} "
                    "(max_allowed_packet)",
                    plan_.table.name(), sql.size(), sessions_.to, sessions_.most_bytes));
  if (const auto done = sessions_.winner->query(sql); !done) return done.error();
  return Done{};
}

Result<Done> SpanMerger::insert_together(const std::vector<FoundRow>& rows, Attempt& attempt) {
  const std::string front = insert_front(plan_);
  const std::uint64_t most = std::min(kStatementBytes, sessions_.most_bytes);
  std::string sql;
  for (const FoundRow& row : rows) {
    const auto literal = row_literal(row);
    if (!literal) return literal.error();
    for (std::uint64_t i = 0; i < row.copies; ++i) {
      if (!sql.empty() && sql.size() + literal->size() + 1 > most) {
        if (const auto done = run(sql); !done) return done;
        sql.clear();
      }
      sql += (sql.empty() ? front : ",") + *literal;
    }
    attempt.counts.added += row.copies;
  }
  return sql.empty() ? Result<Done>(Done{}) : run(sql);
}

Result<Done> SpanMerger::insert_one_by_one(std::vector<FoundRow> rows, Attempt& attempt) {
  std::vector<Orphan> orphans;
  // In a table that refers to itself a row may be the parent of one that came before it.
  for (;;) {
    const std::uint64_t before = attempt.counts.added;
    for (FoundRow& row : rows)
      if (const auto done = insert_one(row, orphans, attempt); !done) return done;
    if (orphans.empty() || !plan_.refers_to_itself || attempt.counts.added == before) break;
    rows.clear();
    for (Orphan& orphan : orphans) rows.push_back(std::move(orphan.row));
    orphans.clear();
  }
  for (const Orphan& orphan : orphans) {
    attempt.counts.orphans += orphan.row.copies;
    if (const auto kept = keep_out(orphan.row, orphan.reason, attempt); !kept) return kept;
  }
  return Done{};
}

Result<Done> SpanMerger::insert_one(FoundRow& row, std::vector<Orphan>& orphans, Attempt& attempt) {
  const auto literal = row_literal(row);
  if (!literal) return literal.error();
  const std::string sql = insert_front(plan_) + *literal;
  for (; row.copies > 0; --row.copies, ++attempt.counts.added) {
    const auto done = run(sql);
    if (done) continue;
    if (!is_of_row(done.error())) return done;
    // What is true of one copy is true of the others.
    if (is_parent_missing(done.error())) {
      orphans.push_back({std::move(row), done.error().text});
      return Done{};
    }
    (is_key_taken(done.error()) ? attempt.counts.conflicts : attempt.counts.refused) += row.copies;
    return keep_out(row, done.error().text, attempt);
  }
  return Done{};
}

// What a trigger has changed, or the server has cut off, is found here and not committed.
Result<Done> SpanMerger::commit(const MergeSpan& span, const RowTallies& theirs,
                                const Attempt& attempt) {
  auto ours = read_digests(MergeSide::kWinner, span);
  if (!ours) return ours.error();
  for (const auto& [digest, tally] : attempt.unmerged) (*ours)[digest].copies += tally.copies;
  std::uint64_t lacking = 0;
  for (const MissingRows& one : find_missing(theirs, *ours)) lacking += one.copies;
  if (lacking > 0)
    return failure(fmt::format(
        "{} rows of {} are not on {} as they are on {} after they were inserted{}", lacking,
        plan_.table.name(), sessions_.to, sessions_.from,
        plan_.triggers.empty() ? "" : "; triggers may change them: " + join(plan_.triggers, ", ")));
  // An administrator's account could write on.
  const auto closed = read_switch(*sessions_.winner, "read_only");
  if (!closed) return closed.error();
  if (*closed) return failure(sessions_.to + " has been made read-only meanwhile");
  return run("COMMIT");
}

}  // namespace ha
