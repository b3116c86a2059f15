// SPDX-License-Identifier: MIT
// Reads a cluster out of the files of other tools. Their keys that mean nothing to us are
// collected, never an error; a broken line or a cluster without a node is.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/cluster/node_options.h"
#include "common/result.h"

namespace ha {

struct ImportedCluster {
  std::vector<NodeAddress> nodes = {};
  std::string user = {};
  std::optional<std::string> password = {};
  std::string repl_user = {};
  std::optional<std::string> repl_password = {};
  std::string ssh_user = {};
  unsigned ssh_port = 0;                // 0: not given
  std::string incoming_directory = {};  // Pandora: where conf/pandora_ha_hosts.conf belongs
  std::vector<std::string> unknown_keys = {};
};

// Parses pandora_server.conf, "key value" in each line: ha_hosts, ha_dbuser, ha_dbpass (else
// dbuser, dbpass), repl_dbuser, repl_dbpass, ha_sshuser, ha_sshport, dbport, incomingdir. `name`
// stands in the errors, which never quote a value that may be a secret.
Result<ImportedCluster> import_pandora_conf(std::string_view text, const std::string& name);

// Parses an MHA application configuration: [server default] with user, password, repl_user,
// repl_password, ssh_user, ssh_port, port; [serverN] with hostname, port, candidate_master,
// no_master. Manual: MHA wiki, "Parameters".
Result<ImportedCluster> import_mha_conf(std::string_view text, const std::string& name);

}  // namespace ha
