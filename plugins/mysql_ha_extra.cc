// SPDX-License-Identifier: MIT
// mysql_ha journal extra: what a run has saved of a node that has diverged.
#include <fmt/format.h>

#include <map>

#include "common/context/observation.h"
#include "common/execute/reporter.h"
#include "common/exit_code.h"
#include "common/merge/merge_saved.h"
#include "common/merge/read_table_facts.h"
#include "common/merge/saved_table.h"
#include "common/merge/saved_view.h"
#include "common/text.h"
#include "plugins/mysql_ha.h"

namespace ha {

namespace {

// Names the columns of logged tables as the primary has them, as far as it can be asked.
class ColumnNames {
 public:
  ColumnNames(const Env& env, const FailoverOptions& options) {
    Observation view = observe(env, options);
    if (const auto primary = find_only_writer(view.topology)) session_ = view.sessions[*primary];
  }

  void add_to(LoggedTable& table) {
    if (session_ == nullptr) return;
    constexpr std::size_t kMostTables = 1000;
    auto known = tables_.find(table.name());
    if (known == tables_.end()) {
      if (tables_.size() >= kMostTables) tables_.clear();
      auto facts = read_table_facts(*session_, {table.database, table.table});
      if (!facts && facts.error().code != Errc::kPrivilege) session_ = nullptr;
      known = tables_.emplace(table.name(), facts ? std::move(*facts) : TableFacts()).first;
    }
    // A table that has changed since keeps the numbers of its columns.
    LoggedTable described = table;
    if (describe_logged_table(known->second, described)) table = std::move(described);
  }

 private:
  std::shared_ptr<SqlSession> session_ = nullptr;
  std::map<std::string, TableFacts> tables_ = {};
};

int show_extra(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  const auto file = find_saved_file(env.files, options.failover, options.operand(1));
  if (!file) return cli.finish(kExitFailed, file.error().text);
  const auto print = [](std::string_view text) { print_lines(std::string(text)); };
  const auto view = options.json ? json_view(*file, print) : text_view(*file, print);
  ColumnNames names(env, options.failover);
  const auto describe = [&](LoggedTable& table) -> Result<Done> {
    names.add_to(table);
    return Done{};
  };
  // What has come until it fails is shown, too.
  SavedTextCounts so_far;
  const auto counts = read_saved_file(env.files, *file,
                                      {describe,
                                       [&](const LoggedTable& table, const RowChange& change) {
                                         return view->add_row(table, change);
                                       },
                                       [&](const SavedStatement& statement) {
                                         ++so_far.statements;
                                         return view->add_statement(statement);
                                       }});
  view->end(counts ? *counts : so_far, counts ? "" : counts.error().text);
  if (!counts) return kExitFailed;
  if (!options.json)
    print_lines(cli.complete(fmt::format(
                    "to bring rows to the primary, run: mysql_ha journal extra {} --apply DB.TABLE",
                    file->run)) +
                "\n");
  return kExitDone;
}

}  // namespace

int run_journal_extra(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  if (options.saved.words.empty()) {
    if (options.dry_run || options.merge.preset != MergePreset::kNone)
      return cli.usage_error("journal extra: --dry-run and --preset need --apply");
    return show_extra(env, cli, options);
  }
  SavedOptions saved = options.saved;
  saved.preset = options.merge.preset;
  saved.database = options.merge.database;
  saved.effect = options.dry_run ? MergeEffect::kCount : MergeEffect::kInsert;
  if (const auto tables = parse_saved_tables(saved); !tables)
    return cli.usage_error(tables.error().text);
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  return reporter.finish(options.notify, run_merge_saved(env, options.failover, saved,
                                                         options.operand(1), reporter.log()));
}

}  // namespace ha
