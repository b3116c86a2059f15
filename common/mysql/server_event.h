// SPDX-License-Identifier: MIT
// A scheduled event of a server, as far as a change of roles is about it. Plain values.

#pragma once

#include <cstdint>
#include <string>

namespace ha {

struct ServerEvent {
  std::string name = {};     // with its schema, quoted for SQL
  std::string definer = {};  // quoted for SQL
  bool enabled = false;      // it runs when the scheduler does
  bool on_source = false;    // it runs on the source only, of which this server is a replica
  std::int64_t origin = 0;   // server_id of the server where it was made or changed last

  bool operator==(const ServerEvent&) const = default;
};

}  // namespace ha
