// SPDX-License-Identifier: MIT
#include "common/merge/saved_merger.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/execute/failure.h"
#include "common/merge/row_errors.h"
#include "common/mysql/variables.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr int kMostAttempts = 5;
constexpr std::size_t kBatchRows = 500, kMostExamples = 20;
constexpr std::uint64_t kBatchBytes = 8u << 20, kStatementBytes = 1u << 20;

std::uint64_t bytes_of(const NetChange& change) {
  std::uint64_t sum = 0;
  for (const auto* const row : {&change.before, &change.after})
    if (*row)
      for (const MergeValue& value : **row) sum += value ? value->size() : 1;
  return sum;
}

// Returns the columns of a row that tell people which it is.
std::string describe_row(const SavedTable& table, const RowData& row) {
  std::vector<std::string> words;
  std::vector<std::size_t> places = table.key_places();
  for (std::size_t i = 0; places.empty() && i < row.size(); ++i) places.push_back(i);
  for (const std::size_t place : places)
    words.push_back(fmt::format("{} = {}", table.plan.columns[place].name,
                                row[place] ? shorten(sanitize(*row[place]), 60) : "NULL"));
  return shorten(join(words, ", "), 200);
}

}  // namespace

SavedCounts& SavedCounts::operator+=(const SavedCounts& other) {
  inserted += other.inserted;
  updated += other.updated;
  deleted += other.deleted;
  present += other.present;
  orphans += other.orphans;
  conflicts += other.conflicts;
  refused += other.refused;
  return *this;
}

std::string describe_saved_counts(const SavedCounts& counts, MergeEffect effect,
                                  const std::string& to) {
  std::string text =
      fmt::format("{} rows {}inserted, {} updated, {} deleted, {} were so on {} before",
                  counts.inserted, effect == MergeEffect::kCount ? "to be " : "", counts.updated,
                  counts.deleted, counts.present, to);
  if (counts.left_out() > 0)
    text += fmt::format(
        "; left out: {} in conflict with rows of {}, {} without a parent there, {} "
        "that cannot be brought",
        counts.conflicts, to, counts.orphans, counts.refused);
  return text;
}

SavedMerger::SavedMerger(const Env& env, const MergeSessions& sessions, const SavedTable& table,
                         MergeEffect effect, UnmergedRows& unmerged)
    : env_(env),
      sessions_(sessions),
      table_(table),
      effect_(effect),
      unmerged_(unmerged),
      lookup_(*sessions.winner, table.plan, std::min(kStatementBytes, sessions.most_bytes)),
      fresh_lookup_(*sessions.winner, table.fresh, std::min(kStatementBytes, sessions.most_bytes)),
      by_key_(table.key && table.fresh.table.regenerate.empty()) {}

Result<Done> SavedMerger::merge(std::vector<NetChange> changes) {
  // Rows of one content are counted together, so they must be in one batch.
  const auto content = [&](const NetChange& one) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < table_.fresh.columns.size(); ++i) places.push_back(i);
    return one.before ? "" : content_of(fresh_row(table_, *one.after), places);
  };
  if (!by_key_) std::ranges::stable_sort(changes, {}, content);
  std::vector<NetChange> batch;
  std::uint64_t bytes = 0;
  for (NetChange& one : changes) {
    bytes += bytes_of(one);
    const bool full = batch.size() >= kBatchRows || bytes > kBatchBytes;
    if (full && !batch.empty() && (by_key_ || content(one) != content(batch.back()))) {
      if (const auto merged = merge_batch(batch); !merged) return merged;
      batch.clear();
      bytes = bytes_of(one);
    }
    batch.push_back(std::move(one));
  }
  return batch.empty() ? Result<Done>(Done{}) : merge_batch(batch);
}

