// SPDX-License-Identifier: MIT
// Which server answers, however it was reached, and whether it takes writes. Needs no privilege.
// The place for each rule of when two answers are one server's.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/mysql/server_facts.h"
#include "common/mysql/session.h"
#include "common/mysql/write_obstacles.h"
#include "common/result.h"

namespace ha {

struct ServerIdentity {
  // Equal for two sessions with one server, different for two servers. A server_uuid alone is not
  // enough: MariaDB has none, and a copied data directory has its origin's.
  std::string id = {};
  std::optional<bool> read_only = {};
  WriteObstacles obstacles = {};  // beside read_only
  std::uint32_t server_id = 0;

  // True when, as far as the server tells, clients' writes succeed now; nullopt: it does not tell.
  std::optional<bool> takes_writes() const;
};

// Reads all in one round trip, two of a node of a group; kBadData when the server tells nothing to
// know it by.
Result<ServerIdentity> read_server_identity(SqlSession& session);

// True when a topology's facts, which hold less than a ServerIdentity, do not distinguish two
// servers: they are one, or one was copied from the other and has kept its server_id.
bool may_be_same_server(const ServerFacts& one, const ServerFacts& other);

}  // namespace ha
