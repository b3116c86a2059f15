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
#include "common/mysql/node_address.h"
#include "common/mysql/options.h"
#include "common/result.h"

namespace ha {

struct ClusterOptions {
  std::vector<NodeAddress> nodes = {};
  MysqlOptions mysql = {};              // for every node
  std::vector<std::string> notes = {};  // for -v
  // What other tools' files say beside this.
  std::string repl_user = {};
  std::optional<std::string> repl_password = {};
  std::string incoming_directory = {};  // Pandora: where conf/pandora_ha_hosts.conf belongs
};

// Adds --node, --cluster, --pandora-conf, --mha-conf and the connection options. The target must
// outlive parse().
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
