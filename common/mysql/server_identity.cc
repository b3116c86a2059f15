// SPDX-License-Identifier: MIT
#include "common/mysql/server_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/mysql/variables.h"
#include "common/mysql/write_state.h"
#include "common/text.h"

namespace ha {

namespace {

// server_uid is MariaDB's since 10.5.26, 10.6.19 and 10.11.9: a hash of the machine's hardware
// address and the port.
constexpr const char* kIdentifying[] = {"datadir",   "hostname",   "port",
                                        "server_id", "server_uid", "server_uuid"};

std::string make_query() {
  std::string names;
  for (const char* const name : kIdentifying) names += fmt::format("'{}', ", name);
  return fmt::format("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({}{})", names, kWriteVariables);
}

}  // namespace

std::optional<bool> ServerIdentity::takes_writes() const {
  if (!read_only || (!*read_only && !obstacles.unread.empty())) return std::nullopt;
  return !*read_only && !obstacles.any();
}

Result<ServerIdentity> read_server_identity(SqlSession& session) {
  const auto variables = read_variables(session, make_query());
  if (!variables) return variables.error();
  const auto id = variables->find("server_id");
  const auto number = id == variables->end() ? std::nullopt : parse_integer(id->second);
  if (!number) return Error{Errc::kBadData, "the server tells no server_id"};
  ServerIdentity identity{{},
                          flag(*variables, "read_only"),
                          judge_variables(*variables, session.version().flavour),
                          static_cast<std::uint32_t>(*number)};
  for (const auto& [name, value] : *variables)
    if (std::ranges::find(kIdentifying, std::string_view(name)) != std::end(kIdentifying))
      identity.id += (identity.id.empty() ? "" : " ") + name + "=" + value;
  if (const auto read = read_group(session, *variables, identity.obstacles); !read)
    return read.error();
  return identity;
}

bool may_be_same_server(const ServerFacts& one, const ServerFacts& other) {
  return one.server_id == other.server_id && one.server_uuid == other.server_uuid;
}

}  // namespace ha
