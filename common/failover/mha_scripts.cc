// SPDX-License-Identifier: MIT
// After MHA 0.58: MasterFailover.pm, MasterRotate.pm, MasterMonitor.pm and HealthCheck.pm.
#include "common/failover/mha_scripts.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

using Words = std::vector<std::string>;

constexpr unsigned kSshPort = 22;

MhaServer server_of(const MhaScripts& mha, const Node& node) {
  const auto found = mha.servers.find(node.name);
  MhaServer server = found == mha.servers.end() ? MhaServer{} : found->second;
  if (server.ssh_user.empty()) server.ssh_user = "root";
  return server;
}

std::string ip_of(const MhaServer& server, const Node& node) {
  return server.ip.empty() ? fmt::format("{}{}}}", kMhaIp, node.host) : server.ip;
}

void add_place(Words& words, const MhaScripts& mha, std::string_view prefix, const Node& node) {
  words.push_back(fmt::format("--{}host={}", prefix, node.host));
  words.push_back(fmt::format("--{}ip={}", prefix, ip_of(server_of(mha, node), node)));
  words.push_back(fmt::format("--{}port={}", prefix, node.port));
}

void add_ssh(Words& words, const MhaScripts& mha, std::string_view prefix, const Node& node) {
  const MhaServer server = server_of(mha, node);
  if (!server.ssh_host.empty() && server.ssh_host != node.host) {
    words.push_back(fmt::format("--{}ssh_host={}", prefix, server.ssh_host));
    words.push_back(fmt::format("--{}ssh_ip={}{}}}", prefix, kMhaIp, server.ssh_host));
  }
  if (server.ssh_port != kSshPort)
    words.push_back(fmt::format("--{}ssh_port={}", prefix, server.ssh_port));
}

std::string stop_of(const MhaScripts& mha, const Node& node) {
  const MhaServer server = server_of(mha, node);
  return fmt::format("{}{}@{}:{}}}", kMhaStop, server.ssh_user,
                     server.ssh_host.empty() ? node.host : server.ssh_host, server.ssh_port);
}

std::string ssh_user_of(const MhaScripts& mha, const Node& node) {
  return server_of(mha, node).ssh_user;
}

// As MHA names a server in its reports.
std::string describe(const MhaScripts& mha, const Node& node) {
  return fmt::format("{}({}:{})", node.host, ip_of(server_of(mha, node), node), node.port);
}

// "/etc/mha/app1.cnf" is the application app1.
std::string application_of(const std::string& conf) {
  const std::string name = conf.substr(conf.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

}  // namespace

Words mha_stop_address(const MhaScripts& mha, const Node& old) {
  Words words = mha.address;
  add_place(words, mha, "orig_master_", old);
  words.push_back(stop_of(mha, old));
  add_ssh(words, mha, "orig_master_", old);
  return words;
}

Words mha_shut_down(const MhaScripts& mha, const Node& old) {
  Words words = mha.shutdown;
  words.push_back(stop_of(mha, old));
  add_place(words, mha, "", old);
  if (const MhaServer server = server_of(mha, old); !server.pid_file.empty())
    words.push_back("--pid_file=" + server.pid_file);
  add_ssh(words, mha, "", old);
  return words;
}

Words mha_start_address(const MhaScripts& mha, const Node& old, const Node& successor) {
  Words words = mha.address;
  words.emplace_back("--command=start");
  words.push_back("--ssh_user=" + ssh_user_of(mha, successor));
  add_place(words, mha, "orig_master_", old);
  add_place(words, mha, "new_master_", successor);
  words.push_back("--new_master_user=" + mha.user);
  add_ssh(words, mha, "orig_master_", old);
  add_ssh(words, mha, "new_master_", successor);
  words.push_back(fmt::format("--new_master_password={}", kMhaPassword));
  return words;
}

Words mha_change_address(const MhaScripts& mha, std::string_view command, const Node& old,
                         const Node& successor) {
  Words words = mha.planned_address;
  words.push_back(fmt::format("--command={}", command));
  add_place(words, mha, "orig_master_", old);
  words.push_back("--orig_master_user=" + mha.user);
  add_place(words, mha, "new_master_", successor);
  words.push_back("--new_master_user=" + mha.user);
  words.push_back("--orig_master_ssh_user=" + ssh_user_of(mha, old));
  words.push_back("--new_master_ssh_user=" + ssh_user_of(mha, successor));
  add_ssh(words, mha, "orig_master_", old);
  add_ssh(words, mha, "new_master_", successor);
  words.emplace_back("--orig_master_is_new_slave");
  words.push_back(fmt::format("--orig_master_password={}", kMhaPassword));
  words.push_back(fmt::format("--new_master_password={}", kMhaPassword));
  return words;
}

Words mha_secondary_check(const MhaScripts& mha, const Node& old) {
  Words words = mha.secondary_check;
  words.push_back("--user=" + ssh_user_of(mha, old));
  add_place(words, mha, "master_", old);
  words.push_back("--master_user=" + mha.user);
  words.push_back(fmt::format("--master_password={}", kMhaPassword));
  words.emplace_back("--ping_type=SELECT");
  return words;
}

Words mha_report(const MhaScripts& mha, const Node& old, const Node& successor,
                 const std::vector<std::string>& replicas) {
  Words words = mha.report;
  words.push_back("--orig_master_host=" + old.host);
  words.push_back("--new_master_host=" + successor.host);
  words.push_back("--new_slave_hosts=" + join(replicas, ","));
  words.push_back("--conf=" + mha.conf);
  words.push_back(fmt::format("--subject={}: MySQL Master failover {} to {} succeeded",
                              application_of(mha.conf), describe(mha, old),
                              describe(mha, successor)));
  words.push_back(fmt::format("--body=Master {} is down!\n\n{} is the new master.\n",
                              describe(mha, old), describe(mha, successor)));
  return words;
}

Words mha_report_failure(const MhaScripts& mha, const Node& old, const std::string& reason) {
  Words words = mha.report;
  words.push_back("--orig_master_host=" + old.host);
  words.push_back("--conf=" + mha.conf);
  words.push_back(fmt::format("--subject={}: MySQL Master failover {}", application_of(mha.conf),
                              describe(mha, old)));
  words.push_back(
      fmt::format("--body=Master {} is down!\n\n{}\n", describe(mha, old), sanitize(reason)));
  return words;
}

Words mha_address_status(const MhaScripts& mha, const Node& primary) {
  Words words = mha.address;
  words.emplace_back("--command=status");
  words.push_back("--ssh_user=" + ssh_user_of(mha, primary));
  add_place(words, mha, "orig_master_", primary);
  add_ssh(words, mha, "orig_master_", primary);
  return words;
}

Words mha_shutdown_status(const MhaScripts& mha, const Node& primary) {
  Words words = mha.shutdown;
  words.emplace_back("--command=status");
  words.push_back("--ssh_user=" + ssh_user_of(mha, primary));
  add_place(words, mha, "", primary);
  words.pop_back();  // MHA gives no port here
  add_ssh(words, mha, "", primary);
  return words;
}

}  // namespace ha