Result<Done> SavedMerger::merge_batch(const std::vector<NetChange>& batch) {
  const std::uint64_t kept = unmerged_.size();
  for (int attempts = 1;; ++attempts) {
    if (env_.clock.stopping()) return failure("asked to stop");
    Attempt attempt;
    const auto done = try_batch(batch, attempt);
    if (done) {
      counts_ += attempt.counts;
      for (std::string& one : attempt.examples)
        if (examples_.size() < kMostExamples) examples_.push_back(std::move(one));
      return done;
    }
    if (const auto undone = sessions_.winner->query("ROLLBACK"); !undone) return done;
    if (const auto cut = unmerged_.cut_to(kept); !cut) return cut;
    if (!is_passing(done.error()) || attempts >= kMostAttempts) return done;
  }
}

Result<Done> SavedMerger::try_batch(const std::vector<NetChange>& batch, Attempt& attempt) {
  if (const auto begun = run("START TRANSACTION"); !begun) return begun;
  // A unique key that a row had may be that of a new one.
  if (const auto taken = take_changed(batch, attempt); !taken) return taken;
  if (const auto taken = take_new(batch, attempt); !taken) return taken;
  // What is not brought is on the disk before anything of its batch is committed.
  if (effect_ == MergeEffect::kInsert && !attempt.unmerged.empty())
    if (const auto kept = unmerged_.append(attempt.unmerged); !kept) return kept;
  if (effect_ == MergeEffect::kCount || attempt.counts.done() == 0) return run("ROLLBACK");
  return commit(attempt);
}

Result<Done> SavedMerger::take_new(const std::vector<NetChange>& batch, Attempt& attempt) {
  std::vector<FoundRow> rows;
  std::map<RowData, std::size_t> places;
  for (const NetChange& one : batch) {
    if (one.before) continue;
    RowData row = fresh_row(table_, *one.after);
    const auto [known, is_new] = places.emplace(row, rows.size());
    if (is_new) rows.push_back({"", 0, std::move(row)});
    ++rows[known->second].copies;
  }
  const auto lacking = find_new(rows, attempt);
  if (!lacking) return lacking.error();
  const auto orphans = fresh_lookup_.find_orphans(*lacking);
  if (!orphans) return orphans.error();
  std::vector<FoundRow> good;
  for (std::size_t i = 0; i < lacking->size(); ++i) {
    const FoundRow& row = (*lacking)[i];
    if ((*orphans)[i].empty()) {
      good.push_back(row);
      continue;
    }
    attempt.counts.orphans += row.copies;
    for (std::uint64_t n = 0; n < row.copies; ++n)
      if (const auto kept = keep_out({{}, row.values}, (*orphans)[i], attempt); !kept) return kept;
  }
  return insert_rows(good, attempt);
}

Result<std::vector<FoundRow>> SavedMerger::find_new(const std::vector<FoundRow>& rows,
                                                    Attempt& attempt) {
  std::vector<std::uint64_t> there(rows.size());
  if (by_key_) {
    const auto found =
        lookup_.find(rows, [&](const FoundRow& row) { return row_exists(table_, row.values); });
    if (!found) return found.error();
    for (std::size_t i = 0; i < rows.size(); ++i) there[i] = (*found)[i] ? 1 : 0;
  } else {
    auto counted = count_equal(rows);
    if (!counted) return counted.error();
    there = std::move(*counted);
  }
  std::vector<FoundRow> lacking;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    attempt.counts.present += std::min(there[i], rows[i].copies);
    if (there[i] >= rows[i].copies) continue;
    lacking.push_back(rows[i]);
    lacking.back().copies -= there[i];
  }
  return lacking;
}

Result<std::vector<std::uint64_t>> SavedMerger::count_equal(const std::vector<FoundRow>& rows) {
  std::vector<std::uint64_t> counts;
  const MergeTable& name = table_.fresh.table;
  for (const FoundRow& row : rows) {
    const auto condition = row_condition(table_.fresh, row.values);
    if (!condition) return condition.error();
    const auto count = query_value(*sessions_.winner,
                                   fmt::format("SELECT COUNT(*) FROM {} WHERE {}",
                                               quoted_name(name.database, name.table), *condition));
    if (!count) return count.error();
    counts.push_back(static_cast<std::uint64_t>(parse_integer(*count).value_or(0)));
  }
  return counts;
}

