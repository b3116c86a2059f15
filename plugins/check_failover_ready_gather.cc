// SPDX-License-Identifier: MIT
// What check_failover_ready reads before it judges.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "common/address.h"
#include "common/context/votes.h"
#include "common/context/witness.h"
#include "common/failover/plan.h"
#include "common/mysql/probe.h"
#include "common/text.h"
#include "plugins/check_failover_ready.h"

namespace ha {

Context context_of(const ReadyFacts& facts) {
  Context now{true, facts.witnesses};
  facts.state.add_to(now);
  now.memory = facts.known.memory;
  now.memory_trouble = facts.known.trouble;
  now.now_s = facts.now_s;
  facts.lease.add_to(now);
  for (const auto& [node, answers] : facts.answers)
    if (answers && !answers->lock_holder.empty())
      now.lock_holder = fmt::format("connection {} on {}", sanitize(answers->lock_holder), node);
  return now;
}

namespace {

// What is left is for the questions after the first ones, and for printing.
constexpr double kMostOfBudget = 0.8;

// Adds what a node had received later, as long as it follows the same sources. Its history stays,
// for the writer's is no younger.
void add_received(Node& node, const ServerFacts& later) {
  if (!later.channels || later.channels->size() != node.sources.size()) return;
  node.facts->channels = later.channels;
  node.facts->history_later = later.history;
}

// Returns why the replication account cannot be tried, "" when it can.
std::string account_trouble(const FailoverOptions& options) {
  if (options.policy.repl_user.empty())
    return "there is no replication account for a former primary that returns (--repl-username, "
           "--repl-defaults-file)";
  if (!options.repl_password)
    return "the password of the replication account is not known (--repl-defaults-file)";
  return "";
}

// Reads the nodes and what they answer to a failover's questions; then asks `write` of the writer.
void read_nodes(const Env& env, const FailoverOptions& options, const WriteProbe& write,
                const Deadline& answers, const Deadline& deadline, ReadyFacts& facts) {
  Probe probe = probe_nodes(env, options.cluster.nodes, options.cluster.mysql, answers,
                            {facts.known.memory, Unreadable::kOnce, Origins::kAll});
  facts.answers =
      ask_nodes(env, options, probe,
                deadline.from_now(std::min(1.0, kMostOfBudget * deadline.remaining_s())));
  // Last, because a session that writes may hang.
  probe_writes(env.workers, probe, write,
               deadline.from_now(kMostOfBudget * deadline.remaining_s()));
  facts.topology = std::move(probe.topology);
  for (Node& node : facts.topology.nodes)
    if (const auto found = facts.answers.find(node.name);
        found != facts.answers.end() && found->second && found->second->later)
      add_received(node, *found->second->later);
}

// Reads what is on this machine, and tries the fence on the node that would be fenced: it is known
// only once the nodes are read.
void read_surroundings(const Env& env, const FailoverOptions& options, const MemoryFile& memory,
                       const Deadline& deadline, ReadyFacts& facts) {
  const Moment now = env.clock.moment();
  facts.now_s = now.now_s;
  facts.state = probe_state_directory(env.files, options, now);
  if (facts.state.trouble.empty() && facts.state.absence.empty())
    facts.guard = read_guard(env.files, options.cluster_directory(), now);
  memory.update(facts.known, facts.topology, facts.now_s);
  facts.programs = find_missing_programs(env.process, options);
  facts.files = find_unwritable_files(env.files, options.policy);
  facts.watchdog = options.lease.watchdog;
  if (const auto writers = facts.topology.writers(); writers.size() == 1)
    facts.lease = tell_lease(facts.voters, options, facts.topology.nodes[writers[0]].name);
  const Plan plan = plan_failover(facts.topology, options.policy, context_of(facts), "");
  facts.fence = try_fence(env, options, facts.topology, plan,
                          deadline.from_now(kMostOfBudget * deadline.remaining_s()));
  const Deadline rest = deadline.from_now(kMostOfBudget * deadline.remaining_s());
  if (std::string trouble = try_mha_address(env, options, facts.topology, plan, rest);
      !trouble.empty())
    facts.programs.emplace(options.policy.mha.address[0], std::move(trouble));
}

}  // namespace

ReadyFacts gather(const Env& env, const FailoverOptions& options, const WriteProbe& write,
                  const Deadline& deadline) {
  const Deadline answers =
      deadline.from_now(std::min(options.probe_timeout_s, kMostOfBudget * deadline.remaining_s()));
  ReadyFacts facts;
  facts.account_trouble = account_trouble(options);
  facts.votes = options.votes.size();
  std::vector<bool> reached;
  std::vector<std::jthread> asking;
  asking.emplace_back([&] { reached = reach_witnesses(env, options.witnesses, answers); });
  asking.emplace_back([&] { facts.silent_voters = find_silent_voters(env, options, answers); });
  asking.emplace_back([&] { facts.voters = look_at_votes(env, options, answers); });
  asking.emplace_back([&] { facts.vip_hosts = try_vip_hosts(env, options, answers); });
  if (facts.account_trouble.empty())
    asking.emplace_back([&] { facts.accounts = try_replication_account(env, options, answers); });
  const MemoryFile memory(env.files, options.state_dir, options.cluster_name);
  facts.known = memory.read(options.cluster.nodes);
  read_nodes(env, options, write, answers, deadline, facts);
  for (std::jthread& one : asking) one.join();

  facts.guards = summarize_lease(facts.voters, options);
  facts.witnesses = judge_witnesses(reached);
  for (std::size_t i = 0; i < reached.size(); ++i)
    if (!reached[i]) facts.silent_witnesses.push_back(format_host_port(options.witnesses[i]));
  read_surroundings(env, options, memory, deadline, facts);
  return facts;
}

}  // namespace ha
