// SPDX-License-Identifier: MIT
// The arguments of mysqlbinlog that print a node's extra transactions. Pure.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

// Fails with kBadData unless a server's name of a binlog can be a file's: not a path, nothing that
// a program takes for an option, no control character.
Result<Done> check_binlog_name(std::string_view name);

// Returns the arguments with which mysqlbinlog prints, from a live node, what it has and `known`
// lacks: from `from` on when that has a file, else from the beginning of `first_file`. Where the
// tool cannot tell by GTID, it prints more rather than less. Fails as check_binlog_name() does.
Result<std::vector<std::string>> binlog_arguments(const Node& node, const BinlogPosition& from,
                                                  const std::string& first_file, const History& own,
                                                  const History& known);

}  // namespace ha
