// SPDX-License-Identifier: MIT
// Reads a cluster out of the files of other tools. Their keys that mean nothing to us are
// collected, never an error; a broken line or a cluster without a node is.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/failover/mha_scripts.h"
#include "common/mysql/node_address.h"
#include "common/result.h"

namespace ha {

struct ImportedCluster {
  std::vector<NodeAddress> nodes = {};
  std::string user = {};
  std::optional<std::string> password = {};
  std::string repl_user = {};
  std::optional<std::string> repl_password = {};
  std::string ssh_user = {};                    // empty: not given
  unsigned ssh_port = 0;                        // 0: not given
  std::string hosts_file = {};                  // Pandora: that server and console read
  std::string console_database = {};            // Pandora: where its console finds events
  std::optional<unsigned> tries = {};           // before the primary counts as dead
  std::optional<double> retry_interval_s = {};  // between two of these
  std::optional<double> interval_s = {};        // MHA: between two questions to the primary
  std::vector<std::string> ignore_fail = {};    // MHA: nodes whose loss is no objection
  bool autofix = false;                         // Pandora: a split is to be repaired
  MhaScripts mha = {};
  std::vector<std::string> unknown_keys = {};
  std::vector<std::string> notes = {};     // what is read in another way, for -v
  std::vector<std::string> warnings = {};  // what is not done and would change an outcome
};

// Parses pandora_server.conf as Pandora does, "key value" in each line, keys in any case: ha_hosts
// in order of preference, ha_dbuser and ha_dbpass (else dbuser, dbpass), repl_dbuser and
// repl_dbpass (likewise), ha_sshuser, ha_sshport, dbname, dbport, ha_connect_retries,
// ha_connect_delay, ha_hosts_file, incomingdir, splitbrain_autofix. `name` stands in the errors,
// which never quote a value that may be a secret.
Result<ImportedCluster> import_pandora_conf(std::string_view text, const std::string& name);

// Parses an MHA application configuration as MHA 0.58 does: [server default], then every section
// that begins with "server" (a number orders them). Manual: MHA wiki, "Parameters".
Result<ImportedCluster> import_mha_conf(std::string_view text, const std::string& name);

// The same below `global`, MHA's file for all applications, of which [server default] is read.
Result<ImportedCluster> import_mha_conf(std::string_view text, const std::string& name,
                                        std::string_view global, const std::string& global_name);

}  // namespace ha
