// SPDX-License-Identifier: MIT
// What mysqldump writes when it copies a whole server, and how it is asked for it.
// Sources: MySQL manual, "mysqldump"; MariaDB Knowledge Base, "mariadb-dump".

#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/channel_status.h"
#include "common/mysql/mariadb_gtid.h"
#include "common/mysql/topology.h"
#include "common/result.h"

namespace ha {

// Without a read lock on all tables only InnoDB's are of one moment.
enum class DumpLock { kNone, kAllTables };

// Returns the arguments with which mysqldump prints everything that a node has.
std::vector<std::string> dump_arguments(const Node& node, DumpLock lock);

// The moment that a copy shows.
struct CopyMoment {
  BinlogPosition position = {};  // in the binlog of the node that was copied
  std::string gtids = {};        // all that it has; empty: there are none
};

// Reads it from the beginning of a dump. Fails with kBadData when it does not say.
Result<CopyMoment> read_dump_moment(std::istream& dump);

// Fails with kBadData unless the dump's last line says that it was completed: a program may be cut
// off and a script around it say that all is well.
Result<Done> check_dump_end(std::istream& dump);

// Returns the gtid_binlog_state of a MariaDB server whose data are those that another one had at
// `moment`, in the order in which the server wants it. `before` and `after` are that one's, read
// before and after the moment.
std::string binlog_state_of_copy(const MariadbGtids& before, const MariadbGtids& after,
                                 const MariadbGtids& moment);

// Reads it from what a command has printed, as mariabackup writes it into
// mariadb_backup_binlog_info: file, position and, where there are any, GTIDs. Fails with kBadData.
Result<CopyMoment> parse_moment(std::string_view text);

// True for a statement of a dump that is about the server as a whole and not to be run: where to
// replicate from, which GTIDs it has, global settings.
bool is_about_server(std::string_view statement);

}  // namespace ha
