// SPDX-License-Identifier: MIT
#include "common/mysql/write_state.h"

#include <fmt/format.h>

#include "common/text.h"

namespace ha {

namespace {

std::string value_of(const Variables& variables, const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

// Measured: MySQL 9.7 refuses INSERT and UPDATE from 1 on, MariaDB 10.11 from 5 on; DELETE last.
constexpr long long kFirstRecoveryOfMysql = 1, kFirstRecoveryOfMariadb = 5;

constexpr char kGaleraStatus[] =
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_ready')";

void judge_galera(const Variables& status, WriteObstacles& obstacles) {
  const std::string part = value_of(status, "wsrep_cluster_status");
  const bool ready = flag(status, "wsrep_ready") == true;
  if (to_lower(part) == "primary" && ready) {
    obstacles.group = GroupState::kMember;
    return;
  }
  obstacles.group = GroupState::kOutside;
  obstacles.outside = fmt::format("wsrep_cluster_status is {}, wsrep_ready is {}", sanitize(part),
                                  ready ? "ON" : "OFF");
  obstacles.reasons.push_back(obstacles.outside);
}

// One row for each member, as this server sees it; only itself when it is in no group.
constexpr char kMembers[] =
    "SELECT MEMBER_STATE AS state, MEMBER_ID = @@GLOBAL.server_uuid AS own"
    " FROM performance_schema.replication_group_members";

void judge_members(const Rows& rows, WriteObstacles& obstacles) {
  std::string own = "OFFLINE";
  std::size_t unreachable = 0;
  for (std::size_t i = 0; i < rows.cells.size(); ++i) {
    const Row row(rows, i);
    const std::string state = row.text("state").value_or("");
    unreachable += state == "UNREACHABLE";
    if (row.integer("own") == 1) own = state;
  }
  const bool in_group = own == "ONLINE" || own == "RECOVERING";
  const bool majority = 2 * unreachable < rows.cells.size();
  obstacles.group = in_group && majority ? GroupState::kMember : GroupState::kOutside;
  if (!in_group)
    obstacles.outside = "its MEMBER_STATE is " + sanitize(own);
  else if (!majority)
    obstacles.outside = fmt::format("{} of the {} members are UNREACHABLE, there is no majority",
                                    unreachable, rows.cells.size());
  // One that has left is closed by the server itself, unless an operator opens it.
  if (in_group && !majority) obstacles.reasons.push_back(obstacles.outside);
}

}  // namespace

WriteObstacles judge_variables(const Variables& variables, Flavour flavour) {
  WriteObstacles obstacles;
  const auto refuse = [&](const char* name) {
    obstacles.reasons.push_back(fmt::format("{} is {}", name, sanitize(value_of(variables, name))));
  };
  for (const char* const name : {"innodb_read_only", "offline_mode"})
    if (flag(variables, name) == true) refuse(name);
  const long long recovery =
      parse_integer(value_of(variables, "innodb_force_recovery")).value_or(0);
  if (recovery >= (flavour == Flavour::kMysql ? kFirstRecoveryOfMysql : kFirstRecoveryOfMariadb))
    refuse("innodb_force_recovery");
  if (const std::string rejected = to_lower(value_of(variables, "wsrep_reject_queries"));
      !rejected.empty() && rejected != "none")
    refuse("wsrep_reject_queries");
  obstacles.shared_storage =
      variables.contains("aurora_version") && flag(variables, "innodb_read_only") == true;
  return obstacles;
}

Result<Done> read_group(SqlSession& session, const Variables& variables,
                        WriteObstacles& obstacles) {
  const std::string provider = to_lower(value_of(variables, "wsrep_provider"));
  if (flag(variables, "wsrep_on") == true && !provider.empty() && provider != "none") {
    const auto status = read_variables(session, kGaleraStatus);
    if (!status) return status.error();
    judge_galera(*status, obstacles);
  } else if (!value_of(variables, "group_replication_group_name").empty()) {
    const auto rows = session.query(kMembers);
    if (rows) {
      judge_members(*rows, obstacles);
    } else if (rows.error().code == Errc::kPrivilege) {
      obstacles.group_unread =
          "its replication group is unknown: " + rows.error().text + "; run: " +
          grant_statement(session, "SELECT", "performance_schema.replication_group_members");
    } else {
      return rows.error();
    }
  }
  return Done{};
}

}  // namespace ha
