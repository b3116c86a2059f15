// SPDX-License-Identifier: MIT
#include "common/merge/merge_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/text.h"

namespace ha {

namespace {

std::string journal_path(const RunStore& store, const std::string& id) {
  return store.path() + "/" + id + ".journal";
}

std::string value(const JournalRecord& record, std::string_view name) {
  return sanitize(journal_value(record, name));
}

}  // namespace

Result<RunStore> open_merge_store(Files& files, const FailoverOptions& options) {
  return RunStore::open(files, options.state_dir, options.cluster_name + ".merge");
}

Result<RunStore> lock_merge_store(const Env& env, const FailoverOptions& options) {
  // Not the lock of the cluster: a failover must not wait for hours of merging.
  const auto cluster = RunStore::open(env.files, options.state_dir, options.cluster_name);
  if (!cluster) return Error{cluster.error().code, "--state-dir: " + cluster.error().text};
  if (const std::string holder = cluster->lock_holder(); !holder.empty())
    return Error{Errc::kRefused, "a change of the cluster is at work: " + holder};
  auto store = open_merge_store(env.files, options);
  if (!store) return Error{store.error().code, "--state-dir: " + store.error().text};
  if (const auto locked = store->lock(env.clock); !locked)
    return Error{locked.error().code, "another merge is at work: " + locked.error().text};
  return store;
}

std::string join_names(const std::vector<MergeTable>& tables) {
  std::vector<std::string> names;
  for (const MergeTable& table : tables) names.push_back(table.name());
  return join(names, ", ");
}

Result<Done> MergeJournal::begin(const Env& env, const RunStore& store, JournalRecord about,
                                 const std::vector<MergeTable>& tables) {
  const auto id = store.new_id(env.clock.now_s());
  if (!id) return id.error();
  auto journal = store.journal(*id);
  if (!journal) return journal.error();
  JournalRecord record = make_record(env.clock.moment(), "begin");
  std::ranges::move(about, std::back_inserter(record));
  record.emplace_back("tables", join_names(tables));
  if (const auto begun = journal->append(std::move(record)); !begun) return begun;
  journal_.emplace(std::move(*journal));
  id_ = *id;
  return Done{};
}

Result<Done> MergeJournal::append(const Env& env, const std::string& event, const std::string& name,
                                  const std::string& value, const std::string& text) {
  if (!journal_) return Done{};
  JournalRecord record = make_record(env.clock.moment(), event);
  record.emplace_back(name, value);
  record.emplace_back("text", text);
  return journal_->append(std::move(record));
}

Result<Done> MergeJournal::end(const Env& env, const FailoverOutcome& outcome) {
  constexpr const char* kWords[] = {"done", "warnings", "failed"};
  return append(env, "end", "outcome", kWords[static_cast<std::size_t>(outcome.end)], outcome.text);
}

std::string unmerged_path(const RunStore& store, const std::string& id) {
  return store.path() + "/" + id + ".extra.sql";
}

std::string summarize_merge(const std::vector<JournalRecord>& records) {
  std::string way = "?", end = "unfinished";
  for (const JournalRecord& record : records) {
    if (journal_value(record, "event") == "begin")
      way = fmt::format("{} -> {}", value(record, "from"), value(record, "to"));
    if (journal_value(record, "event") == "end") end = value(record, "outcome");
  }
  return fmt::format("{:<10} {}  {}", "merge", way, end);
}

std::vector<std::string> describe_merge(const std::vector<JournalRecord>& records) {
  const double begin_s =
      records.empty() ? 0 : parse_number(journal_value(records[0], "time")).value_or(0);
  std::vector<std::string> lines;
  for (const JournalRecord& record : records) {
    const std::string event = journal_value(record, "event");
    const double time_s = parse_number(journal_value(record, "time")).value_or(begin_s);
    std::string text = value(record, "text");
    if (event == "begin" && !value(record, "run").empty())
      text = fmt::format("merge of {} from {} to {}, of what run {} has saved",
                         value(record, "tables"), value(record, "from"), value(record, "to"),
                         value(record, "run"));
    else if (event == "begin")
      text = fmt::format("merge of {} from {} to {}, since {} until {}", value(record, "tables"),
                         value(record, "from"), value(record, "to"), value(record, "since"),
                         value(record, "until"));
    if (event == "table") text = value(record, "table") + ": " + text;
    lines.push_back(fmt::format("{:+8.3f}s  {}", time_s - begin_s, text));
  }
  return lines;
}

Result<std::vector<JournalRecord>> read_merge(Files& files, const RunStore& store,
                                              const std::string& id) {
  const std::string path = journal_path(store, id);
  if (!is_file_name(id) || files.info(path).kind == FileInfo::Kind::kMissing)
    return Error{Errc::kMissing, fmt::format("there is no run '{}'", sanitize(id))};
  return Journal::read(files, path);
}

Result<Done> prune_merges(Files& files, const RunStore& store, std::size_t most) {
  const auto ids = store.ids();
  if (!ids) return ids.error();
  for (std::size_t i = 0; i + most < ids->size(); ++i) {
    if (files.info(unmerged_path(store, (*ids)[i])).kind != FileInfo::Kind::kMissing) continue;
    if (const auto removed = files.remove(journal_path(store, (*ids)[i])); !removed) return removed;
  }
  return Done{};
}

}  // namespace ha
