// SPDX-License-Identifier: MIT
#include "common/context/preconditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "common/context/mha_call.h"
#include "common/context/node_locks.h"
#include "common/context/observation.h"
#include "common/context/operator_program.h"
#include "common/context/run_store.h"
#include "common/missing_directory.h"
#include "common/mysql/privileges.h"
#include "common/mysql/read_facts.h"
#include "common/mysql/session.h"
#include "common/mysql/version.h"
#include "common/parallel.h"
#include "common/process.h"
#include "common/text.h"
#include "common/vip/vip_host.h"

namespace ha {

namespace {

// How long a replica that receives may be behind what the writer had.
constexpr double kArrival_s = 0.3;

Error late() { return {Errc::kUnreachable, "no answer in time"}; }

// Returns why the account of these options is of no use for replication, empty when it is.
std::string try_account(Connector& connector, const MysqlOptions& account) {
  const auto session = connector.connect(account);
  if (!session) return session.error().text;
  const auto privileges = read_privileges(**session);
  if (!privileges) return privileges.error().text;
  if (holds(*privileges, kReplicationPrivilege)) return "";
  return "it lacks the privilege to replicate; run: " +
         grant_statement(**session, kReplicationPrivilege, "*.*");
}

// Calls `probe` for all nodes at the same time and returns what it found wrong.
Troubles try_nodes(Workers& workers, const std::vector<NodeAddress>& nodes,
                   const Deadline& deadline,
                   const std::function<std::string(const NodeAddress&)>& probe) {
  const auto found = run_each<std::string>(
      workers, nodes.size(), deadline, [nodes, probe](std::size_t i) { return probe(nodes[i]); });
  Troubles troubles;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (const std::string text = found[i].value_or(late().text); !text.empty())
      troubles[nodes[i].name] = text;
  return troubles;
}

}  // namespace

Troubles try_replication_account(const Env& env, const FailoverOptions& options,
                                 const Deadline& deadline) {
  MysqlOptions account = options.cluster.mysql;
  account.user = options.policy.repl_user;
  account.password = options.repl_password.value_or("");  // never that of the other account's file
  return try_nodes(env.workers, options.cluster.nodes, deadline,
                   [env, account, seconds = deadline.remaining_s()](const NodeAddress& node) {
                     return try_account(env.connector, options_for(node, account, seconds));
                   });
}

namespace {

// True when a replica that receives has not yet all that the writer had.
bool is_on_its_way(const ServerFacts& replica, const ServerFacts& writer) {
  if (!replica.channels || replica.channels->empty()) return false;
  const ChannelStatus& channel = (*replica.channels)[0];
  if (!channel.io.running()) return false;
  if (!channel.uses_gtid)
    return writer.binlog && binlog_order(channel.read) < binlog_order(*writer.binlog);
  const auto more = extra(writer.history, replica.latest_history());
  return more && more->any();
}

Result<NodeAnswers> ask_node(Clock& clock, SqlSession& session, const ServerFacts& facts,
                             const std::optional<ServerFacts>& writer, const std::string& lock) {
  NodeAnswers answers;
  const Deadline arrival = Deadline::after(clock, kArrival_s);
  while (writer && is_on_its_way(answers.later.value_or(facts), *writer) && !arrival.passed()) {
    answers.later = facts;
    if (const auto read = reread_replication(session, *answers.later); !read) return read.error();
    clock.pause(kPoll_s);
  }
  const auto holder = node_lock_holder(session, lock);
  if (!holder) return holder.error();
  answers.lock_holder = *holder;
  const auto privileges = read_privileges(session);
  if (!privileges) return privileges.error();
  const auto missing = missing_to_manage(facts, *privileges);
  if (!missing.empty()) answers.grant = grant_statement(session, join(missing, ", "), "*.*");
  return answers;
}

}  // namespace

std::map<std::string, Result<NodeAnswers>> ask_nodes(const Env& env, const FailoverOptions& options,
                                                     const Probe& probe, const Deadline& deadline) {
  const auto writers = probe.topology.writers();
  const std::optional<ServerFacts> writer =
      writers.size() == 1 ? probe.topology.nodes[writers[0]].facts : std::nullopt;
  const auto answers = run_each<Result<NodeAnswers>>(
      env.workers, probe.sessions.size(), deadline,
      [env, probe, writer, lock = options.node_lock()](std::size_t i) -> Result<NodeAnswers> {
        if (!probe.sessions[i]) return late();
        return ask_node(env.clock, *probe.sessions[i], *probe.topology.nodes[i].facts, writer,
                        lock);
      });
  std::map<std::string, Result<NodeAnswers>> by_name;
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (probe.topology.nodes[i].facts)
      by_name.emplace(probe.topology.nodes[i].name, answers[i].value_or(late()));
  return by_name;
}

Troubles try_vip_hosts(const Env& env, const FailoverOptions& options, const Deadline& deadline) {
  if (options.vip.address.empty()) return {};
  // Commands end before they are left behind.
  const Deadline earlier = deadline.from_now(0.9 * deadline.remaining_s());
  return try_nodes(env.workers, options.cluster.nodes, deadline,
                   [env, vip = options.vip, earlier](const NodeAddress& node) {
                     const auto host =
                         env.network.open_vip_host(vip, node.host, env.process, earlier);
                     const auto addresses = host->addresses();
                     return addresses ? "" : addresses.error().text;
                   });
}

Troubles find_missing_programs(Process& process, const FailoverOptions& options) {
  const Policy& policy = options.policy;
  std::vector<std::vector<std::string>> commands = {
      policy.fence_command,      policy.rescue_command,      policy.mha.address,
      policy.mha.shutdown,       policy.mha.secondary_check, policy.mha.report,
      policy.mha.planned_address};
  for (const auto* list : {&policy.pre_failover, &policy.post_failover, &policy.start_services})
    commands.insert(commands.end(), list->begin(), list->end());
  Troubles troubles;
  for (const auto& argv : commands)
    if (!argv.empty())
      if (const auto found = process.find(argv[0]); !found) troubles[argv[0]] = found.error().text;
  return troubles;
}

namespace {

bool is_script(Files& files, const std::string& program) {
  const auto content = files.read(program);
  return content && content->starts_with("#!");
}

// True when a command is known to tell the question from the order: the variable's name stands in
// one of its words, in the program, or in the script that an interpreter is given. What would run
// it with another environment, such as sudo, does not count.
bool knows_fence_action(Files& files, const std::vector<std::string>& argv,
                        const std::string& program) {
  constexpr std::string_view kInterpreters[] = {"sh",      "bash",   "dash", "ksh",
                                                "python3", "python", "perl", "ruby"};
  const auto has_it = [&](const std::string& path) {
    const auto content = files.read(path);
    return content && content->find(kFenceAction) != std::string::npos;
  };
  const std::string_view name = std::string_view(program).substr(program.rfind('/') + 1);
  const bool interpreted = std::ranges::find(kInterpreters, name) != std::end(kInterpreters);
  const bool inline_script = interpreted && std::ranges::any_of(argv, [](const std::string& word) {
                               return word.find(kFenceAction) != std::string::npos;
                             });
  return inline_script || has_it(program) || (interpreted && argv.size() > 1 && has_it(argv[1]));
}

}  // namespace

namespace {

Result<ProcessOutcome> ask_mha_script(const Env& env, const FailoverOptions& options,
                                      const std::vector<std::string>& argv, const Deadline& whole) {
  const Deadline deadline = whole.from_now(std::min(options.hook_timeout_s, whole.remaining_s()));
  const auto& password = options.cluster.mysql.password;
  auto outcome = env.process.run({expand_mha_call(env, argv, password, deadline)}, deadline);
  if (outcome) outcome->output = without_password(std::move(outcome->output), password);
  return outcome;
}

// MHA's script has a word of its own for the question.
FenceTrial try_shutdown(const Env& env, const FailoverOptions& options, const Topology& topology,
                        const Plan& plan, const Deadline& deadline) {
  const Node* const primary = find_node(topology, plan.primary);
  if (primary == nullptr || !env.process.find(options.policy.mha.shutdown[0])) return {};
  const auto argv = mha_shutdown_status(options.policy.mha, *primary);
  const auto outcome = ask_mha_script(env, options, argv, deadline);
  if (!outcome) return {FenceTrial::End::kUnusable, outcome.error().text};
  return {outcome->succeeded() ? FenceTrial::End::kUsable : FenceTrial::End::kUnusable,
          describe_end(argv, *outcome)};
}

}  // namespace

std::string try_mha_address(const Env& env, const FailoverOptions& options,
                            const Topology& topology, const Plan& plan, const Deadline& deadline) {
  const Node* const primary = find_node(topology, plan.primary);
  const MhaScripts& mha = options.policy.mha;
  if (primary == nullptr || mha.address.empty() || !env.process.find(mha.address[0])) return "";
  const auto argv = mha_address_status(mha, *primary);
  const auto outcome = ask_mha_script(env, options, argv, deadline);
  if (!outcome) return outcome.error().text;
  return outcome->succeeded() ? "" : describe_end(argv, *outcome);
}

FenceTrial try_fence(const Env& env, const FailoverOptions& options, const Topology& topology,
                     const Plan& plan, const Deadline& deadline) {
  using End = FenceTrial::End;
  const auto& argv = options.policy.fence_command;
  if (options.policy.fence != Fence::kNone && !options.policy.mha.shutdown.empty())
    return try_shutdown(env, options, topology, plan, deadline);
  if (argv.empty() || options.policy.fence == Fence::kNone || plan.primary.empty()) return {};
  const auto program = env.process.find(argv[0]);
  if (!program) return {};  // it is told among the missing programs
  if (!knows_fence_action(env.files, argv, *program))
    return {is_script(env.files, *program) ? End::kUnasked : End::kNotRun,
            fmt::format("{} does not know {}=status (exit 0: usable), see mysql_ha(8)", argv[0],
                        kFenceAction)};
  Command command{argv,
                  {{"HA_COMMAND", std::string(command_name(plan.command))},
                   {"HA_RUN", ""},
                   {kFenceAction, "status"}}};
  for (const auto& [role, name] :
       {std::pair("FAILED", plan.primary), std::pair("SUCCESSOR", plan.candidate)})
    if (const Node* const node = find_node(topology, name)) describe_node(command, role, *node);
  const auto outcome = env.process.run(
      command, deadline.from_now(std::min(options.hook_timeout_s, deadline.remaining_s())));
  if (!outcome) return {End::kUnusable, outcome.error().text};
  const std::string text = describe_end(argv, *outcome);
  const FenceEnd end = read_fence(*outcome);
  return {end == FenceEnd::kFenced     ? End::kUsable
          : end == FenceEnd::kAccepted ? End::kAccepts
                                       : End::kUnusable,
          text};
}

Troubles find_unwritable_files(Files& files, const Policy& policy) {
  Troubles troubles;
  for (const std::string& path : {policy.hosts_file, policy.flag_file}) {
    if (path.empty()) continue;
    if (const auto can = files.check_replaceable(path); !can)
      troubles[path] = fmt::format("cannot write {}: {}", sanitize(path), can.error().text);
  }
  return troubles;
}

namespace {

// Returns why a run could not write its journal; empty when it could.
std::string try_to_write(Files& files, const std::string& directory) {
  const std::string file = directory + "/writable";
  const auto written = files.write_atomic(file, "\n");
  static_cast<void>(files.remove(file));
  return written ? "" : written.error().text;
}

Result<Done> read_runs(Files& files, const FailoverOptions& options, const Moment& now,
                       StateDirectory& state) {
  const auto store = RunStore::open(files, options.state_dir, options.cluster_name);
  if (!store) return store.error();
  state.lock_holder = store->lock_holder();
  const auto runs = store->recent_runs(options.cluster.nodes);
  if (!runs) return runs.error();
  auto history = history_of(*runs, now);
  if (!history) return history.error();
  state.runs = std::move(*history);
  auto interrupted = find_interrupted(*runs, now);
  if (!interrupted) return interrupted.error();
  // One that is at work has not ended either.
  if (state.lock_holder.empty()) state.interrupted = std::move(*interrupted);
  if (const std::string trouble = try_to_write(files, store->path()); !trouble.empty())
    return Error{Errc::kInternal, trouble};
  return Done{};
}

}  // namespace

void StateDirectory::add_to(Context& context) const {
  context.lock_holder = lock_holder;
  context.runs = runs;
}

StateDirectory probe_state_directory(Files& files, const FailoverOptions& options,
                                     const Moment& now) {
  StateDirectory state;
  for (const std::string& path : {options.state_dir, options.cluster_directory()}) {
    const auto ours = files.check_private_directory(path);
    if (ours) continue;
    const auto can = files.check_replaceable(path);
    if (ours.error().code != Errc::kMissing)
      state.trouble = ours.error().text;
    else if (!can)
      state.trouble = missing_directory(path, can.error().text, files.user()).text;
    else if (path == options.state_dir)
      state.absence = fmt::format(
          "{0} does not exist, so nothing is remembered of the cluster; run as root: install -d -o "
          "{1} -m 700 {0}",
          path, files.user());
    return state;  // there was no run yet
  }
  if (const auto read = read_runs(files, options, now, state); !read)
    state.trouble = read.error().text;
  return state;
}

}  // namespace ha
