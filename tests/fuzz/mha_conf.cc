// SPDX-License-Identifier: MIT
// MHA's application configuration.

#include "common/cluster/config_import.h"
#include "tests/fuzz/fuzz.h"

void ha::fuzz(std::string_view text) {
  const auto cluster = import_mha_conf(text, "file");
  if (cluster) require(!cluster->nodes.empty());
}
