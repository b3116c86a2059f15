// SPDX-License-Identifier: MIT
#include "common/merge/merge_saved.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/commands.h"
#include "common/context/observation.h"
#include "common/failover/run.h"
#include "common/merge/direction.h"
#include "common/merge/merge_journal.h"
#include "common/merge/read_table_facts.h"
#include "common/merge/saved_merger.h"
#include "common/mysql/quote.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr std::uint64_t kMostBytes = 256u << 20;  // of rows that are held at once

// Returns why rows of a table are only inserted: the server would change others' rows unasked.
Result<std::string> find_cascade(SqlSession& session, const MergeTable& table) {
  const auto rows = session.query(
      "SELECT constraint_schema AS db, table_name AS child FROM"
      " information_schema.referential_constraints WHERE unique_constraint_schema = " +
      quote_string(table.database) + " AND referenced_table_name = " + quote_string(table.table) +
      " AND (delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT')"
      " OR update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))");
  if (!rows) return rows.error();
  if (rows->cells.empty()) return std::string();
  const Row row(*rows, 0);
  return fmt::format("rows of {}.{} would change with it, by a foreign key",
                     row.text("db").value_or(""), row.text("child").value_or(""));
}

class SavedMerge {
 public:
  SavedMerge(const Env& env, const FailoverOptions& options, const SavedOptions& saved,
             const Log& log)
      : env_(env), options_(options), saved_(saved), log_(log) {}

  FailoverOutcome run(const std::string& id);

 private:
  struct Target {
    MergeTable table = {};
    TableFacts facts = {};
    SavedTable saved = {};
    SavedTableSize size = {};
  };

  bool counts_only() const { return saved_.effect == MergeEffect::kCount; }
  Result<Done> prepare(const std::string& id);
  Result<Done> open_primary();
  Result<Done> plan(const MergeTable& table);
  // Reads the file before anything is written: it may be damaged, or lack a table.
  Result<Done> count();
  Result<Done> begin_journal();
  Result<Done> merge_table(Target& target, UnmergedRows& unmerged);
  Result<Done> merge_part(Target& target, unsigned parts, unsigned part, SavedMerger& merger);
  SavedTextReader reader(const RowEvents::Take& take);
  FailoverOutcome report(const UnmergedRows& unmerged, const std::optional<Error>& error);

  const Env env_;
  const FailoverOptions& options_;
  const SavedOptions& saved_;
  const Log& log_;
  SavedFile file_ = {};
  std::vector<MergeTable> tables_ = {};
  std::map<std::string, Target> targets_ = {};  // by name
  std::optional<RunStore> store_ = {};
  MergeJournal journal_ = {};
  std::optional<MergeSessions> sessions_ = {};
  std::vector<std::string> warnings_ = {}, notes_ = {}, lines_ = {};
  SavedCounts counts_ = {};
};

Result<Done> SavedMerge::prepare(const std::string& id) {
  auto tables = parse_saved_tables(saved_);
  if (!tables) return tables.error();
  tables_ = std::move(*tables);
  auto file = find_saved_file(env_.files, options_, id);
  if (!file) return file.error();
  file_ = std::move(*file);
  if (!counts_only()) {
    auto store = lock_merge_store(env_, options_);
    if (!store) return store.error();
    store_.emplace(std::move(*store));
  }
  if (const auto opened = open_primary(); !opened) return opened;
  for (const MergeTable& table : tables_)
    if (const auto planned = plan(table); !planned) return planned;
  if (const auto counted = count(); !counted) return counted;
  return counts_only() ? Result<Done>(Done{}) : begin_journal();
}

Result<Done> SavedMerge::open_primary() {
  const Observation view = observe(env_, options_);
  const auto place = find_only_writer(view.topology);
  if (!place) return place.error();
  const Node& primary = view.topology.nodes[*place];
  if (std::string objection = object_to_winner(primary); !objection.empty())
    return Error{Errc::kRefused, std::move(objection)};
  auto sessions = open_winner_session(env_, options_, primary, saved_.effect);
  if (!sessions) return sessions.error();
  sessions_ = std::move(*sessions);
  sessions_->from = file_.node;
  return Done{};
}

