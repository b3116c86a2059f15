// SPDX-License-Identifier: MIT
// mysql_ha merge: what a node wrote while it was cut off comes to the primary.
#include <fmt/format.h>

#include "common/execute/reporter.h"
#include "common/merge/merge_journal.h"
#include "plugins/mysql_ha.h"

namespace ha {

void add_merge_options(Cli& cli, MergeOptions& merge, SavedOptions& saved) {
  cli.text("--since", "TIME", merge.since,
           "merge: rows from this time on: @SECONDS since the epoch, or a time with its zone, such "
           "as 2026-11-30T16:00:00+01:00");
  cli.text("--until", "TIME", merge.until, "merge: and before this time");
  cli.choice<MergePreset>(
      "--preset", {{"pandora", MergePreset::kPandora}}, merge.preset,
      "merge, journal extra: the tables of Pandora FMS: tagente_datos, tagente_datos_string, "
      "tevento");
  cli.text(
      "--database", "NAME", merge.database,
      "merge, journal extra: where they are (default: dbname of --pandora-conf, else pandora)");
  cli.list("--table", "DB.TABLE:TIMECOLUMN[:regenerate=COLUMN]", merge.words,
           "merge: a table, the column with the time of its rows, and one that the primary numbers "
           "anew; repeatable");
  cli.flag("--dry-run", merge.dry_run,
           "merge, journal extra: only count what would be done, and do nothing");
  cli.list("--apply", "DB.TABLE[:regenerate=COLUMN]", saved.words,
           "journal extra: bring the saved rows of this table to the primary; the primary numbers "
           "new rows anew in COLUMN; repeatable");
}

Result<Done> complete_merge(MysqlHaOptions& options) {
  options.merge.from = options.resync.from;
  options.merge.to = options.to;
  if (options.merge.database.empty())
    options.merge.database = options.failover.cluster.console_database;
  return complete_merge_options(options.merge);
}

int run_merge_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  return reporter.finish(options.notify,
                         run_merge(env, options.failover, options.merge, reporter.log()));
}

Result<std::vector<std::string>> list_merges(Files& files, const FailoverOptions& options) {
  std::vector<std::string> lines;
  const auto store = open_merge_store(files, options);
  if (!store) return store.error();
  const auto ids = store->ids();
  if (!ids) return ids.error();
  for (const std::string& id : *ids) {
    const auto records = read_merge(files, *store, id);
    const bool kept = files.info(unmerged_path(*store, id)).kind != FileInfo::Kind::kMissing;
    lines.push_back(fmt::format("{}  {}{}", id,
                                records ? summarize_merge(*records) : records.error().text,
                                kept ? ", kept for the rows that it left out" : ""));
  }
  return lines;
}

Result<std::vector<std::string>> show_merge(Files& files, const FailoverOptions& options,
                                            const std::string& id) {
  const auto store = open_merge_store(files, options);
  if (!store) return store.error();
  const auto records = read_merge(files, *store, id);
  if (!records) return records.error();
  return describe_merge(*records);
}

}  // namespace ha
