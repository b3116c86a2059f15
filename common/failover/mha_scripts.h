// SPDX-License-Identifier: MIT
// The scripts of an MHA configuration, and the words with which MHA calls them. What is known only
// when a script is called stands in braces; expand_mha_call() of common/context/mha_call.h fills it
// in. Plain values and pure functions.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/topology.h"

namespace ha {

// What MHA's configuration says of one server beside its place.
struct MhaServer {
  std::string ip = {};        // empty: what its host name resolves to
  std::string ssh_user = {};  // empty: root
  std::string ssh_host = {};  // empty: the host
  unsigned ssh_port = 22;
  std::string pid_file = {};  // master_pid_file
};

struct MhaScripts {
  // The first words of each command; empty: there is none.
  std::vector<std::string> address = {};          // master_ip_failover_script
  std::vector<std::string> planned_address = {};  // master_ip_online_change_script
  std::vector<std::string> shutdown = {};
  std::vector<std::string> secondary_check = {};
  std::vector<std::string> report = {};
  std::map<std::string, MhaServer> servers = {};  // by the node's name
  std::string conf = {};                          // the file
  std::string user = {};                          // that MHA logs in to servers with
};

// Placeholders: the address of a host, whether its machine answers to ssh, the password of the
// account that logs in to servers.
inline constexpr std::string_view kMhaIp = "{ip of ";                  // HOST}
inline constexpr std::string_view kMhaStop = "{stop, or stopssh of ";  // USER@HOST:PORT}
inline constexpr std::string_view kMhaPassword = "{password}";

// The commands of a failover: the address is taken from the old primary, its machine is shut down,
// the address is given to the new one.
std::vector<std::string> mha_stop_address(const MhaScripts& mha, const Node& old);
std::vector<std::string> mha_shut_down(const MhaScripts& mha, const Node& old);
std::vector<std::string> mha_start_address(const MhaScripts& mha, const Node& old,
                                           const Node& successor);

// The command of a switchover that takes the address from the old primary ("stop") or gives it to
// the new one ("start").
std::vector<std::string> mha_change_address(const MhaScripts& mha, std::string_view command,
                                            const Node& old, const Node& successor);

// The command that asks other machines whether they reach the primary; exit 0: none does.
std::vector<std::string> mha_secondary_check(const MhaScripts& mha, const Node& old);

// The command that reports a failover that has succeeded. `replicas` follow the new primary.
std::vector<std::string> mha_report(const MhaScripts& mha, const Node& old, const Node& successor,
                                    const std::vector<std::string>& replicas);

// The command that reports a failover that has ended without a new primary, and why.
std::vector<std::string> mha_report_failure(const MhaScripts& mha, const Node& old,
                                            const std::string& reason);

// The commands that ask whether the others could be used.
std::vector<std::string> mha_address_status(const MhaScripts& mha, const Node& primary);
std::vector<std::string> mha_shutdown_status(const MhaScripts& mha, const Node& primary);

}  // namespace ha