Result<Done> SavedMerge::plan(const MergeTable& table) {
  Target target{table};
  auto facts = read_table_facts(*sessions_->winner, table);
  if (!facts) return facts.error();
  target.facts = std::move(*facts);
  auto saved = plan_saved_table(table, target.facts, sessions_->to, tables_);
  if (!saved) return saved.error();
  target.saved = std::move(*saved);
  auto cascade = find_cascade(*sessions_->winner, table);
  if (!cascade) return cascade.error();
  target.saved.cascade = std::move(*cascade);
  warnings_.insert(warnings_.end(), target.saved.plan.warnings.begin(),
                   target.saved.plan.warnings.end());
  targets_.emplace(table.name(), std::move(target));
  return Done{};
}

SavedTextReader SavedMerge::reader(const RowEvents::Take& take) {
  const auto describe = [this](LoggedTable& table) -> Result<Done> {
    const auto target = targets_.find(table.name());
    if (target == targets_.end()) return Done{};
    if (const auto described = describe_logged_table(target->second.facts, table); !described)
      return described;
    return expect_same_types(target->second.saved, table);
  };
  return {describe, take, [](const SavedStatement&) -> Result<Done> { return Done{}; }};
}

Result<Done> SavedMerge::count() {
  constexpr std::size_t kMostNames = 20;
  std::vector<std::string> others;
  const auto counts = read_saved_file(
      env_.files, file_,
      reader([&](const LoggedTable& table, const RowChange& change) -> Result<Done> {
        const auto target = targets_.find(table.name());
        if (target != targets_.end()) {
          target->second.size.add(change);
          if (const auto net = change_of_plan(target->second.saved, change); !net)
            return net.error();
        } else if (others.size() < kMostNames &&
                   std::ranges::find(others, sanitize(table.name())) == others.end()) {
          others.push_back(sanitize(table.name()));
        }
        return Done{};
      }));
  if (!counts) return counts.error();
  if (counts->statements > 0)
    notes_.push_back(
        fmt::format("{} statements that are no rows were saved too and are not "
                    "brought; to see them, run: mysql_ha journal extra {}",
                    counts->statements, file_.run));
  if (counts->rolled_back > 0)
    return Error{Errc::kRefused,
                 fmt::format("{} transactions with rows were rolled back, and the file does not "
                             "tell which of the rows stayed; to see them, run: mysql_ha journal "
                             "extra {}",
                             counts->rolled_back, file_.run)};
  for (const auto& [name, target] : targets_)
    if (target.size.bytes == 0)
      return Error{
          Errc::kMissing,
          fmt::format("no row of {} was saved{}", name,
                      others.empty() ? "" : "; those with rows are " + join(others, ", "))};
  return Done{};
}

Result<Done> SavedMerge::begin_journal() {
  const auto begun = journal_.begin(
      env_, *store_, {{"from", sessions_->from}, {"to", sessions_->to}, {"run", file_.run}},
      tables_);
  if (!begun) return begun;
  log_(fmt::format("merge: {} of what run {} has saved of {}, to {} (run {})", join_names(tables_),
                   file_.run, sessions_->from, sessions_->to, journal_.id()));
  return prune_merges(env_.files, *store_, options_.keep_runs);
}

Result<Done> SavedMerge::merge_part(Target& target, unsigned parts, unsigned part,
                                    SavedMerger& merger) {
  SavedChanges changes(target.saved.key_places(), parts, part);
  const std::string name = target.table.name();
  const auto read = read_saved_file(
      env_.files, file_,
      reader([&](const LoggedTable& table, const RowChange& change) -> Result<Done> {
        if (env_.clock.stopping()) return Error{Errc::kInternal, "asked to stop"};
        if (table.name() != name) return Done{};
        auto net = change_of_plan(target.saved, change);
        if (!net) return net.error();
        return changes.add(std::move(net->before), std::move(net->after));
      }));
  if (!read) return read.error();
  for (const NetChange& one : changes.unclear())
    if (const auto left =
            merger.leave_out(one, "the table has no primary key: rows can only be inserted");
        !left)
      return left;
  return merger.merge(changes.take());
}

