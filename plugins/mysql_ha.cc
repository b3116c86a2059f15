// SPDX-License-Identifier: MIT
// mysql_ha: the operator's tool for a cluster of MySQL or MariaDB servers.
#include "plugins/mysql_ha.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/clock.h"
#include "common/context/posix_env.h"
#include "common/context/run_store.h"
#include "common/execute/failover.h"
#include "common/execute/reporter.h"
#include "common/exit_code.h"
#include "common/text.h"
#include "plugins/repair_options.h"

namespace ha {

namespace {

struct CommandWord {
  std::string_view name;
  std::size_t least, most;  // words that may follow it
  int (*run)(const Env& env, const Cli& cli, const MysqlHaOptions& options);
};

int run_failover_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  return reporter.finish(options.notify,
                         run_failover(env, options.failover, options.plan_hash, reporter.log()));
}

int run_switchover_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  return reporter.finish(options.notify,
                         run_switchover(env, options.failover, options.to, reporter.log()));
}

int run_rejoin_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  return reporter.finish(options.notify,
                         run_rejoin(env, options.failover, options.operand(0), reporter.log()));
}

int run_resync_command(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  env.clock.heed_stop_signals();
  Reporter reporter(cli, env.clock);
  return reporter.finish(options.notify, run_resync(env, options.failover, options.resync,
                                                    options.operand(0), reporter.log()));
}

constexpr CommandWord kCommands[] = {
    {"status", 0, 0, run_status},
    {"plan", 0, 0, run_plan},
    {"failover", 0, 0, run_failover_command},
    {"switchover", 0, 0, run_switchover_command},
    {"rejoin", 1, 1, run_rejoin_command},
    {"resync", 1, 1, run_resync_command},
    {"merge", 0, 0, run_merge_command},
    {"repair", 0, 0, run_repair_command},
    {"journal", 0, 2, run_journal},
    {"guard", 0, 2, run_guard_command},
};

void add_guard_options(Cli& cli, MysqlHaOptions& options) {
  const std::vector<std::pair<std::string, bool>> words = {{"yes", true}, {"no", false}};
  cli.option(
      "--interval", "SECONDS",
      [&options](const std::string& value) -> Result<Done> {
        const auto seconds = parse_seconds(value);
        if (!seconds) return seconds.error();
        options.interval_s = *seconds;
        return Done{};
      },
      "status --watch: between two views (default: 2); guard: between two questions to each node "
      "(default: 0.5)");
  cli.choice<bool>("--manage", words, options.guard.manage,
                   "guard: change the cluster (default: yes), or only watch and tell (no)");
  cli.choice<bool>("--auto-open", words, options.failover.policy.auto_open,
                   "guard: open a primary again that its option file has made read-only at a "
                   "restart, or the guard for want of votes (default: yes)");
  cli.choice<bool>("--auto-rejoin", words, options.guard.auto_rejoin,
                   "guard: let a former primary that came back without transactions of its own "
                   "follow the new one (default: no)");
}

void add_options(Cli& cli, MysqlHaOptions& options) {
  cli.operands("COMMAND [ARGUMENT]...", options.words);
  add_failover_options(cli, options.failover);
  cli.text("--assume-dead", "NODE", options.assume_dead,
           "plan: as if this node, the primary, were dead");
  cli.text("--plan-hash", "HASH", options.plan_hash,
           "failover: refuse unless the plan still has this hash");
  cli.text("--to", "NODE", options.to,
           "switchover: to this node (default: the best replica); merge: the primary");
  cli.text(
      "--from", "NODE", options.resync.from,
      "resync, repair: copy this node (default: a sound replica, else the primary); merge: the "
      "node whose rows are brought to the primary");
  cli.text("--winner", "NODE", options.winner,
           "repair: the node that stays the primary (default: the one that the evidence shows)");
  add_copy_options(cli, options.resync);
  cli.choice<ExtraTransactions>(
      "--surplus", {{"save", ExtraTransactions::kSave}, {"discard", ExtraTransactions::kDiscard}},
      options.resync.extra_transactions,
      "resync: what to do with the extra transactions of NODE (default: save)");
  cli.choice<bool>("--output", {{"text", false}, {"json", true}}, options.json,
                   "status, plan, repair --dry-run, journal and guard status: print text (default) "
                   "or json");
  cli.flag("--watch", options.watch, "status: again and again, until it is interrupted");
  add_merge_options(cli, options);
  add_guard_options(cli, options);
  add_notify_options(cli, options.notify);
}

}  // namespace

