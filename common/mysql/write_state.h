// SPDX-License-Identifier: MIT
// Reads what a server tells for free of whether it takes writes. Global locks and full disks it
// does not tell: see write_probe.h.

#pragma once

#include "common/mysql/variables.h"
#include "common/mysql/version.h"
#include "common/mysql/write_obstacles.h"

namespace ha {

// The names that judge_variables() reads, for SHOW GLOBAL VARIABLES ... IN (...). The answer to one
// that the server does not know is left out.
inline constexpr char kWriteVariables[] =
    "'read_only', 'super_read_only', 'innodb_read_only', 'innodb_force_recovery', 'offline_mode',"
    " 'wsrep_on', 'wsrep_provider', 'wsrep_reject_queries', 'group_replication_group_name',"
    " 'aurora_version'";

// Judges what the variables tell.
WriteObstacles judge_variables(const Variables& variables, Flavour flavour);

// Adds what only further questions tell, which are asked of nodes of Galera and of Group
// Replication alone, once. A privilege that is missing is a gap, named in `group_unread`; fails
// when the server does not answer.
Result<Done> read_group(SqlSession& session, const Variables& variables, WriteObstacles& obstacles);

}  // namespace ha