Result<Done> SavedMerge::merge_table(Target& target, UnmergedRows& unmerged) {
  const std::string name = target.table.name();
  const auto parts = static_cast<unsigned>(target.size.bytes / kMostBytes + 1);
  if (parts > 1 && !target.table.regenerate.empty())
    return Error{Errc::kRefused, fmt::format("{}: its rows are too many to number them anew at "
                                             "once",
                                             name)};
  SavedMerger merger(env_, *sessions_, target.saved, saved_.effect, unmerged);
  Result<Done> merged = Done{};
  for (unsigned part = 0; part < parts && merged; ++part)
    merged = merge_part(target, parts, part, merger);
  counts_ += merger.counts();
  lines_.insert(lines_.end(), merger.examples().begin(), merger.examples().end());
  if (!merged) return Error{merged.error().code, name + ": " + merged.error().text};
  const std::string text = describe_saved_counts(merger.counts(), saved_.effect, sessions_->to);
  lines_.push_back(name + ": " + text);
  log_(lines_.back());
  return journal_.append(env_, "table", "table", name, text);
}

FailoverOutcome SavedMerge::report(const UnmergedRows& unmerged,
                                   const std::optional<Error>& error) {
  FailoverOutcome outcome{FailoverEnd::kDone};
  const std::string to = sessions_->to;
  if (error) {
    outcome.end = FailoverEnd::kRefused;
    outcome.text = fmt::format("merge failed: {}; {} rows were brought to {} and stay", error->text,
                               counts_only() ? 0 : counts_.done(), to);
  } else {
    outcome.text = counts_only() ? fmt::format("merge: {} saved rows of {} are to be brought to {}",
                                               counts_.done(), sessions_->from, to)
                                 : fmt::format("merge done: {} saved rows of {} brought to {}",
                                               counts_.done(), sessions_->from, to);
    if (counts_.left_out() > 0 || !warnings_.empty()) outcome.end = FailoverEnd::kWarnings;
  }
  if (counts_.left_out() > 0)
    outcome.text += fmt::format(", {} {}", counts_.left_out(),
                                counts_only() ? "would be left out" : "left out");
  if (!unmerged.empty()) outcome.text += " and kept in " + unmerged.path();
  if (error) outcome.text += fmt::format("; to do the rest, run: {}", kThisCommand);
  return outcome;
}

FailoverOutcome SavedMerge::run(const std::string& id) {
  if (const auto prepared = prepare(id); !prepared)
    return refuse("merge refused: " + prepared.error().text);
  UnmergedRows unmerged(
      env_.files, counts_only() ? "" : unmerged_path(*store_, journal_.id()),
      fmt::format("-- Changes of {} that were not brought to {}, out of what run {} has saved "
                  "(run {})",
                  sessions_->from, sessions_->to, file_.run, journal_.id()));
  std::optional<Error> error;
  for (const MergeTable& table : tables_) {
    const auto merged = merge_table(targets_.at(table.name()), unmerged);
    if (merged) continue;
    error = merged.error();
    break;
  }
  FailoverOutcome outcome = report(unmerged, error);
  outcome.run_id = journal_.id();
  outcome.details = lines_;
  for (const std::string& one : warnings_) outcome.details.push_back("warning: " + one);
  for (const std::string& one : notes_) outcome.details.push_back("note: " + one);
  if (const auto ended = journal_.end(env_, outcome); !ended) log_(ended.error().text);
  return outcome;
}

}  // namespace

Result<std::size_t> find_only_writer(const Topology& topology) {
  std::vector<std::string> names;
  std::size_t place = 0;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    if (!topology.nodes[i].writable()) continue;
    names.push_back(topology.nodes[i].name);
    place = i;
  }
  if (names.size() == 1) return place;
  return Error{Errc::kRefused, names.empty() ? "no node takes writes; to see the nodes, run: "
                                               "mysql_ha status"
                                             : fmt::format("{} take writes, and one must; to see "
                                                           "the nodes, run: mysql_ha status",
                                                           join(names, " and "))};
}

FailoverOutcome run_merge_saved(const Env& env, const FailoverOptions& options,
                                const SavedOptions& saved, const std::string& id, const Log& log) {
  return SavedMerge(env, options, saved, log).run(id);
}

}  // namespace ha
