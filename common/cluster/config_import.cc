// SPDX-License-Identifier: MIT
#include "common/cluster/config_import.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/cluster/import_settings.h"
#include "common/cluster/node_options.h"
#include "common/ini.h"
#include "common/text.h"

namespace ha {

namespace {

// Where server and console look for it (Config.pm, PANDORA_HA_FILE).
constexpr char kHostsFile[] = "/var/spool/pandora/data_in/conf/pandora_ha_hosts.conf";

// Reads the lines "key value" of pandora_server.conf; keys of no use here are noted in `cluster`.
Result<ImportSettings> read_pandora_settings(std::string_view text, const std::string& name,
                                             ImportedCluster& cluster) {
  constexpr std::string_view kKeys[] = {"ha_hosts",
                                        "ha_dbuser",
                                        "ha_dbpass",
                                        "dbuser",
                                        "dbpass",
                                        "repl_dbuser",
                                        "repl_dbpass",
                                        "ha_sshuser",
                                        "ha_sshport",
                                        "dbhost",
                                        "dbport",
                                        "ha_connect_retries",
                                        "ha_connect_delay",
                                        "ha_hosts_file",
                                        "incomingdir",
                                        "splitbrain_autofix",
                                        "dbname"};
  ImportSettings settings;
  for (const auto& [number, line] : setting_lines(text, "#")) {
    const std::size_t blank = line.find_first_of(" \t");
    const std::string key = to_lower(line.substr(0, blank));
    if (std::ranges::find(kKeys, key) == std::end(kKeys)) {
      collect_unknown(cluster, key);
      continue;
    }
    if (blank == line.npos) return line_error(name, number, key + " has no value");
    settings[key] = trim(std::string_view(line).substr(blank));
  }
  return settings;
}

Result<Done> read_pandora_nodes(const ImportSettings& settings, const std::string& name,
                                ImportedCluster& cluster) {
  const auto port = port_of(settings, "dbport", name);
  const auto ssh_port = port_of(settings, "ha_sshport", name);
  if (!port) return port.error();
  if (!ssh_port) return ssh_port.error();
  cluster.ssh_port = *ssh_port;
  for (const std::string& host : split(value_of(settings, "ha_hosts"), ',')) {
    if (trim(host).empty()) continue;
    auto node = parse_node(trim(host));
    if (!node) return Error{Errc::kUsage, fmt::format("{}: ha_hosts: {}", name, node.error().text)};
    if (node->port == 0) node->port = *port;
    cluster.nodes.push_back(std::move(*node));
  }
  if (cluster.nodes.empty())
    return Error{Errc::kUsage, fmt::format("{}: no node (ha_hosts is missing or empty)", name)};
  const std::string host = value_of(settings, "dbhost");
  if (!host.empty() &&
      std::ranges::find(cluster.nodes, host, &NodeAddress::host) == cluster.nodes.end())
    cluster.notes.push_back(fmt::format(
        "{}: dbhost {} is none of ha_hosts: Pandora uses it only as long as there is no {}", name,
        sanitize(host), cluster.hosts_file));
  return Done{};
}

// Pandora's own account is that of the others, unless they have one.
void read_pandora_accounts(const ImportSettings& settings, ImportedCluster& cluster) {
  const auto choose = [&](const char* own, const char* servers) {
    return settings.contains(own) ? own : servers;
  };
  cluster.user = value_of(settings, choose("ha_dbuser", "dbuser"));
  cluster.password = secret_of(settings, choose("ha_dbpass", "dbpass"));
  cluster.repl_user = value_of(settings, choose("repl_dbuser", "dbuser"));
  cluster.repl_password = secret_of(settings, choose("repl_dbpass", "dbpass"));
  cluster.ssh_user = value_of(settings, "ha_sshuser");
}

Result<Done> read_pandora_tries(const ImportSettings& settings, const std::string& name,
                                ImportedCluster& cluster) {
  const auto tries = count_of(settings, "ha_connect_retries", 0, name);
  if (!tries) return tries.error();
  const auto delay = count_of(settings, "ha_connect_delay", 0, name);
  if (!delay) return delay.error();
  if (*tries) cluster.tries = std::max(1u, **tries);
  if (*delay) cluster.retry_interval_s = **delay;
  return Done{};
}

}  // namespace

Result<ImportedCluster> import_pandora_conf(std::string_view text, const std::string& name) {
  ImportedCluster cluster;
  const auto settings = read_pandora_settings(text, name, cluster);
  if (!settings) return settings.error();
  const std::string incoming = value_of(*settings, "incomingdir");
  cluster.hosts_file =
      value_of(*settings, "ha_hosts_file",
               incoming.empty() ? kHostsFile : incoming + "/conf/pandora_ha_hosts.conf");
  cluster.console_database = value_of(*settings, "dbname", "pandora");
  if (const auto read = read_pandora_nodes(*settings, name, cluster); !read) return read.error();
  if (const auto read = read_pandora_tries(*settings, name, cluster); !read) return read.error();
  read_pandora_accounts(*settings, cluster);
  // To Pandora, which is written in Perl, everything but 0 is true.
  cluster.autofix = value_of(*settings, "splitbrain_autofix", "0") != "0";
  if (cluster.autofix)
    cluster.notes.push_back(
        name +
        ": splitbrain_autofix: handle_mysql_failover repairs a split; by hand that is: "
        "mysql_ha repair");
  return cluster;
}

}  // namespace ha