Result<Done> SavedMerger::insert_rows(const std::vector<FoundRow>& rows, Attempt& attempt) {
  if (effect_ == MergeEffect::kInsert) {
    for (const FoundRow& row : rows)
      if (const auto done = insert(row, attempt); !done) return done;
    return Done{};
  }
  const auto conflicts = fresh_lookup_.find_conflicts(rows);
  if (!conflicts) return conflicts.error();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& reason = (*conflicts)[i];
    (reason.empty() ? attempt.counts.inserted : attempt.counts.conflicts) += rows[i].copies;
    if (reason.empty()) continue;
    if (const auto kept = keep_out({{}, rows[i].values}, reason, attempt); !kept) return kept;
  }
  return Done{};
}

Result<Done> SavedMerger::insert(const FoundRow& row, Attempt& attempt) {
  const auto sql = insert_row(table_.fresh, row.values);
  if (!sql) return sql.error();
  for (std::uint64_t n = 0; n < row.copies; ++n) {
    const auto done = run(*sql);
    if (done) {
      ++attempt.counts.inserted;
      if (n == 0) (by_key_ ? attempt.keyed : attempt.fresh).push_back(row);
      continue;
    }
    if (!is_of_row(done.error())) return done;
    ++(is_key_taken(done.error())        ? attempt.counts.conflicts
       : is_parent_missing(done.error()) ? attempt.counts.orphans
                                         : attempt.counts.refused);
    if (const auto kept = keep_out({{}, row.values}, done.error().text, attempt); !kept)
      return kept;
  }
  return Done{};
}

// A row that is as it is to be needs nothing, one that is as it was before is changed.
Result<std::vector<SavedMerger::Verdict>> SavedMerger::judge(
    const std::vector<NetChange>& changes) {
  std::vector<FoundRow> before, after;
  for (const NetChange& one : changes) {
    before.push_back({"", 1, *one.before});
    after.push_back({"", 1, one.after.value_or(*one.before)});
  }
  const auto exact = [&](const FoundRow& row) { return row_exists(table_, row.values); };
  const auto by_key = [&](const FoundRow& row) {
    return key_exists(table_.plan, *table_.key, row.values);
  };
  const auto as_before = lookup_.find(before, exact), as_after = lookup_.find(after, exact),
             there = lookup_.find(before, by_key);
  for (const auto* const answer : {&as_before, &as_after, &there})
    if (!*answer) return answer->error();
  std::vector<Verdict> verdicts;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool present = changes[i].after ? (*as_after)[i] : !(*there)[i];
    verdicts.push_back(present           ? Verdict::kPresent
                       : (*as_before)[i] ? Verdict::kToDo
                                         : Verdict::kOther);
  }
  return verdicts;
}

Result<Done> SavedMerger::take_changed(const std::vector<NetChange>& batch, Attempt& attempt) {
  std::vector<NetChange> changes;
  for (const NetChange& one : batch)
    if (one.before) changes.push_back(one);
  if (changes.empty()) return Done{};
  const auto verdicts = judge(changes);
  if (!verdicts) return verdicts.error();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Verdict verdict = (*verdicts)[i];
    Result<Done> done = Done{};
    if (verdict == Verdict::kPresent) {
      ++attempt.counts.present;
    } else if (verdict == Verdict::kOther) {
      ++attempt.counts.conflicts;
      done =
          keep_out(changes[i], fmt::format("the row is another one on {}", sessions_.to), attempt);
    } else if (!table_.cascade.empty()) {
      ++attempt.counts.refused;
      done = keep_out(changes[i], table_.cascade, attempt);
    } else {
      done = change(changes[i], attempt);
    }
    if (!done) return done;
  }
  return Done{};
}

