// SPDX-License-Identifier: MIT
// A scheduled event of a server, as far as a change of roles is about it. Plain values.

#pragma once

#include <cstdint>
#include <string>

#include "common/mysql/version.h"

namespace ha {

struct ServerEvent {
  std::string name = {};     // with its schema, quoted for SQL
  std::string definer = {};  // quoted for SQL
  bool enabled = false;      // it runs when the scheduler does
  bool on_source = false;    // it runs on the source only, of which this server is a replica
  std::int64_t origin = 0;   // server_id of the server where it was made or changed last

  bool operator==(const ServerEvent&) const = default;
};

// Return one statement. Without its definer the event would become ours.
std::string disable_on_replica(const Version& version, const ServerEvent& event);
std::string enable(const ServerEvent& event);

}  // namespace ha
