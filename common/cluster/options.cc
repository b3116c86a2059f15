// SPDX-License-Identifier: MIT
#include "common/cluster/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "common/mysql/defaults_file.h"
#include "common/text.h"
#include "common/version.h"

namespace ha {

namespace {

// How much may be lost.
void add_loss_options(Cli& cli, Policy& policy) {
  cli.option(
      "--max-lost-transactions", "N",
      [&policy](const std::string& value) -> Result<Done> {
        const auto number = parse_integer(value);
        if (!number || *number < 0)
          return Error{Errc::kUsage, fmt::format("'{}' is not a number of transactions", value)};
        policy.max_lost_transactions = static_cast<std::uint64_t>(*number);
        return Done{};
      },
      "refuse when more transactions are known to be lost");
  cli.option(
      "--max-lag", "SECONDS",
      [&policy](const std::string& value) -> Result<Done> {
        const auto seconds = parse_seconds(value);
        if (!seconds) return seconds.error();
        policy.max_lag_s = *seconds;
        return Done{};
      },
      "refuse when the candidate is further behind the primary than this");
  cli.flag(
      "--allow-loss", policy.allow_loss,
      "promote even if transactions are lost, or may be, that other nodes have or had received");
}

void add_policy_options(Cli& cli, Policy& policy) {
  cli.choice<Fence>(
      "--fence",
      {{"required", Fence::kRequired},
       {"revoke", Fence::kRevoke},
       {"best-effort", Fence::kBestEffort},
       {"none", Fence::kNone}},
      policy.fence,
      "keep the old primary from taking writes before another node is opened: required (default), "
      "revoke (lossless semi-sync alone), best-effort or none");
  cli.command("--fence-command", policy.fence_command,
              "command that fences; exit 0: fenced, 10: the operator accepts the risk; any other "
              "exit code refuses the failover");
  cli.command("--rescue-command", policy.rescue_command,
              "command that prints, as mysqlbinlog does, what the dead primary wrote from "
              "$HA_BINLOG_POSITION of $HA_BINLOG_FILE on");
  add_loss_options(cli, policy);
  cli.seconds("--hung-after", policy.hung_after_s,
              "a primary that answers no query for that long, while no replica receives an event, "
              "counts as dead once it is fenced (default: 30)");
  cli.seconds("--min-interval", policy.min_interval_s,
              "refuse when the last failover is younger and not acknowledged (default: 3600)");
  cli.text("--repl-username", "USER", policy.repl_user,
           "replication account, for a former primary that becomes a replica");
}

void add_command_options(Cli& cli, Policy& policy) {
  cli.commands("--pre-failover", policy.pre_failover,
               "command to run before the fence; a failure ends the failover; repeatable, like the "
               "next options");
  cli.commands("--post-failover", policy.post_failover, "command to run at the end");
  cli.commands("--pre-switchover", policy.pre_switchover, "the same for a switchover");
  cli.commands("--post-switchover", policy.post_switchover, "likewise");
  cli.commands("--start-services", policy.start_services,
               "command to run when the new primary is open, e.g. systemctl start zabbix-server");
  cli.text("--pandora-hosts-file", "PATH", policy.hosts_file,
           "write the new primary's address here (pandora_ha_hosts.conf)");
  cli.text("--flag-file", "PATH", policy.flag_file,
           "write this file after a failover, as MHA does");
}

// Reads the replication account from its option file.
Result<Done> read_repl_account(FailoverOptions& options) {
  if (options.repl_defaults_file.empty()) return Done{};
  const auto file = read_defaults_file(options.repl_defaults_file, options.repl_group);
  if (!file) return Error{file.error().code, "--repl-defaults-file: " + file.error().text};
  if (options.policy.repl_user.empty()) options.policy.repl_user = file->options.user;
  if (!options.repl_password) options.repl_password = file->options.password;
  if (options.policy.repl_user.empty())
    return Error{Errc::kUsage, fmt::format("--repl-defaults-file: {} names no user in [{}]",
                                           options.repl_defaults_file, options.repl_group)};
  return Done{};
}

Result<Done> mark_promotions(FailoverOptions& options) {
  const auto mark = [&](const char* option, const std::vector<std::string>& names,
                        Promotion promotion) -> Result<Done> {
    for (const std::string& name : names) {
      const auto node = std::ranges::find(options.cluster.nodes, name, &NodeAddress::name);
      if (node == options.cluster.nodes.end())
        return Error{Errc::kUsage, fmt::format("{}: no node is called '{}'", option, name)};
      node->promotion = promotion;
    }
    return Done{};
  };
  if (const auto marked = mark("--prefer", options.preferred, Promotion::kPreferred); !marked)
    return marked;
  if (const auto marked = mark("--never", options.never, Promotion::kNever); !marked) return marked;
  for (const NodeAddress& node : options.cluster.nodes)
    options.policy.promotion[node.name] = node.promotion;
  return Done{};
}

// The nodes that the operator vouches for.
Result<Done> check_words(FailoverOptions& options) {
  const auto known_node = [&](const char* option, const std::string& name) -> Result<Done> {
    if (std::ranges::find(options.cluster.nodes, name, &NodeAddress::name) !=
        options.cluster.nodes.end())
      return Done{};
    return Error{Errc::kUsage, fmt::format("{}: no node is called '{}'", option, sanitize(name))};
  };
  if (const std::string& primary = options.policy.primary; !primary.empty())
    if (const auto known = known_node("--primary", primary); !known) return known;
  for (const std::string& name : options.assumed_replicas) {
    if (const auto known = known_node("--assume-replica", name); !known) return known;
    if (name == options.policy.primary)
      return Error{Errc::kUsage,
                   fmt::format("--assume-replica: '{}' is the primary (--primary)", name)};
    options.policy.assume_replica.insert(name);
  }
  return Done{};
}

// The replication account.
void add_account_options(Cli& cli, FailoverOptions& options) {
  cli.option(
      "--repl-password", "PASSWORD",
      [&options](const std::string& value) -> Result<Done> {
        options.repl_password = value;
        return Done{};
      },
      "its password, wiped from the process list; a file is better");
  cli.text("--repl-defaults-file", "PATH", options.repl_defaults_file,
           "MySQL option file with user and password of the replication account");
  cli.text("--repl-group", "NAME", options.repl_group, "its group (default: client)");
}

// What an operator says of nodes, and what else is asked.
void add_role_options(Cli& cli, FailoverOptions& options) {
  cli.list("--prefer", "NODE", options.preferred,
           "prefer this node among those that have received as much; repeatable");
  cli.list("--never", "NODE", options.never, "never promote this node; repeatable");
  cli.text("--primary", "NODE", options.policy.primary,
           "failover: the node that was the primary, where no replica shows it; it still has to be "
           "dead");
  cli.list("--assume-replica", "NODE", options.assumed_replicas,
           "declare that this node, which cannot be read, takes no writes; repeatable");
  add_place_option(
      cli, "--witness", options.witnesses,
      "refuse when none of these hosts can be reached by TCP (default port: 22); repeatable");
  add_lease_options(cli, options.lease);
  add_vote_option(cli, options.votes);
}

void add_time_options(Cli& cli, FailoverOptions& options) {
  cli.count("--retries", options.given_retries, 1, 1000,
            "tries in all before the primary counts as dead (default: 3)");
  cli.option(
      "--retry-interval", "SECONDS",
      [&options](const std::string& value) -> Result<Done> {
        const auto seconds = parse_seconds(value);
        if (!seconds) return seconds.error();
        options.given_retry_interval_s = *seconds;
        return Done{};
      },
      "wait between two tries (default: 1; guard: 0.05)");
  cli.seconds("--probe-timeout", options.probe_timeout_s,
              "time for the nodes to answer a probe (default: 3)");
  cli.seconds(
      "--deadline", options.deadline_s,
      "time for the whole failover; what is not opened by then is rolled back (default: 120)");
}

// Where runs are kept.
void add_store_options(Cli& cli, FailoverOptions& options) {
  cli.text("--cluster-name", "NAME", options.cluster_name,
           "name of the cluster's journal and lock (default: mysql)");
  cli.text(
      "--state-dir", "DIR", options.state_dir,
      fmt::format("directory of the journal and of what was last seen of the nodes (default: {})",
                  kStatedir)
          .c_str());
  cli.count(
      "--keep-runs", options.keep_runs, 1, 1000000,
      "number of runs whose journals are kept, besides those that are still needed (default: 100)");
}

// MHA's scripts do what no option of ours does already.
void take_mha_scripts(FailoverOptions& options) {
  MhaScripts mha = options.cluster.mha;
  const auto replace = [&](std::vector<std::string>& script, const char* name, const char* option) {
    if (script.empty()) return;
    options.cluster.notes.push_back(
        fmt::format("{}: {} is not called, there is {}", mha.conf, name, option));
    script.clear();
  };
  if (!options.vip.address.empty()) {
    replace(mha.address, "master_ip_failover_script", "--vip");
    replace(mha.planned_address, "master_ip_online_change_script", "--vip");
  }
  if (!options.policy.fence_command.empty())
    replace(mha.shutdown, "shutdown_script", "--fence-command");
  if (!mha.conf.empty() && options.policy.rescue_command.empty())
    options.policy.unheeded.push_back(
        fmt::format("{}: MHA fetches by ssh what only the dead primary's disk has, this does not "
                    "without --rescue-command",
                    mha.conf));
  mha.user = options.cluster.mysql.user;
  options.policy.mha = std::move(mha);
}

// What the files of other tools say, where no option of ours says it.
void take_foreign_settings(FailoverOptions& options) {
  ClusterOptions& cluster = options.cluster;
  options.retries =
      options.given_retries != 0 ? options.given_retries : cluster.tries.value_or(options.retries);
  options.retry_interval_s = options.given_retry_interval_s.value_or(
      cluster.retry_interval_s.value_or(options.retry_interval_s));
  if (options.policy.hosts_file.empty()) options.policy.hosts_file = cluster.hosts_file;
  options.policy.console_database = cluster.console_database;
  options.policy.unheeded = cluster.unheeded;
  options.policy.ignore_fail.insert(cluster.ignore_fail.begin(), cluster.ignore_fail.end());
  if (!options.vip.address.empty() && options.vip.remote_command.empty() &&
      !cluster.ssh_user.empty())
    options.vip.remote_command = {
        "ssh",
        "-oBatchMode=yes",
        "-oConnectTimeout=5",
        "-oServerAliveInterval=2",
        fmt::format("-p{}", cluster.ssh_port == 0 ? 22 : cluster.ssh_port),
        cluster.ssh_user + "@{host}"};
  take_mha_scripts(options);
}

}  // namespace

void add_failover_options(Cli& cli, FailoverOptions& options) {
  const std::size_t first = cli.count_options();
  options.state_dir = kStatedir;
  add_node_options(cli, options.cluster);
  add_policy_options(cli, options.policy);
  add_account_options(cli, options);
  add_role_options(cli, options);
  add_time_options(cli, options);
  add_vip_options(cli, options.vip);
  cli.command("--binlog-command", options.binlog_command,
              "how to run mysqlbinlog for a rejoin (default: mysqlbinlog or mariadb-binlog)");
  add_command_options(cli, options.policy);
  cli.seconds("--hook-timeout", options.hook_timeout_s, "time for one command (default: 30)");
  add_store_options(cli, options);
  cli.repeat_options(first);
}

Result<Done> complete_failover_options(const Cli& cli, FailoverOptions& options) {
  if (const auto complete = complete_nodes(cli, options.cluster); !complete) return complete;
  if (options.policy.repl_user.empty() && options.repl_defaults_file.empty()) {
    options.policy.repl_user = options.cluster.repl_user;
    if (!options.repl_password) options.repl_password = options.cluster.repl_password;
  }
  if (const auto read = read_repl_account(options); !read) return read;
  if (const auto marked = mark_promotions(options); !marked) return marked;
  if (const auto sound = check_words(options); !sound) return sound;
  if (const auto complete = complete_votes(options.cluster, options.votes); !complete)
    return complete;
  if (const auto sound = check_lease_options(options.lease); !sound) return sound;
  // The name of a lock has at most 64 characters.
  constexpr std::size_t kLongestName = 32;
  if (!is_file_name(options.cluster_name) || options.cluster_name.size() > kLongestName)
    return Error{Errc::kUsage,
                 fmt::format("--cluster-name: needs letters, digits, '.', '_' or '-', at most {}",
                             kLongestName)};
  if (const auto complete = complete_vip(options.vip); !complete) return complete;
  options.policy.vip = options.vip.address;
  options.policy.lease_s = options.lease.lease_s;
  take_foreign_settings(options);
  return Done{};
}

}  // namespace ha
