// SPDX-License-Identifier: MIT
// Reads what a replica says of its channels (MariaDB: connections), all of them. Column meanings:
// MySQL manual, "SHOW REPLICA STATUS Statement"; MariaDB Knowledge Base, "SHOW REPLICA STATUS".

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/mysql/channel_status.h"
#include "common/mysql/session.h"
#include "common/result.h"

namespace ha {

// Reads every channel; an empty list means that the server is not a replica. Fails with kPrivilege
// and the GRANT to run, or with kBadData naming the column that was not understood.
Result<std::vector<ChannelStatus>> read_replica_status(SqlSession& session);

// Keeps the named channels, in the order of the server; all when `names` is empty. Names are
// compared as the servers do, without regard to case. The names that
// no channel has go to `missing`.
std::vector<ChannelStatus> select_channels(const std::vector<ChannelStatus>& channels,
                                           const std::vector<std::string>& names,
                                           std::vector<std::string>& missing);

}  // namespace ha
