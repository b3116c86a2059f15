// SPDX-License-Identifier: MIT
#include "common/merge/merge_journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/journal.h"
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
    if (event == "begin")
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
