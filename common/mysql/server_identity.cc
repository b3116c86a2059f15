// SPDX-License-Identifier: MIT
#include "common/mysql/server_identity.h"

#include "common/mysql/variables.h"

namespace ha {

namespace {

// server_uid is MariaDB's since 10.5.26, 10.6.19 and 10.11.9: a hash of the machine's hardware
// address and the port.
constexpr char kQuery[] =
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid', 'server_id',"
    " 'hostname', 'port', 'datadir', 'read_only')";

}  // namespace

Result<ServerIdentity> read_server_identity(SqlSession& session) {
  const auto variables = read_variables(session, kQuery);
  if (!variables) return variables.error();
  if (!variables->contains("server_id"))
    return Error{Errc::kBadData, "the server tells no server_id"};
  ServerIdentity identity{{}, flag(*variables, "read_only")};
  for (const auto& [name, value] : *variables)
    if (name != "read_only") identity.id += (identity.id.empty() ? "" : " ") + name + "=" + value;
  return identity;
}

}  // namespace ha
