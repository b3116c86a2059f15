// SPDX-License-Identifier: MIT
#include "common/merge/saved_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/execute/binlog_text.h"
#include "common/merge/merge_journal.h"
#include "common/text.h"

namespace ha {

namespace {

Result<MergeTable> parse_saved_table(const std::string& word) {
  constexpr std::string_view kRegenerate = "regenerate=";
  const std::vector<std::string> parts = split(word, ':');
  const std::size_t dot = parts[0].find('.');
  MergeTable table;
  if (dot != std::string::npos) {
    table.database = parts[0].substr(0, dot);
    table.table = parts[0].substr(dot + 1);
  }
  bool fine = !table.database.empty() && !table.table.empty() && parts.size() <= 2;
  if (fine && parts.size() == 2) {
    fine = parts[1].starts_with(kRegenerate) && parts[1].size() > kRegenerate.size();
    if (fine) table.regenerate = parts[1].substr(kRegenerate.size());
  }
  if (fine) return table;
  return Error{Errc::kUsage,
               fmt::format("--apply: '{}' is not DB.TABLE[:regenerate=COLUMN]", sanitize(word))};
}

}  // namespace

Result<std::vector<MergeTable>> parse_saved_tables(const SavedOptions& options) {
  std::vector<MergeTable> known, tables;
  if (options.preset == MergePreset::kPandora) known = pandora_tables(options.database);
  for (const std::string& word : options.words) {
    auto table = parse_saved_table(word);
    if (!table) return table.error();
    if (std::ranges::find(tables, table->name(), &MergeTable::name) != tables.end())
      return Error{Errc::kUsage, fmt::format("--apply: {} is named twice", table->name())};
    const auto preset = std::ranges::find(known, table->name(), &MergeTable::name);
    if (preset != known.end()) {
      const std::string regenerate = table->regenerate;
      *table = *preset;
      table->time_column.clear();
      if (!regenerate.empty()) table->regenerate = regenerate;
    }
    tables.push_back(std::move(*table));
  }
  return tables;
}

std::string saved_path(const RunStore& store, const std::string& id) {
  return store.path() + "/" + id + ".extra.sql";
}

bool has_saved_transactions(Files& files, const RunStore& store, const std::string& id) {
  return is_file_name(id) && files.info(saved_path(store, id)).kind == FileInfo::Kind::kRegular;
}

Result<SavedFile> find_saved_file(Files& files, const FailoverOptions& options,
                                  const std::string& id) {
  const auto store = RunStore::open(files, options.state_dir, options.cluster_name);
  if (!store) return Error{store.error().code, "--state-dir: " + store.error().text};
  SavedFile file{id, "", saved_path(*store, id)};
  if (!has_saved_transactions(files, *store, id)) {
    const auto merges = open_merge_store(files, options);
    if (merges && is_file_name(id) &&
        files.info(unmerged_path(*merges, id)).kind == FileInfo::Kind::kRegular)
      return Error{
          Errc::kRefused,
          fmt::format("run {} is a merge: what it has left out stands as SQL for the mysql "
                      "client in {}",
                      id, unmerged_path(*merges, id))};
    return Error{Errc::kMissing,
                 fmt::format("run '{}' has saved no transactions; to see which have, run: mysql_ha "
                             "journal",
                             sanitize(id))};
  }
  // A journal that cannot be read takes nothing from the file.
  if (const auto run = store->read(id))
    for (const Step& step : run->plan.steps)
      if (step.action == Action::kSaveExtra) file.node = step.node;
  if (file.node.empty()) file.node = "the old primary";
  if (const auto whole = check_whole(files, file.path); !whole)
    return Error{whole.error().code, fmt::format("{}: {}", file.path, whole.error().text)};
  return file;
}

void SavedTableSize::add(const RowChange& change) {
  constexpr std::uint64_t kOverhead = 64;  // of a value in memory
  ++(change.kind == RowChangeKind::kInsert   ? inserts
     : change.kind == RowChangeKind::kUpdate ? updates
                                             : deletes);
  for (const LoggedRow* const row : {&change.before, &change.after})
    for (const LoggedValue& one : *row) bytes += kOverhead + (one.value ? one.value->size() : 0);
}

Result<SavedTextCounts> read_saved_file(Files& files, const SavedFile& file,
                                        const SavedTextReader& reader) {
  const auto text = files.open(file.path);
  if (!text) return text.error();
  auto counts = read_saved_text(**text, reader);
  if (!counts)
    return Error{counts.error().code, fmt::format("{}, {}", file.path, counts.error().text),
                 counts.error().server_errno};
  return counts;
}

}  // namespace ha