int run_plan(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  Plan plan = plan_now(env, options.failover, options.assume_dead);
  complete_texts(cli, plan);
  if (!options.json)
    for (const std::string& one : options.failover.policy.unheeded)
      print_lines(printable("note: " + one) + "\n");
  print_lines(options.json ? plan_to_json(plan) + "\n" : render(plan));
  return plan.possible() ? kExitDone : kExitFailed;
}

namespace {

int show_run(const Env& env, const Cli& cli, const MysqlHaOptions& options, const RunStore& store) {
  const auto run = store.read(options.operand(1));
  if (!run && run.error().code == Errc::kMissing)
    if (const auto merge = show_merge(env.files, options.failover, options.operand(1))) {
      print_lines(join(*merge, "\n") + "\n");
      return kExitDone;
    }
  if (!run) return cli.finish(kExitFailed, run.error().text);
  print_lines(fmt::format("run {}: {} {} -> {}, {}\n", run->id, command_name(run->plan.command),
                          run->plan.primary, run->plan.candidate, run_end_name(run->end)));
  if (const std::string evidence = describe_evidence(run->plan); !evidence.empty())
    print_lines(printable(evidence) + "\n");
  for (const std::string& line : run->timeline) print_lines(cli.complete(line) + "\n");
  return kExitDone;
}

int list_runs(const Env& env, const Cli& cli, const MysqlHaOptions& options,
              const RunStore& store) {
  const auto ids = store.ids();
  if (!ids) return cli.finish(kExitFailed, ids.error().text);
  const auto merges = list_merges(env.files, options.failover);
  if (!merges) return cli.finish(kExitFailed, merges.error().text);
  if (ids->empty() && merges->empty())
    return cli.finish(kExitDone, "there is no run in " + store.path() +
                                     "; to see what would be done, run: mysql_ha plan");
  for (const std::string& id : *ids) {
    const auto run = store.read(id);
    if (!run)
      print_lines(fmt::format("{}  {}\n", id, cli.complete(run.error().text)));
    else
      print_lines(fmt::format("{}  {:<10} {} -> {}  {}{}{}\n", id, command_name(run->plan.command),
                              run->plan.primary, run->plan.candidate, run_end_name(run->end),
                              run->acknowledged ? ", acknowledged" : "",
                              has_saved_transactions(env.files, store, id)
                                  ? ", kept for the transactions that it has saved"
                                  : ""));
  }
  for (const std::string& line : *merges) print_lines(line + "\n");
  return kExitDone;
}

// Returns the run that keeps others from acting: the one that was interrupted, else the last
// failover.
Result<std::string> find_run_in_the_way(const RunStore& store, const Moment& now) {
  const auto runs = store.runs();
  if (!runs) return runs.error();
  auto run = find_interrupted(*runs, now);
  if (run && !*run) run = find_last_failover(*runs);
  if (!run) return run.error();
  if (!*run) return Error{Errc::kMissing, "there is no run to acknowledge"};
  return (*run)->id;
}

// A journal that cannot be read would be in the way for ever.
int set_run_aside(const Cli& cli, const RunStore& store, const std::string& id,
                  const Error& error) {
  if (error.code != Errc::kBadData) return cli.finish(kExitFailed, error.text);
  const auto path = store.set_aside(id);
  if (!path) return cli.finish(kExitFailed, path.error().text);
  return cli.finish(kExitDone, fmt::format("run {} is acknowledged: its journal is damaged and was "
                                           "renamed to {}",
                                           id, *path));
}

int acknowledge_run(Clock& clock, const Cli& cli, const MysqlHaOptions& options, RunStore& store) {
  const auto found =
      options.operand(1).empty() ? find_run_in_the_way(store, clock.moment()) : options.operand(1);
  if (!found) return cli.finish(kExitFailed, found.error().text);
  const std::string& id = *found;
  if (const auto locked = store.lock(clock); !locked)
    return cli.finish(kExitFailed, locked.error().code == Errc::kRefused
                                       ? "a run is at work: " + locked.error().text
                                       : locked.error().text);
  if (const auto run = store.read(id); !run) return set_run_aside(cli, store, id, run.error());
  auto journal = store.journal(id);
  if (!journal) return cli.finish(kExitFailed, journal.error().text);
  const auto written = journal->append(make_record(clock.moment(), "acknowledged"));
  if (!written) return cli.finish(kExitFailed, written.error().text);
  return cli.finish(kExitDone, fmt::format("run {} is acknowledged", id));
}

}  // namespace

