// SPDX-License-Identifier: MIT
#include "common/mysql/server_event.h"

#include <fmt/format.h>

namespace ha {

std::string disable_on_replica(const Version& version, const ServerEvent& event) {
  const bool renamed = version.flavour == Flavour::kMysql && version.at_least(8, 2);
  return fmt::format("ALTER DEFINER={} EVENT {} DISABLE ON {}", event.definer, event.name,
                     renamed ? "REPLICA" : "SLAVE");
}

std::string enable(const ServerEvent& event) {
  return fmt::format("ALTER DEFINER={} EVENT {} ENABLE", event.definer, event.name);
}

}  // namespace ha
