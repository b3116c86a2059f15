// SPDX-License-Identifier: MIT
// MHA's configuration, as MHA 0.58 reads it (lib/MHA/Config.pm).
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/address.h"
#include "common/cluster/config_import.h"
#include "common/cluster/import_settings.h"
#include "common/ini.h"
#include "common/process.h"
#include "common/text.h"

namespace ha {

namespace {

constexpr char kDefaults[] = "server default";

struct Section {
  std::string name = {};
  ImportSettings settings = {};
};

// The sections of an MHA configuration that matter.
struct MhaSections {
  ImportSettings defaults = {};
  std::vector<Section> servers = {};
};

bool is_section(std::string_view name, std::string_view word) {
  return name.size() > word.size() && name.starts_with(word) && name[word.size()] != ' ' &&
         name[word.size()] != '\t';
}

bool is_server(std::string_view name) { return name != kDefaults && is_section(name, "server"); }

// MHA takes a quote away at the end, and one at the beginning only then.
std::string unquoted(const std::string& value) {
  const auto is_quote = [](char c) { return c == '\'' || c == '"'; };
  if (value.empty() || !is_quote(value.back())) return value;
  const std::size_t begin = value.size() > 1 && is_quote(value[0]) ? 1 : 0;
  return value.substr(begin, value.size() - 1 - begin);
}

// Where the key is of use.
enum class Place { kNowhere, kAnywhere, kServer };

Place place_of(std::string_view key) {
  constexpr std::string_view kAnywhereKeys[] = {"user",
                                                "password",
                                                "repl_user",
                                                "repl_password",
                                                "ssh_user",
                                                "ssh_port",
                                                "ssh_options",
                                                "port",
                                                "master_pid_file",
                                                "ping_interval",
                                                "ping_type",
                                                "check_repl_delay",
                                                "latest_priority",
                                                "skip_reset_slave",
                                                "use_gtid_auto_pos",
                                                "init_conf_load_script",
                                                "master_ip_failover_script",
                                                "master_ip_online_change_script",
                                                "shutdown_script",
                                                "secondary_check_script",
                                                "report_script"};
  constexpr std::string_view kServerKeys[] = {"hostname",  "ip",          "ssh_host",
                                              "no_master", "ignore_fail", "candidate_master"};
  if (std::ranges::find(kAnywhereKeys, key) != std::end(kAnywhereKeys)) return Place::kAnywhere;
  return std::ranges::find(kServerKeys, key) == std::end(kServerKeys) ? Place::kNowhere
                                                                      : Place::kServer;
}

Section& section_of(std::vector<Section>& sections, const std::string& name) {
  const auto found = std::ranges::find(sections, name, &Section::name);
  return found == sections.end() ? sections.emplace_back(Section{name}) : *found;
}

// MHA goes by the number in each name where all have one, else by the names.
void sort_servers(std::vector<Section>& servers) {
  const auto number_of = [](const Section& section) -> std::optional<long long> {
    const std::size_t begin = section.name.find_first_of("0123456789");
    if (begin == std::string::npos) return std::nullopt;
    const std::size_t end = section.name.find_first_not_of("0123456789", begin);
    return parse_integer(section.name.substr(begin, end - begin));
  };
  std::ranges::sort(servers, {}, &Section::name);
  if (std::ranges::all_of(servers, [&](const Section& one) { return number_of(one).has_value(); }))
    std::ranges::stable_sort(servers, {}, [&](const Section& one) { return *number_of(one); });
}

void add_once(std::vector<std::string>& texts, std::string text) {
  if (std::ranges::find(texts, text) == texts.end()) texts.push_back(std::move(text));
}

Result<Done> read_entry(const IniEntry& entry, const std::string& file, ImportedCluster& cluster,
                        MhaSections& sections) {
  const bool defaults = entry.section == kDefaults;
  if (is_section(entry.section, "binlog")) {
    add_once(cluster.warnings,
             fmt::format(
                 "{}: [{}] is asked for no events: a failover loses what that binlog server alone "
                 "has",
                 file, sanitize(entry.section)));
    return Done{};
  }
  if (!defaults && !is_server(entry.section))
    return Error{Errc::kUsage,
                 fmt::format("{}: [{}] is none of MHA's sections: [server default], or a name that "
                             "begins with server or binlog",
                             file, sanitize(entry.section))};
  const Place place = place_of(entry.key);
  if (place == Place::kNowhere || (defaults && place == Place::kServer))
    collect_unknown(cluster, entry.key);
  else if (defaults)
    sections.defaults[entry.key] = unquoted(entry.value);
  else
    section_of(sections.servers, entry.section).settings[entry.key] = unquoted(entry.value);
  return Done{};
}

// Reads one of the two files into `sections`; of the global one only the defaults.
Result<Done> read_mha_file(std::string_view text, const std::string& name, bool global,
                           ImportedCluster& cluster, MhaSections& sections) {
  const auto entries = parse_ini(text, name);
  if (!entries) return entries.error();
  for (const IniEntry& entry : *entries)
    if (!global || entry.section == kDefaults)
      if (const auto read = read_entry(entry, name, cluster, sections); !read) return read;
  return Done{};
}

// Reads one server. Fails with kUsage.
Result<Done> read_server(const Section& section, const ImportSettings& defaults,
                         const std::string& file, ImportedCluster& cluster) {
  const ImportSettings& settings = section.settings;
  const auto either = [&](const std::string& key) {
    return value_of(settings, key, value_of(defaults, key));
  };
  const std::string ip = value_of(settings, "ip");
  const auto address = parse_host_port(value_of(settings, "hostname", ip));
  if (!address || address->port != 0)
    return Error{Errc::kUsage,
                 fmt::format("{}: [{}] has no usable hostname", file, sanitize(section.name))};
  const auto port = port_of(settings.contains("port") ? settings : defaults, "port", file);
  if (!port) return port.error();
  const auto ssh_port =
      port_of(settings.contains("ssh_port") ? settings : defaults, "ssh_port", file);
  if (!ssh_port) return ssh_port.error();
  NodeAddress node{format_host_port({address->host, *port}), address->host, *port};
  // Replicas may name it by this one.
  if (const auto other = parse_host_port(ip); other && other->host != node.host)
    node.aliases.push_back(format_host_port({other->host, 0}));
  if (value_of(settings, "candidate_master") == "1") node.promotion = Promotion::kPreferred;
  if (value_of(settings, "no_master") == "1") node.promotion = Promotion::kNever;
  if (value_of(settings, "ignore_fail") == "1") cluster.ignore_fail.push_back(node.name);
  cluster.mha.servers[node.name] = {ip, either("ssh_user"), value_of(settings, "ssh_host"),
                                    *ssh_port == 0 ? 22 : *ssh_port, either("master_pid_file")};
  cluster.nodes.push_back(std::move(node));
  return Done{};
}

// Of what each server may have for itself, we know one for all.
void name_differences(const MhaSections& sections, const std::string& file,
                      ImportedCluster& cluster) {
  for (const char* key : {"user", "password", "repl_user", "repl_password", "ping_interval",
                          "master_ip_failover_script", "master_ip_online_change_script",
                          "shutdown_script", "secondary_check_script", "report_script"})
    for (const Section& server : sections.servers)
      if (const auto own = secret_of(server.settings, key);
          own && own != secret_of(sections.defaults, key))
        cluster.warnings.push_back(fmt::format("{}: {} of [{}] is not used, only that of [{}]",
                                               file, key, sanitize(server.name), kDefaults));
}

// What MHA would do in another way, by one section.
void name_unheeded(const ImportSettings& settings, const std::string& file,
                   ImportedCluster& cluster) {
  const std::pair<std::string_view, std::string_view> unheeded[] = {
      {"init_conf_load_script", "is not run: what it prints is missing"},
      {"ping_type", "is not used: a primary that answers SELECT is alive, even if no write ends"},
      {"latest_priority", "is not used: a node that has received less is not promoted"},
      {"skip_reset_slave", "is not used: a new primary forgets its source"},
      {"ssh_options", "is not used: put it into ~/.ssh/config"},
      {"use_gtid_auto_pos", "is not used: GTIDs are used where replicas use them"}};
  const std::pair<std::string_view, std::string_view> harmless[] = {{"ping_type", "SELECT"},
                                                                    {"ping_type", "CONNECT"},
                                                                    {"latest_priority", "1"},
                                                                    {"skip_reset_slave", "0"},
                                                                    {"use_gtid_auto_pos", "1"}};
  for (const auto& [key, what] : unheeded) {
    const std::string value = value_of(settings, std::string(key));
    const auto same = [&, key = key](const auto& one) {
      return one.first == key && one.second == to_upper(value);
    };
    if (!value.empty() && std::ranges::none_of(harmless, same))
      add_once(cluster.warnings, fmt::format("{}: {} {}", file, key, what));
  }
  if (settings.contains("check_repl_delay"))
    add_once(cluster.notes,
             fmt::format("{}: check_repl_delay: a node is promoted when it has applied all that it "
                         "had received, within --deadline, and --max-lag refuses one that is too "
                         "far behind",
                         file));
}

// MHA gives the command to a shell, we to no one.
Result<Done> read_script(const ImportSettings& settings, const std::string& key,
                         const std::string& file, std::vector<std::string>& argv) {
  const std::string value = value_of(settings, key);
  if (value.empty()) return Done{};
  auto words = split_command(value);
  if (!words) return Error{Errc::kUsage, fmt::format("{}: {}: {}", file, key, words.error().text)};
  constexpr std::string_view kForShells = "|&;<>$`*?~(){}";
  if (const std::size_t at = value.find_first_of(kForShells); at != value.npos)
    return Error{Errc::kUsage, fmt::format("{}: {}: no shell runs it, and '{}' is for one: put the "
                                           "command into a script of its own",
                                           file, key, value[at])};
  argv = std::move(*words);
  return Done{};
}

Result<Done> read_scripts(const ImportSettings& settings, const std::string& file,
                          MhaScripts& mha) {
  const std::pair<const char*, std::vector<std::string>*> scripts[] = {
      {"master_ip_failover_script", &mha.address},
      {"master_ip_online_change_script", &mha.planned_address},
      {"shutdown_script", &mha.shutdown},
      {"secondary_check_script", &mha.secondary_check},
      {"report_script", &mha.report}};
  for (const auto& [key, argv] : scripts)
    if (const auto read = read_script(settings, key, file, *argv); !read) return read;
  mha.conf = file;
  return Done{};
}

Result<Done> read_defaults(const ImportSettings& defaults, const std::string& file,
                           ImportedCluster& cluster) {
  const auto ssh_port = port_of(defaults, "ssh_port", file);
  if (!ssh_port) return ssh_port.error();
  const auto interval = count_of(defaults, "ping_interval", 1, file);
  if (!interval) return interval.error();
  if (*interval) cluster.interval_s = **interval;
  cluster.user = value_of(defaults, "user", "root");
  cluster.password = secret_of(defaults, "password");
  cluster.repl_user = value_of(defaults, "repl_user");
  cluster.repl_password = secret_of(defaults, "repl_password");
  cluster.ssh_user = value_of(defaults, "ssh_user");
  cluster.ssh_port = *ssh_port;
  return read_scripts(defaults, file, cluster.mha);
}

}  // namespace

Result<ImportedCluster> import_mha_conf(std::string_view text, const std::string& name) {
  return import_mha_conf(text, name, "", "");
}

Result<ImportedCluster> import_mha_conf(std::string_view text, const std::string& name,
                                        std::string_view global, const std::string& global_name) {
  ImportedCluster cluster;
  MhaSections sections;
  if (const auto read = read_mha_file(global, global_name, true, cluster, sections); !read)
    return read.error();
  if (const auto read = read_mha_file(text, name, false, cluster, sections); !read)
    return read.error();
  sort_servers(sections.servers);
  for (const Section& server : sections.servers)
    if (const auto read = read_server(server, sections.defaults, name, cluster); !read)
      return read.error();
  if (cluster.nodes.empty())
    return Error{Errc::kUsage, fmt::format("{}: no node (no [serverN] section)", name)};
  if (const auto read = read_defaults(sections.defaults, name, cluster); !read) return read.error();
  name_unheeded(sections.defaults, name, cluster);
  for (const Section& server : sections.servers) name_unheeded(server.settings, name, cluster);
  name_differences(sections, name, cluster);
  return cluster;
}

}  // namespace ha
