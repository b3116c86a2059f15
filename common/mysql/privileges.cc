// SPDX-License-Identifier: MIT
#include "common/mysql/privileges.h"

#include <algorithm>

#include "common/text.h"

namespace ha {

Result<std::set<std::string>> read_privileges(SqlSession& session) {
  const auto rows = session.query("SHOW GRANTS");
  if (!rows) return rows.error();
  constexpr std::string_view kBegin = "GRANT ", kEnd = " ON *.* TO ";
  std::set<std::string> privileges;
  for (const auto& cells : rows->cells) {
    const std::string grant = cells.empty() ? "" : cells[0].value_or("");
    const std::size_t end = grant.find(kEnd);
    if (!grant.starts_with(kBegin) || end == grant.npos) continue;
    const std::string list = grant.substr(kBegin.size(), end - kBegin.size());
    for (const std::string& privilege : split(list, ',')) privileges.emplace(trim(privilege));
  }
  return privileges;
}

bool holds(const std::set<std::string>& privileges, std::string_view privilege) {
  return privileges.contains(std::string(privilege)) || privileges.contains("ALL PRIVILEGES");
}

namespace {

enum class Need { kAlways, kSemiSync };

struct ManagerPrivilege {
  Flavour flavour;
  int from_major;  // before it is SUPER
  std::string_view name;
  bool in_super;
  Need need = Need::kAlways;
};

constexpr ManagerPrivilege kManagerPrivileges[] = {
    {Flavour::kMysql, 8, "REPLICATION_SLAVE_ADMIN", true},
    {Flavour::kMysql, 8, "SYSTEM_VARIABLES_ADMIN", true},
    {Flavour::kMysql, 8, "CONNECTION_ADMIN", true},
    // To end an applier that holds half a transaction, and administrators' connections.
    {Flavour::kMysql, 8, "SYSTEM_USER", false},
    {Flavour::kMysql, 0, "RELOAD", false},
    {Flavour::kMysql, 0, "PROCESS", false},
    {Flavour::kMariadb, 0, "BINLOG MONITOR", true},
    {Flavour::kMariadb, 0, "REPLICATION SLAVE ADMIN", true},
    {Flavour::kMariadb, 0, "REPLICATION MASTER ADMIN", true, Need::kSemiSync},
    // From 10.11 on SUPER does not hold it any more.
    {Flavour::kMariadb, 0, "READ_ONLY ADMIN", false},
    {Flavour::kMariadb, 0, "CONNECTION ADMIN", true},
    {Flavour::kMariadb, 0, "RELOAD", false},
    {Flavour::kMariadb, 0, "PROCESS", false},
};

}  // namespace

std::vector<std::string> missing_to_manage(const ServerFacts& server,
                                           const std::set<std::string>& privileges) {
  const bool super = holds(privileges, "SUPER");
  std::vector<std::string> missing;
  for (const ManagerPrivilege& one : kManagerPrivileges) {
    if (one.flavour != server.version.flavour) continue;
    if (one.need == Need::kSemiSync && server.semi_sync.source_enabled != true &&
        server.semi_sync.replica_enabled != true)
      continue;
    const std::string name(server.version.at_least(one.from_major) ? one.name : "SUPER");
    if (holds(privileges, name) || (one.in_super && super)) continue;
    if (std::ranges::find(missing, name) == missing.end()) missing.push_back(name);
  }
  return missing;
}

}  // namespace ha
