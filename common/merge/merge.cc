// SPDX-License-Identifier: MIT
#include "common/merge/merge.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/commands.h"
#include "common/context/observation.h"
#include "common/failover/run.h"
#include "common/merge/direction.h"
#include "common/merge/merge_journal.h"
#include "common/merge/merge_tables.h"
#include "common/merge/table_merger.h"
#include "common/merge/unmerged_rows.h"
#include "common/text.h"

namespace ha {

namespace {

FailoverOutcome refuse_merge(const std::string& reason) {
  return refuse("merge refused: " + reason);
}

// One merge, from the look at the nodes to the last word.
class Merge {
 public:
  Merge(const Env& env, const FailoverOptions& options, const MergeOptions& merge, const Log& log)
      : env_(env), options_(options), merge_(merge), log_(log) {}

  FailoverOutcome run();

 private:
  bool counts_only() const { return merge_.effect == MergeEffect::kCount; }

  // Takes the lock of the merges of this machine. Fails with the words of the refusal.
  Result<Done> lock();
  Result<Done> prepare();
  Result<Done> begin_journal();
  Result<Done> merge_table(const PlannedTable& table, UnmergedRows& unmerged);
  FailoverOutcome report(const UnmergedRows& unmerged);
  FailoverOutcome report_failure(const Error& error, const UnmergedRows& unmerged);
  std::string heading() const;

  const Env env_;
  const FailoverOptions& options_;
  const MergeOptions& merge_;
  const Log& log_;
  std::optional<RunStore> store_ = {};
  MergeJournal journal_ = {};
  std::vector<MergeSessions> sessions_ = {};
  PlannedTables planned_ = {};
  std::vector<std::string> warnings_ = {}, lines_ = {};
  MergeCounts counts_ = {};
};

Result<Done> Merge::lock() {
  auto store = lock_merge_store(env_, options_);
  if (!store) return store.error();
  store_.emplace(std::move(*store));
  return Done{};
}

Result<Done> Merge::prepare() {
  const Observation view = observe(env_, options_);
  MergeDirection direction = judge_direction(view.topology, merge_.from, merge_.to);
  if (!direction.objection.empty()) return Error{Errc::kRefused, direction.objection};
  warnings_ = std::move(direction.warnings);
  auto sessions = open_merge_sessions(env_, options_, *find_node(view.topology, merge_.from),
                                      *find_node(view.topology, merge_.to), merge_.effect);
  if (!sessions) return sessions.error();
  sessions_ = std::move(*sessions);
  auto planned = plan_tables(sessions_.front(), merge_);
  if (!planned) return planned.error();
  planned_ = std::move(*planned);
  warnings_.insert(warnings_.end(), planned_.warnings.begin(), planned_.warnings.end());
  return Done{};
}

Result<Done> Merge::begin_journal() {
  const auto begun = journal_.begin(
      env_, *store_,
      {{"from", merge_.from}, {"to", merge_.to}, {"since", merge_.since}, {"until", merge_.until}},
      merge_.tables);
  if (!begun) return begun;
  log_(fmt::format("merge: {} from {} to {}, since {} until {} (run {})", join_names(merge_.tables),
                   merge_.from, merge_.to, merge_.since, merge_.until, journal_.id()));
  return prune_merges(env_.files, *store_, options_.keep_runs);
}

Result<Done> Merge::merge_table(const PlannedTable& table, UnmergedRows& unmerged) {
  TableMerger merger(env_, sessions_, table.plan, table.bounds, merge_.effect, unmerged, log_);
  const auto merged = merger.merge();
  counts_ += merger.counts();
  if (!merged)
    return Error{merged.error().code, table.plan.table.name() + ": " + merged.error().text};
  const MergeCounts& counts = merger.counts();
  const std::string text =
      fmt::format("{}; {} has {} rows there now",
                  describe_counts(counts, merge_.effect, merge_.from, merge_.to), merge_.to,
                  merger.winner_rows());
  const std::uint64_t expected = counts.present() + (counts_only() ? 0 : counts.added);
  if (merger.winner_rows() < expected)
    warnings_.push_back(
        fmt::format("{} has fewer rows of {} than it had: they were deleted there "
                    "meanwhile",
                    merge_.to, table.plan.table.name()));
  lines_.push_back(table.plan.table.name() + ": " + text);
  log_(lines_.back());
  return journal_.append(env_, "table", "table", table.plan.table.name(), text);
}

std::string Merge::heading() const {
  return fmt::format("-- Rows of {} that were not merged into {}, since {} until {} (run {})",
                     merge_.from, merge_.to, merge_.since, merge_.until, journal_.id());
}

FailoverOutcome Merge::report(const UnmergedRows& unmerged) {
  FailoverOutcome outcome{FailoverEnd::kDone};
  outcome.text = counts_only() ? fmt::format("merge: {} rows of {} are to be added to {}",
                                             counts_.added, merge_.from, merge_.to)
                               : fmt::format("merge done: {} rows of {} added to {}", counts_.added,
                                             merge_.from, merge_.to);
  const std::uint64_t left = counts_.left_out();
  if (left > 0)
    outcome.text += fmt::format(", {} {}", left, counts_only() ? "would be left out" : "left out");
  if (!unmerged.empty()) outcome.text += " and kept in " + unmerged.path();
  if (left > 0 || !warnings_.empty()) outcome.end = FailoverEnd::kWarnings;
  return outcome;
}

FailoverOutcome Merge::report_failure(const Error& error, const UnmergedRows& unmerged) {
  FailoverOutcome outcome{FailoverEnd::kRefused};
  outcome.text = fmt::format("merge failed: {}", error.text);
  if (!counts_only()) outcome.text += fmt::format("; {} rows were added and stay", counts_.added);
  if (!unmerged.empty())
    outcome.text += fmt::format("; what was left out so far is in {}", unmerged.path());
  outcome.text += fmt::format("; to do the rest, run: {}", kThisCommand);
  return outcome;
}

FailoverOutcome Merge::run() {
  if (merge_.window.until <= merge_.window.since)
    return refuse_merge(
        fmt::format("--until {} is not after --since {}; to see all options, run: "
                    "mysql_ha --help",
                    merge_.until, merge_.since));
  if (!counts_only())
    if (const auto locked = lock(); !locked) return refuse_merge(locked.error().text);
  if (const auto prepared = prepare(); !prepared) return refuse_merge(prepared.error().text);
  if (!counts_only())
    if (const auto begun = begin_journal(); !begun) return refuse_merge(begun.error().text);
  UnmergedRows unmerged(env_.files, counts_only() ? "" : unmerged_path(*store_, journal_.id()),
                        heading());
  std::optional<Error> error;
  for (const PlannedTable& table : planned_.tables) {
    const auto merged = merge_table(table, unmerged);
    if (merged) continue;
    error = merged.error();
    break;
  }
  FailoverOutcome outcome = error ? report_failure(*error, unmerged) : report(unmerged);
  outcome.run_id = journal_.id();
  outcome.details = lines_;
  for (const std::string& one : warnings_) outcome.details.push_back("warning: " + one);
  for (const std::string& one : planned_.notes) outcome.details.push_back("note: " + one);
  if (const auto ended = journal_.end(env_, outcome); !ended) log_(ended.error().text);
  return outcome;
}

}  // namespace

FailoverOutcome run_merge(const Env& env, const FailoverOptions& options, const MergeOptions& merge,
                          const Log& log) {
  return Merge(env, options, merge, log).run();
}

}  // namespace ha
