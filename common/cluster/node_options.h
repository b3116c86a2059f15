// SPDX-License-Identifier: MIT
// The nodes of a cluster as an operator names them, one by one or in the files that other tools
// have already.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/address.h"
#include "common/cli.h"
#include "common/failover/mha_scripts.h"
#include "common/mysql/node_address.h"
#include "common/mysql/options.h"
#include "common/result.h"

namespace ha {

struct ClusterOptions {
  std::vector<NodeAddress> nodes = {};
  MysqlOptions mysql = {};              // for every node
  std::vector<std::string> notes = {};  // for -v
  // What other tools' files ask for, is not done and would change an outcome: always told.
  std::vector<std::string> unheeded = {};
  // What other tools' files say beside this.
  std::string repl_user = {};
  std::optional<std::string> repl_password = {};
  std::string hosts_file = {};                  // Pandora: pandora_ha_hosts.conf; empty: none
  std::string console_database = {};            // Pandora: of its console; empty: none
  std::string ssh_user = {};                    // empty: not given
  unsigned ssh_port = 0;                        // 0: not given
  std::optional<unsigned> tries = {};           // before the primary counts as dead
  std::optional<double> retry_interval_s = {};  // between two of these
  std::optional<double> interval_s = {};        // between two questions of a guard
  std::vector<std::string> ignore_fail = {};    // nodes whose loss is no objection
  bool autofix = false;                         // Pandora: a split is to be repaired
  MhaScripts mha = {};
  std::string mha_defaults = {};  // MHA's file for all applications; empty: its usual one, if any
};

// Adds --node, --cluster, --pandora-conf, --mha-conf, --mha-global-conf and the connection options.
// The target must outlive parse().
void add_node_options(Cli& cli, ClusterOptions& cluster);

// Completes what parse() left: the port of nodes and aliases that have none, remarks. Fails with
// kUsage when there is no node, two of one name, one address that leads to two, or a loopback
// address among those of other machines: replicas would take it for themselves.
Result<Done> complete_nodes(const Cli& cli, ClusterOptions& cluster);

// Adds a repeatable option that takes an address. The target must outlive parse().
void add_place_option(Cli& cli, const char* name, std::vector<HostPort>& places, const char* help);

// Adds --vote. The target must outlive parse().
void add_vote_option(Cli& cli, std::vector<HostPort>& votes);

// Gives the servers of --vote their ports. Fails with kUsage when one of them is a node, or named
// twice: no server has two votes.
Result<Done> complete_votes(const ClusterOptions& cluster, std::vector<HostPort>& votes);

// Parses [NAME=]HOST[:PORT][,alias=HOST[:PORT]]...; without a name the first address is the name.
// Fails with what is accepted.
Result<NodeAddress> parse_node(std::string_view text);

}  // namespace ha
