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

enum class Need { kAlways, kSemiSync, kEvents };

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
    // They move with the role of the primary, and are changed without a word in the binlog.
    {Flavour::kMariadb, 0, "EVENT", false, Need::kEvents},
    {Flavour::kMariadb, 0, "SET USER", true, Need::kEvents},
    {Flavour::kMariadb, 0, "BINLOG ADMIN", true, Need::kEvents},
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
    if (one.need == Need::kEvents && server.event_scheduler != true) continue;
    if (one.need == Need::kSemiSync && server.semi_sync.source_enabled != true &&
        server.semi_sync.replica_enabled != true)
      continue;
    const std::string name(server.version.at_least(one.from_major) ? one.name : "SUPER");
    if (holds(privileges, name) || (one.in_super && super)) continue;
    if (std::ranges::find(missing, name) == missing.end()) missing.push_back(name);
  }
  return missing;
}

Result<std::vector<std::string>> read_revokes(SqlSession& session) {
  const auto rows = session.query("SHOW GRANTS");
  if (!rows) return rows.error();
  std::vector<std::string> revokes;
  for (const auto& cells : rows->cells)
    if (!cells.empty() && cells[0].value_or("").starts_with("REVOKE "))
      revokes.push_back(*cells[0]);
  return revokes;
}

namespace {

// One of the alternatives is enough.
struct CopyPrivilege {
  Flavour flavour;
  int from_major, from_minor;  // older versions need `before`
  std::string_view name, before;
  std::vector<CopyPart> parts;
  std::string_view alternative = {};
};

// Long: a table, a line for each privilege.
const std::vector<CopyPrivilege>& copy_privileges() {
  using enum CopyPart;
  using enum Flavour;
  static const std::vector<CopyPrivilege> all = {
      {kMysql, 0, 0, "SELECT", "", {kRead, kReplaced}},
      {kMysql, 0, 0, "PROCESS", "", {kRead}},
      {kMysql, 0, 0, "REPLICATION CLIENT", "", {kRead, kReplaced}},
      {kMysql, 0, 0, "SHOW VIEW", "", {kDumped}},
      {kMysql, 0, 0, "TRIGGER", "", {kDumped, kLoaded}},
      {kMysql, 0, 0, "EVENT", "", {kDumped, kReplaced}},
      {kMysql, 0, 0, "RELOAD", "", {kDumped, kReplaced}},
      {kMysql, 0, 0, "LOCK TABLES", "", {kDumped, kLoaded}},
      {kMysql, 8, 0, "BACKUP_ADMIN", "SUPER", {kCloned}},
      {kMysql, 0, 0, "CREATE", "", {kReplaced}},
      {kMysql, 0, 0, "DROP", "", {kReplaced}},
      {kMysql, 8, 0, "REPLICATION_SLAVE_ADMIN", "SUPER", {kReplaced}, "SUPER"},
      {kMysql, 8, 0, "SYSTEM_VARIABLES_ADMIN", "SUPER", {kReplaced, kInstalls}, "SUPER"},
      {kMysql, 8, 0, "CONNECTION_ADMIN", "SUPER", {kReplaced}, "SUPER"},
      {kMysql, 8, 2, "SET_ANY_DEFINER", "SUPER", {kReplaced}, "SET_USER_ID"},
      {kMysql, 8, 2, "ALLOW_NONEXISTENT_DEFINER", "SUPER", {kReplaced}, "SET_USER_ID"},
      {kMysql, 8, 0, "SYSTEM_USER", "SUPER", {kLoaded}},
      {kMysql, 8, 0, "CLONE_ADMIN", "SUPER", {kReceives}},
      {kMysql, 0, 0, "INSERT", "", {kLoaded, kInstalls}},
      {kMysql, 0, 0, "ALTER", "", {kLoaded}},
      {kMysql, 0, 0, "INDEX", "", {kLoaded}},
      {kMysql, 0, 0, "REFERENCES", "", {kLoaded}},
      {kMysql, 0, 0, "CREATE VIEW", "", {kLoaded}},
      {kMysql, 0, 0, "CREATE ROUTINE", "", {kLoaded}},
      {kMysql, 0, 0, "ALTER ROUTINE", "", {kLoaded}},
      {kMariadb, 0, 0, "SELECT", "", {kRead, kReplaced}},
      {kMariadb, 0, 0, "PROCESS", "", {kRead}},
      {kMariadb, 10, 5, "BINLOG MONITOR", "REPLICATION CLIENT", {kRead}},
      {kMariadb, 0, 0, "SHOW VIEW", "", {kDumped}},
      {kMariadb, 0, 0, "TRIGGER", "", {kDumped, kLoaded}},
      {kMariadb, 0, 0, "EVENT", "", {kDumped, kReplaced}},
      {kMariadb, 0, 0, "RELOAD", "", {kDumped, kReplaced}},
      {kMariadb, 0, 0, "LOCK TABLES", "", {kDumped, kLoaded}},
      {kMariadb, 0, 0, "CREATE", "", {kReplaced}},
      {kMariadb, 0, 0, "DROP", "", {kReplaced}},
      // Nothing less sets event_scheduler.
      {kMariadb, 0, 0, "SUPER", "", {kReplaced}},
      // From 11.0 on SUPER holds none of these any more.
      {kMariadb, 10, 5, "REPLICATION SLAVE ADMIN", "SUPER", {kReplaced}},
      {kMariadb, 10, 5, "BINLOG ADMIN", "SUPER", {kReplaced}},
      {kMariadb, 10, 5, "SET USER", "SUPER", {kReplaced}},
      {kMariadb, 10, 5, "READ_ONLY ADMIN", "SUPER", {kReplaced}},
      {kMariadb, 0, 0, "INSERT", "", {kLoaded}},
      {kMariadb, 0, 0, "ALTER", "", {kLoaded}},
      {kMariadb, 0, 0, "INDEX", "", {kLoaded}},
      {kMariadb, 0, 0, "REFERENCES", "", {kLoaded}},
      {kMariadb, 0, 0, "CREATE VIEW", "", {kLoaded}},
      {kMariadb, 0, 0, "CREATE ROUTINE", "", {kLoaded}},
      {kMariadb, 0, 0, "ALTER ROUTINE", "", {kLoaded}},
  };
  return all;
}

}  // namespace

std::vector<std::string> missing_to_copy(const Version& version,
                                         const std::set<std::string>& privileges,
                                         const std::vector<CopyPart>& parts) {
  std::vector<std::string> missing;
  for (const CopyPrivilege& one : copy_privileges()) {
    const bool wanted = std::ranges::any_of(
        one.parts, [&](CopyPart part) { return std::ranges::find(parts, part) != parts.end(); });
    if (one.flavour != version.flavour || !wanted) continue;
    const bool old = !version.at_least(one.from_major, one.from_minor);
    const std::string name(old ? one.before : one.name);
    if (name.empty() || holds(privileges, name)) continue;
    if (!one.alternative.empty() && holds(privileges, one.alternative)) continue;
    if (std::ranges::find(missing, name) == missing.end()) missing.push_back(name);
  }
  return missing;
}

}  // namespace ha
