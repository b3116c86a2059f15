// SPDX-License-Identifier: MIT
// mysql_ha merge: what a node wrote while it was cut off comes to the primary.
#include <fmt/format.h>

#include "common/execute/reporter.h"
#include "common/merge/merge_journal.h"
#include "plugins/mysql_ha.h"
#include "plugins/repair_options.h"

namespace ha {

void add_merge_options(Cli& cli, MysqlHaOptions& options) {
  add_merge_table_options(cli, options.merge);
  cli.flag("--dry-run", options.dry_run,
           "merge, journal extra: only count what would be done; repair: only print it");
  cli.list("--apply", "DB.TABLE[:regenerate=COLUMN]", options.saved.words,
           "journal extra: bring the saved rows of this table to the primary; the primary numbers "
           "new rows anew in COLUMN; repeatable");
}

Result<Done> complete_merge(MysqlHaOptions& options) {
  options.merge.from = options.resync.from;
  options.merge.to = options.to;
  options.merge.dry_run = options.dry_run;
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
