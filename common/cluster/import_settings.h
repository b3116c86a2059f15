// SPDX-License-Identifier: MIT
// What the readers of other tools' files have in common.

#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/cluster/config_import.h"
#include "common/result.h"

namespace ha {

using ImportSettings = std::map<std::string, std::string>;

std::string value_of(const ImportSettings& settings, const std::string& key,
                     const std::string& otherwise = "");
std::optional<std::string> secret_of(const ImportSettings& settings, const std::string& key);

// Reads a port; 0: there is none. Fails with kUsage.
Result<unsigned> port_of(const ImportSettings& settings, const std::string& key,
                         const std::string& file);

// Reads a whole number of at least `least`; nullopt: there is none. Fails with kUsage.
Result<std::optional<unsigned>> count_of(const ImportSettings& settings, const std::string& key,
                                         unsigned least, const std::string& file);

void collect_unknown(ImportedCluster& cluster, const std::string& key);

}  // namespace ha
