// SPDX-License-Identifier: MIT
#include "common/cluster/node_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "common/address.h"
#include "common/cluster/config_import.h"
#include "common/files.h"
#include "common/mysql/cli_options.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr char kMhaDefaults[] = "/etc/masterha_default.cnf";

// Takes over what a foreign file says; what the command line says of the account wins.
void take_over(const std::string& path, ImportedCluster imported, ClusterOptions& cluster) {
  for (NodeAddress& node : imported.nodes) cluster.nodes.push_back(std::move(node));
  if (cluster.mysql.user.empty() && cluster.mysql.defaults_file.empty()) {
    cluster.mysql.user = imported.user;
    if (!cluster.mysql.password) cluster.mysql.password = imported.password;
  }
  cluster.repl_user = imported.repl_user;
  cluster.repl_password = imported.repl_password;
  cluster.hosts_file = imported.hosts_file;
  cluster.console_database = imported.console_database;
  cluster.ssh_user = imported.ssh_user;
  cluster.ssh_port = imported.ssh_port;
  cluster.tries = imported.tries;
  cluster.retry_interval_s = imported.retry_interval_s;
  cluster.interval_s = imported.interval_s;
  cluster.autofix = imported.autofix;
  cluster.ignore_fail = std::move(imported.ignore_fail);
  cluster.mha = std::move(imported.mha);
  if (!imported.unknown_keys.empty())
    cluster.notes.push_back(
        fmt::format("{}: keys of no use here: {}", path, join(imported.unknown_keys, ", ")));
  std::ranges::move(imported.notes, std::back_inserter(cluster.notes));
  std::ranges::move(imported.warnings, std::back_inserter(cluster.unheeded));
}

Result<std::string> read_foreign(const std::string& path) {
  auto content = read_file(path);
  if (!content) return Error{Errc::kUsage, content.error().text};
  return content;
}

Result<Done> import_pandora(const std::string& path, ClusterOptions& cluster) {
  const auto content = read_foreign(path);
  if (!content) return content.error();
  auto imported = import_pandora_conf(*content, path);
  if (!imported) return imported.error();
  take_over(path, std::move(*imported), cluster);
  return Done{};
}

// MHA has no need of the file for all applications.
Result<std::string> read_mha_defaults(const ClusterOptions& cluster) {
  if (!cluster.mha_defaults.empty()) return read_foreign(cluster.mha_defaults);
  auto content = read_file(kMhaDefaults);
  if (!content && content.error().code == Errc::kMissing) return std::string();
  if (!content) return Error{Errc::kUsage, content.error().text};
  return content;
}

Result<Done> import_mha(const std::string& path, ClusterOptions& cluster) {
  const auto defaults = read_mha_defaults(cluster);
  if (!defaults) return defaults.error();
  const auto content = read_foreign(path);
  if (!content) return content.error();
  auto imported =
      import_mha_conf(*content, path, *defaults,
                      cluster.mha_defaults.empty() ? kMhaDefaults : cluster.mha_defaults);
  if (!imported) return imported.error();
  take_over(path, std::move(*imported), cluster);
  return Done{};
}

}  // namespace

void add_node_options(Cli& cli, ClusterOptions& cluster) {
  const std::size_t first = cli.count_options();
  cli.option(
      "--node", "[NAME=]HOST[:PORT][,alias=HOST[:PORT]]...",
      [&cluster](const std::string& value) -> Result<Done> {
        const auto node = parse_node(value);
        if (!node) return node.error();
        cluster.nodes.push_back(*node);
        return Done{};
      },
      "one node of the cluster; repeatable, IPv6 in brackets; an alias is another address by which "
      "replicas name it");
  cli.shared_file("--cluster", "read nodes and other options from an INI file of the cluster");
  add_mysql_options(cli, cluster.mysql);
  cli.option(
      "--pandora-conf", "FILE",
      [&cluster](const std::string& path) { return import_pandora(path, cluster); },
      "read nodes and account from pandora_server.conf");
  // Before --mha-conf, which needs it.
  cli.text("--mha-global-conf", "FILE", cluster.mha_defaults,
           "MHA's file for all applications (default: /etc/masterha_default.cnf where it exists)");
  cli.option(
      "--mha-conf", "FILE",
      [&cluster](const std::string& path) { return import_mha(path, cluster); },
      "read nodes, account and scripts from an MHA configuration");
  cli.repeat_options(first);
}

