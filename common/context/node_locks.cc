// SPDX-License-Identifier: MIT
#include "common/context/node_locks.h"

#include <fmt/format.h>

namespace ha {

std::string copy_guard_lock(unsigned long long server_id) {
  return fmt::format("{}:{}", kCopyLock, server_id);
}

Result<bool> take_node_lock(SqlSession& session, const std::string& name, int patience_s) {
  const auto got =
      query_value(session, fmt::format("SELECT GET_LOCK({}, {})", quote_string(name), patience_s));
  if (!got) return got.error();
  return *got == "1";
}

Result<Done> release_node_lock(SqlSession& session, const std::string& name) {
  const auto freed =
      query_value(session, fmt::format("SELECT RELEASE_LOCK({})", quote_string(name)));
  if (!freed) return freed.error();
  return Done{};
}

Result<std::string> node_lock_holder(SqlSession& session, const std::string& name) {
  return query_value(session,
                     fmt::format("SELECT COALESCE(IS_USED_LOCK({}), '')", quote_string(name)));
}

Result<std::string> read_connection(SqlSession& session, std::string_view column,
                                    const std::string& connection) {
  return query_value(
      session, fmt::format("SELECT {} FROM information_schema.PROCESSLIST WHERE ID = {}", column,
                           connection));
}

Result<bool> has_node_lock(SqlSession& session, const std::string& name) {
  const auto ours = query_value(
      session, fmt::format("SELECT IS_USED_LOCK({}) = CONNECTION_ID()", quote_string(name)));
  // NULL when it is free.
  if (!ours && ours.error().code != Errc::kBadData) return ours.error();
  return ours && *ours == "1";
}

}  // namespace ha
