// SPDX-License-Identifier: MIT
#include "common/cluster/config_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/address.h"
#include "common/ini.h"
#include "common/text.h"

namespace ha {

namespace {

using Settings = std::map<std::string, std::string>;

std::string value_of(const Settings& settings, const std::string& key,
                     const std::string& otherwise = "") {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : found->second;
}

std::optional<std::string> secret_of(const Settings& settings, const std::string& key) {
  const auto found = settings.find(key);
  return found == settings.end() ? std::nullopt : std::optional(found->second);
}

Result<unsigned> port_of(const Settings& settings, const std::string& key,
                         const std::string& file) {
  const std::string text = value_of(settings, key);
  if (text.empty()) return 0u;
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > 65535)
    return Error{Errc::kUsage, fmt::format("{}: {}: '{}' is not a port (accepted: 1 to 65535)",
                                           file, key, sanitize(text))};
  return static_cast<unsigned>(*number);
}

void collect_unknown(ImportedCluster& cluster, const std::string& key) {
  if (std::ranges::find(cluster.unknown_keys, key) == cluster.unknown_keys.end())
    cluster.unknown_keys.push_back(key);
}

// Reads the lines "key value" of pandora_server.conf; keys of no use here are noted in `cluster`.
Result<Settings> read_pandora_settings(std::string_view text, const std::string& name,
                                       ImportedCluster& cluster) {
  constexpr std::string_view kKeys[] = {"ha_hosts",   "ha_dbuser",   "ha_dbpass",   "dbuser",
                                        "dbpass",     "repl_dbuser", "repl_dbpass", "ha_sshuser",
                                        "ha_sshport", "dbport",      "incomingdir"};
  Settings settings;
  for (const auto& [number, line] : setting_lines(text, "#")) {
    const std::size_t blank = line.find_first_of(" \t");
    const std::string key = line.substr(0, blank);
    if (std::ranges::find(kKeys, key) == std::end(kKeys)) {
      collect_unknown(cluster, sanitize(shorten(key, 60)));
      continue;
    }
    if (blank == line.npos) return line_error(name, number, key + " has no value");
    settings[key] = trim(std::string_view(line).substr(blank));
  }
  return settings;
}

Result<Done> read_pandora_nodes(const Settings& settings, const std::string& name,
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
  return Done{};
}

}  // namespace

Result<ImportedCluster> import_pandora_conf(std::string_view text, const std::string& name) {
  ImportedCluster cluster;
  const auto settings = read_pandora_settings(text, name, cluster);
  if (!settings) return settings.error();
  if (const auto read = read_pandora_nodes(*settings, name, cluster); !read) return read.error();
  const bool own_account = settings->contains("ha_dbuser");
  cluster.user = value_of(*settings, own_account ? "ha_dbuser" : "dbuser");
  cluster.password = secret_of(*settings, own_account ? "ha_dbpass" : "dbpass");
  cluster.repl_user = value_of(*settings, "repl_dbuser");
  cluster.repl_password = secret_of(*settings, "repl_dbpass");
  cluster.ssh_user = value_of(*settings, "ha_sshuser");
  cluster.incoming_directory = value_of(*settings, "incomingdir");
  return cluster;
}

namespace {

// Reads one [serverN] section.
Result<NodeAddress> mha_node(const std::string& section, const Settings& settings,
                             const Settings& defaults, const std::string& file) {
  const std::string host = value_of(settings, "hostname", value_of(settings, "ip"));
  const auto address = parse_host_port(host);
  if (!address || address->port != 0)
    return Error{Errc::kUsage,
                 fmt::format("{}: [{}] has no usable hostname", file, sanitize(section))};
  const auto port = port_of(settings.contains("port") ? settings : defaults, "port", file);
  if (!port) return port.error();
  NodeAddress node{format_host_port({address->host, *port}), address->host, *port};
  if (value_of(settings, "candidate_master") == "1") node.promotion = Promotion::kPreferred;
  if (value_of(settings, "no_master") == "1") node.promotion = Promotion::kNever;
  return node;
}

bool is_server(const std::string& section) {
  return section.size() > 6 && section.starts_with("server") &&
         section.find_first_not_of("0123456789", 6) == section.npos;
}

// The sections of an MHA configuration that matter.
struct MhaSections {
  Settings defaults = {};
  std::vector<std::pair<std::string, Settings>> servers = {};  // as they follow each other
};

Result<MhaSections> read_mha_sections(std::string_view text, const std::string& name,
                                      ImportedCluster& cluster) {
  constexpr std::string_view kKeys[] = {
      "user", "password", "repl_user", "repl_password", "ssh_user",        "ssh_port",
      "port", "hostname", "ip",        "no_master",     "candidate_master"};
  const auto entries = parse_ini(text, name);
  if (!entries) return entries.error();
  MhaSections sections;
  auto& servers = sections.servers;
  for (const IniEntry& entry : *entries) {
    const bool known = std::ranges::find(kKeys, entry.key) != std::end(kKeys);
    if (!known || (entry.section != "server default" && !is_server(entry.section))) {
      collect_unknown(cluster, sanitize(shorten(entry.key, 60)));
    } else if (entry.section == "server default") {
      sections.defaults[entry.key] = entry.value;
    } else {
      auto server =
          std::ranges::find(servers, entry.section, &std::pair<std::string, Settings>::first);
      if (server == servers.end()) server = servers.insert(servers.end(), {entry.section, {}});
      server->second[entry.key] = entry.value;
    }
  }
  return sections;
}

}  // namespace

Result<ImportedCluster> import_mha_conf(std::string_view text, const std::string& name) {
  ImportedCluster cluster;
  const auto sections = read_mha_sections(text, name, cluster);
  if (!sections) return sections.error();
  const Settings& defaults = sections->defaults;
  for (const auto& [section, settings] : sections->servers) {
    auto node = mha_node(section, settings, defaults, name);
    if (!node) return node.error();
    cluster.nodes.push_back(std::move(*node));
  }
  if (cluster.nodes.empty())
    return Error{Errc::kUsage, fmt::format("{}: no node (no [serverN] section)", name)};
  const auto ssh_port = port_of(defaults, "ssh_port", name);
  if (!ssh_port) return ssh_port.error();
  cluster.user = value_of(defaults, "user");
  cluster.password = secret_of(defaults, "password");
  cluster.repl_user = value_of(defaults, "repl_user");
  cluster.repl_password = secret_of(defaults, "repl_password");
  cluster.ssh_user = value_of(defaults, "ssh_user");
  cluster.ssh_port = *ssh_port;
  return cluster;
}

}  // namespace ha