namespace {

// By its words alone: a name that this machine resolves to loopback is another's to the others.
bool is_loopback(const std::string& host) {
  const std::string name = to_lower(host);
  return name == "localhost" || name.starts_with("localhost.") || name == "ip6-localhost" ||
         name.starts_with("127.") || name.starts_with("::ffff:127.") || name == "::1" ||
         name == "::" || name == "0.0.0.0";
}

Result<Done> refuse_mixed_loopback(const std::vector<NodeAddress>& nodes) {
  const auto loopback = std::ranges::find_if(nodes, is_loopback, &NodeAddress::host);
  const auto other = std::ranges::find_if_not(nodes, is_loopback, &NodeAddress::host);
  if (loopback == nodes.end() || other == nodes.end()) return Done{};
  return Error{
      Errc::kUsage,
      fmt::format("--node: {} is {}, which every machine takes for itself, and {} is {}: give {} "
                  "the address by which the other machines reach it",
                  loopback->name, loopback->host, other->name, other->host, loopback->name)};
}

}  // namespace

Result<Done> complete_nodes(const Cli& cli, ClusterOptions& cluster) {
  MysqlOptions login = cluster.mysql;
  if (const auto complete = complete_login(login); !complete) return complete;
  for (const auto& remarks : {cli.passed_over(), option_notes(login)})
    cluster.notes.insert(cluster.notes.end(), remarks.begin(), remarks.end());
  if (!cluster.mysql.host.empty() || !cluster.mysql.socket.empty())
    return Error{Errc::kUsage, "--hostname and --socket name one server: use --node for each"};
  if (cluster.nodes.empty())
    return Error{Errc::kUsage,
                 "no node given (--node [NAME=]HOST[:PORT], --cluster, --pandora-conf or "
                 "--mha-conf)"};
  const unsigned port = login.port != 0 ? login.port : kMysqlPort;
  // The place of one server in it is not that of the nodes.
  login.host.clear();
  login.socket.clear();
  login.port = cluster.mysql.port;
  cluster.mysql = std::move(login);
  std::set<std::string> names, addresses;
  for (NodeAddress& node : cluster.nodes) {
    if (node.port == 0) node.port = port;
    if (!names.insert(node.name).second)
      return Error{Errc::kUsage, fmt::format("--node: '{}' is given twice", node.name)};
    std::vector<std::string> own = {format_host_port({node.host, node.port})};
    for (std::string& alias : node.aliases) {
      auto place = parse_host_port(alias);
      if (place && place->port == 0) place->port = node.port;
      if (place) alias = format_host_port(*place);
      own.push_back(alias);
    }
    for (const std::string& address : own)
      if (!addresses.insert(to_lower(address)).second)
        return Error{Errc::kUsage, fmt::format("--node: {} is given twice", to_lower(address))};
  }
  return refuse_mixed_loopback(cluster.nodes);
}

Result<NodeAddress> parse_node(std::string_view text) {
  constexpr std::string_view kAlias = "alias=";
  const std::vector<std::string> parts = split(text, ',');
  const std::string_view first = parts[0];
  const std::size_t equals = first.find('=');
  const std::string_view place = equals == first.npos ? first : first.substr(equals + 1);
  const std::string name(first.substr(0, equals));
  const auto address = parse_host_port(place);
  bool plain = name.find_first_of(" \t,;|'\"=") == name.npos && name == sanitize(name) &&
               !name.empty() && place.find('=') == place.npos;
  std::vector<std::string> aliases;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = trim(parts[i]);
    plain = plain && part.starts_with(kAlias) && parse_host_port(part.substr(kAlias.size()));
    if (plain) aliases.emplace_back(part.substr(kAlias.size()));
  }
  if (!address || !plain)
    return Error{
        Errc::kUsage,
        fmt::format("'{}' is not [NAME=]HOST[:PORT][,alias=HOST[:PORT]]... (a name without "
                    "blanks and quotes; an IPv6 address in brackets)",
                    sanitize(text))};
  return NodeAddress{name, address->host, address->port, Promotion::kAllowed, std::move(aliases)};
}

void add_place_option(Cli& cli, const char* name, std::vector<HostPort>& places, const char* help) {
  cli.option(
      name, "HOST[:PORT]",
      [&places](const std::string& value) -> Result<Done> {
        const auto address = parse_host_port(value);
        if (!address) return address.error();
        places.push_back(*address);
        return Done{};
      },
      help);
}

void add_vote_option(Cli& cli, std::vector<HostPort>& votes) {
  add_place_option(
      cli, "--vote", votes,
      "a server that votes beside the nodes: change the cluster only with the votes of more than "
      "half of them; repeatable");
}

Result<Done> complete_votes(const ClusterOptions& cluster, std::vector<HostPort>& votes) {
  std::set<std::string> voters;
  for (const NodeAddress& node : cluster.nodes)
    voters.insert(to_lower(format_host_port({node.host, node.port})));
  for (HostPort& vote : votes) {
    if (vote.port == 0) vote.port = cluster.mysql.port != 0 ? cluster.mysql.port : kMysqlPort;
    const std::string name = to_lower(format_host_port(vote));
    if (!voters.insert(name).second)
      return Error{Errc::kUsage, fmt::format("--vote: {} has a vote already", name)};
  }
  return Done{};
}

}  // namespace ha