int run_journal(const Env& env, const Cli& cli, const MysqlHaOptions& options) {
  auto store = RunStore::open(env.files, options.failover.state_dir, options.failover.cluster_name);
  if (!store) return cli.finish(kExitFailed, "--state-dir: " + store.error().text);
  const std::string what = options.operand(0);
  if (what.empty()) return list_runs(env, cli, options, *store);
  if (what == "show" && !options.operand(1).empty()) return show_run(env, cli, options, *store);
  if (what == "ack") return acknowledge_run(env.clock, cli, options, *store);
  if (what == "extra" && !options.operand(1).empty()) return run_journal_extra(env, cli, options);
  return cli.usage_error("journal: expected nothing, show ID, extra ID or ack [ID]");
}

namespace {

std::optional<int> complete_options(const Cli& cli, MysqlHaOptions& options) {
  const bool guards = options.words[0] == "guard";
  if (guards)
    take_own_node(options);
  else  // An operator or an engine wants the primary opened.
    options.failover.policy.auto_open = true;
  if (const auto complete = complete_failover_options(cli, options.failover); !complete)
    return cli.usage_error(complete.error().text);
  if (options.merge.database.empty())
    options.merge.database = options.failover.cluster.console_database;
  if (guards)
    if (const auto complete = complete_guard_options(options); !complete)
      return cli.usage_error(complete.error().text);
  if (options.words[0] == "merge")
    if (const auto complete = complete_merge(options); !complete)
      return cli.usage_error(complete.error().text);
  if (options.words[0] == "repair")
    if (const auto complete = complete_repair(options); !complete)
      return cli.usage_error(complete.error().text);
  if (const auto usable = check_notify_options(options.notify); !usable)
    return cli.usage_error(usable.error().text);
  return std::nullopt;
}

}  // namespace

std::optional<int> read_options(Cli& cli, const Arguments& arguments, MysqlHaOptions& options) {
  options.arguments = &arguments;
  add_options(cli, options);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  std::vector<std::string> names;
  for (const CommandWord& command : kCommands) names.emplace_back(command.name);
  const std::string word = options.words.empty() ? "" : options.words[0];
  const auto command = std::ranges::find(kCommands, word, &CommandWord::name);
  if (command == std::end(kCommands))
    return cli.usage_error(
        fmt::format("'{}' is not one of the commands: {}", sanitize(word), join(names, ", ")));
  const std::size_t operands = options.words.size() - 1;
  if (operands < command->least || operands > command->most)
    return cli.usage_error(fmt::format("{}: wrong number of arguments (see --help)", word));
  return complete_options(cli, options);
}

int plugin_main(Clock& clock, const Arguments& arguments) {
  MysqlHaOptions options;
  Cli cli(clock, kName, kPurpose, Cli::Kind::kTool);
  if (const auto exit_code = read_options(cli, arguments, options)) return *exit_code;
  const auto command = std::ranges::find(kCommands, options.words[0], &CommandWord::name);
  return command->run(posix_env(clock), cli, options);
}

}  // namespace ha
