// SPDX-License-Identifier: MIT
#include "plugins/check_mysql_split_brain.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/address.h"
#include "common/cli.h"
#include "common/clock.h"
#include "common/cluster/options.h"
#include "common/context/guard_files.h"
#include "common/context/vote_view.h"
#include "common/mysql/classify.h"
#include "common/mysql/cli_options.h"
#include "common/mysql/connector.h"
#include "common/mysql/probe.h"
#include "common/mysql/replica_status.h"
#include "common/parallel.h"
#include "common/posix_files.h"
#include "common/text.h"
#include "common/thresholds.h"
#include "common/version.h"

namespace ha {

Topology gather(const ProbeEnv& env, ClusterOptions& cluster, const MemoryFile& file,
                const WriteProbe& write, const Deadline& deadline) {
  Recollection known = file.read(cluster.nodes);
  Topology topology = probe_topology(env, cluster.nodes, cluster.mysql, deadline,
                                     {.memory = known.memory, .write = write});
  file.update(known, topology, env.clock.now_s());
  if (!known.trouble.empty()) cluster.notes.push_back(known.trouble);
  return topology;
}

namespace {

State state_of(Verdict verdict, const SplitBrainLimits& limits) {
  return verdict == Verdict::kUnreachable ? limits.unreachable : usual_state(verdict);
}

// Says in a few words what a node is.
std::string describe_role(const Topology& topology, const Node& node) {
  if (!node.facts) return "no facts";
  const WriteObstacles& obstacles = node.facts->obstacles;
  std::string text = !node.facts->read_only ? "read_only unknown"
                     : node.takes_writes()  ? "writable"
                     : node.writable()      ? "takes no writes (" + obstacles.text() + ")"
                     : node.facts->super_read_only == true ? "super_read_only"
                                                           : "read-only";
  for (std::size_t c = 0; c < node.sources.size(); ++c) {
    const ChannelStatus& channel = node.channels()[c];
    text +=
        ", follows " + (node.sources[c] ? topology.nodes[*node.sources[c]].name : channel.source());
    if (!channel.io.works() || !channel.sql.works())
      text += fmt::format(" ({})", !channel.io.works() ? describe_stop("IO", channel.io)
                                                       : describe_stop("SQL", channel.sql));
  }
  if (!node.facts->channels)
    text += ", replication unknown";
  else if (node.sources.empty() && !node.takes_writes())
    text += obstacles.group == GroupState::kMember ? ", a member of its group"
            : obstacles.shared_storage             ? ", reads its writer's storage"
                                                   : ", follows no server";
  return text;
}

std::vector<std::pair<std::string, FactValue>> node_facts(const Topology& topology,
                                                          const Node& node) {
  std::vector<std::pair<std::string, FactValue>> list = {{"reachable", node.alive()}};
  if (!node.error.empty()) list.emplace_back("error", node.error);
  if (!node.facts) return list;
  const ServerFacts& facts = *node.facts;
  const auto flag = [&](const char* name, const std::optional<bool>& value) {
    list.emplace_back(name, value ? FactValue(*value) : FactValue());
  };
  list.emplace_back("version", facts.version.text);
  list.emplace_back("server_id", std::int64_t{facts.server_id});
  if (!facts.server_uuid.empty()) list.emplace_back("server_uuid", facts.server_uuid);
  flag("read_only", facts.read_only);
  flag("super_read_only", facts.super_read_only);
  if (facts.read_only) flag("takes_writes", node.takes_writes());
  if (facts.obstacles.any()) list.emplace_back("write_obstacles", facts.obstacles.text());
  flag("log_bin", facts.log_bin);
  flag("log_replica_updates", facts.log_replica_updates);
  if (facts.binlog)
    list.emplace_back("binlog", fmt::format("{}:{}", facts.binlog->file, facts.binlog->offset));
  if (const auto* mysql = std::get_if<MysqlHistory>(&facts.history)) {
    list.emplace_back("gtid_executed", mysql->executed.print());
    list.emplace_back("gtid_purged", mysql->purged.print());
    list.emplace_back("gtid_retrieved", mysql->retrieved.print());
  } else if (const auto* mariadb = std::get_if<MariadbHistory>(&facts.history)) {
    list.emplace_back("gtid_binlog_state", mariadb->binlog_state.print());
    list.emplace_back("gtid_binlog_pos", mariadb->binlog_position.print());
    list.emplace_back("gtid_slave_pos", mariadb->applied_position.print());
    list.emplace_back("gtid_current_pos", mariadb->current_position.print());
    list.emplace_back("gtid_io_pos", mariadb->received_position.print());
  }
  std::vector<std::string> sources;
  for (std::size_t c = 0; c < node.sources.size(); ++c)
    sources.push_back(node.sources[c] ? topology.nodes[*node.sources[c]].name
                                      : node.channels()[c].source());
  list.emplace_back("follows", join(sources, ","));
  return list;
}

Item judge_node(const Topology& topology, std::size_t place, const std::vector<Finding>& findings,
                const SplitBrainLimits& limits) {
  const Node& node = topology.nodes[place];
  Item item{node.name};
  item.text = fmt::format("{}: {}", node.name, describe_role(topology, node));
  std::vector<std::string> troubles;
  for (const Finding& finding : findings) {
    if (std::ranges::find(finding.nodes, place) == finding.nodes.end()) continue;
    item.state = worst(item.state, state_of(finding.verdict, limits));
    item.text += "; " + finding.text;
    troubles.emplace_back(verdict_name(finding.verdict));
  }
  item.identity = {{"host", node.host}, {"port", std::to_string(node.port)}};
  item.facts = node_facts(topology, node);
  item.facts.emplace_back("findings", join(troubles, ","));
  return item;
}

std::vector<Metric> count_nodes(const Topology& topology, const Assessment& assessment,
                                const SplitBrainLimits& limits) {
  const auto count = [](auto number) { return static_cast<double>(number); };
  const auto alive = std::ranges::count_if(topology.nodes, &Node::alive);
  return {{"nodes", count(topology.nodes.size()), "", {}, 0},
          {"reachable", count(alive), "", {}, 0},
          {"writable", count(topology.active_writers().size()), "", {}, 0},
          {"errant_transactions", count(assessment.errant_transactions), "", limits.errant, 0},
          {"diverged", count(assessment.diverged), "", {}, 0}};
}

std::string healthy_text(const Topology& topology) {
  std::vector<std::string> writers;
  for (const std::size_t i : topology.active_writers()) writers.push_back(topology.nodes[i].name);
  const std::size_t others = topology.nodes.size() - writers.size();
  return fmt::format("{} {} the only writer{}, {} other node{} without a history of {} own",
                     join(writers, ", "), writers.size() == 1 ? "is" : "are",
                     writers.size() == 1 ? "" : "s", others, others == 1 ? "" : "s",
                     others == 1 ? "its" : "their");
}

}  // namespace

CheckResult evaluate(const Topology& topology, const SplitBrainLimits& limits) {
  const Assessment assessment = classify(topology, limits.allowed_writers);
  CheckResult result{State::kOk, "", count_nodes(topology, assessment, limits), "node"};
  std::vector<Item> findings;
  for (const Finding& finding : assessment.findings) {
    findings.push_back({"", state_of(finding.verdict, limits), finding.text});
    result.state = worst(result.state, findings.back().state);
    result.notes.push_back(
        fmt::format("{}: {}", verdict_name(finding.verdict), verdict_meaning(finding.verdict)));
  }
  result.state = worst(result.state,
                       judge(limits.errant, static_cast<double>(assessment.errant_transactions)));
  result.text = summarize(findings, healthy_text(topology));
  // What is no trouble but bears on the answer is said in any case.
  for (const Item& finding : findings)
    if (finding.state == State::kOk) result.text += "; " + finding.text;
  for (std::size_t i = 0; i < topology.nodes.size(); ++i) {
    result.items.push_back(judge_node(topology, i, assessment.findings, limits));
    if (const Node& node = topology.nodes[i]; node.facts)
      for (const std::string& note : node.facts->notes)
        result.notes.push_back(node.name + ": " + note);
  }
  return result;
}

namespace {

// Where what is seen is remembered.
void add_memory_options(Cli& cli, FailoverOptions& options) {
  options.state_dir = kStatedir;
  cli.text("--cluster-name", "NAME", options.cluster_name,
           "name of the cluster in --state-dir (default: mysql)");
  cli.text(
      "--state-dir", "DIR", options.state_dir,
      fmt::format("directory in which what is seen is remembered for a failover, if it is there "
                  "(default: {})",
                  kStatedir)
          .c_str());
}

// Completes what a failover has beside the nodes.
Result<Done> complete_rest(const ClusterOptions& cluster, FailoverOptions& rest) {
  rest.cluster = cluster;
  if (!is_file_name(rest.cluster_name))
    return Error{Errc::kUsage, "--cluster-name: needs letters, digits, '.', '_' or '-'"};
  if (const auto complete = complete_votes(cluster, rest.votes); !complete) return complete;
  return check_lease_options(rest.lease);
}

// Begins a look at the votes where some are needed; an error where there is nothing to see.
Result<Pending<VoteView>> begin_look_at_votes(const ProbeEnv& env, const FailoverOptions& options,
                                              const Deadline& deadline) {
  if (!options.needs_votes()) return Error{Errc::kMissing, "no votes are needed"};
  return Pending<VoteView>::begin(
      env.workers, [env, options, limit = deadline.from_now(0.9 * deadline.remaining_s())] {
        return look_at_votes(env, options, limit);
      });
}

// Says who has the votes and the lease, where votes are needed; a look without a result has not
// ended in time.
void add_votes(CheckResult& result, const std::optional<VoteView>& view,
               const FailoverOptions& options) {
  if (!options.needs_votes()) return;
  if (!view) {
    result.notes.push_back("it is not known who has the votes: the voters could not be asked");
    return;
  }
  result.notes.push_back(describe_votes(*view));
  if (const std::string lease = describe_lease(summarize_lease(*view, options)); !lease.empty())
    result.notes.push_back(lease);
}

}  // namespace

int plugin_main(Clock& clock, const Arguments& arguments) {
  ClusterOptions cluster;
  SplitBrainLimits limits;
  Cli cli(clock, "check_mysql_split_brain",
          "Checks over all nodes that one accepts writes and no history has diverged.");
  add_node_options(cli, cluster);
  cli.thresholds(limits.errant, "the number of errant transactions is");
  cli.count("--allow-writers", limits.allowed_writers, 1, 1000,
            "so many nodes may accept writes (default: 1)");
  cli.state("--unreachable", limits.unreachable,
            "state when a node gives no answer (default: warning)");
  WriteProbe write;
  add_write_probe_option(cli, write);
  FailoverOptions rest;  // what a failover has beside the nodes
  add_vote_option(cli, rest.votes);
  add_lease_time_options(cli, rest.lease);
  add_memory_options(cli, rest);
  if (const auto exit_code = cli.parse(arguments)) return *exit_code;
  if (const auto complete = complete_nodes(cli, cluster); !complete)
    return cli.usage_error(complete.error().text);
  if (const auto complete = complete_rest(cluster, rest); !complete)
    return cli.usage_error(complete.error().text);

  cli.waiting_for(fmt::format("the answers of {} nodes", cluster.nodes.size()));
  write.most_servers = limits.allowed_writers;
  PosixFiles files;
  const ProbeEnv env = system_probe_env(clock);
  const auto voters = begin_look_at_votes(env, rest, cli.deadline());
  CheckResult result =
      evaluate(gather(env, cluster, MemoryFile(files, rest.state_dir, rest.cluster_name), write,
                      cli.deadline()),
               limits);
  result.notes.insert(result.notes.end(), cluster.notes.begin(), cluster.notes.end());
  const auto troubles = look_for_guard_troubles(files, rest.cluster_directory(), clock.moment(),
                                                rest.lease.lease_s > 0);
  if (troubles) result.notes.insert(result.notes.end(), troubles->begin(), troubles->end());
  const bool asked = voters && voters->wait(cli.deadline());
  add_votes(result, asked ? voters->result() : std::nullopt, rest);
  return cli.report(result);
}

}  // namespace ha