Result<Done> SavedMerger::change(const NetChange& change, Attempt& attempt) {
  std::uint64_t& count = change.after ? attempt.counts.updated : attempt.counts.deleted;
  if (effect_ == MergeEffect::kCount) {
    ++count;
    return Done{};
  }
  const auto sql = change.after ? update_row(table_, *change.before, *change.after)
                                : delete_row(table_, *change.before);
  if (!sql) return sql.error();
  const auto done = run(*sql);
  if (!done && !is_of_row(done.error()) && !is_parent(done.error())) return done;
  if (!done) {
    ++(is_key_taken(done.error()) ? attempt.counts.conflicts : attempt.counts.refused);
    return keep_out(change, done.error().text, attempt);
  }
  const auto rows = query_value(*sessions_.winner, "SELECT ROW_COUNT()");
  if (!rows) return rows.error();
  if (*rows != "1") return contradiction("a row of " + sessions_.to + " has changed");
  ++count;
  if (change.after) attempt.keyed.push_back({"", 1, *change.after});
  return Done{};
}

Result<Done> SavedMerger::keep_out(const NetChange& change, const std::string& reason,
                                   Attempt& attempt) {
  const RowData& row = change.after ? *change.after : *change.before;
  if (attempt.examples.size() < kMostExamples)
    attempt.examples.push_back(
        fmt::format("{}: {} of {}: {}", table_.plan.table.name(),
                    !change.before ? "INSERT"
                    : change.after ? "UPDATE"
                                   : "DELETE",
                    row.size() == table_.plan.columns.size() ? describe_row(table_, row) : "a row",
                    sanitize(reason)));
  if (effect_ == MergeEffect::kCount) return Done{};
  const auto sql = !change.before ? insert_row(table_.fresh, row)
                   : change.after ? update_row(table_, *change.before, *change.after)
                                  : delete_row(table_, *change.before);
  if (!sql) return sql.error();
  attempt.unmerged += fmt::format("-- {}\n{};\n", sanitize(reason), *sql);
  return Done{};
}

Result<Done> SavedMerger::leave_out(const NetChange& change, const std::string& reason) {
  Attempt attempt;
  ++attempt.counts.refused;
  if (const auto kept = keep_out(change, reason, attempt); !kept) return kept;
  if (!attempt.unmerged.empty())
    if (const auto kept = unmerged_.append(attempt.unmerged); !kept) return kept;
  counts_ += attempt.counts;
  if (examples_.size() < kMostExamples) examples_.push_back(attempt.examples[0]);
  return Done{};
}

// What a trigger has changed, or the server has cut off, is found here and not committed.
Result<Done> SavedMerger::commit(const Attempt& attempt) {
  const auto keyed = lookup_.find(
      attempt.keyed, [&](const FoundRow& row) { return row_exists(table_, row.values); });
  if (!keyed) return keyed.error();
  const auto fresh = count_equal(attempt.fresh);
  if (!fresh) return fresh.error();
  if (std::ranges::find(*keyed, false) != keyed->end() ||
      std::ranges::find(*fresh, 0U) != fresh->end())
    return failure(
        fmt::format("a row of {} is not on {} as it was saved after it was written{}",
                    table_.plan.table.name(), sessions_.to,
                    table_.plan.triggers.empty()
                        ? ""
                        : "; triggers may change it: " + join(table_.plan.triggers, ", ")));
  // An administrator's account could write on.
  const auto closed = read_switch(*sessions_.winner, "read_only");
  if (!closed) return closed.error();
  if (*closed) return failure(sessions_.to + " has been made read-only meanwhile");
  return run("COMMIT");
}

Result<Done> SavedMerger::run(const std::string& sql) {
  if (sql.size() > sessions_.most_bytes)
    return failure(
        fmt::format("a row of {} needs a statement of {} bytes, and {} takes {} "
                    "(max_allowed_packet)",
                    table_.plan.table.name(), sql.size(), sessions_.to, sessions_.most_bytes));
  if (const auto done = sessions_.winner->query(sql); !done) return done.error();
  return Done{};
}

}  // namespace ha
