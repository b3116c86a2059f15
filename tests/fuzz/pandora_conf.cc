// SPDX-License-Identifier: MIT
// pandora_server.conf.

#include "common/cluster/config_import.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto cluster = import_pandora_conf(text, "file");
  if (cluster) require(!cluster->nodes.empty());
}
